import { entriesOf } from '../draft.ts';
import type { Rule } from './rule.ts';

/** Nobody on an open route is anyone: there is no one to count. */
export const openRoutesHaveNoPrincipals: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, { access, limits }]) =>
    access === 'open' && limits?.perPrincipal !== undefined
      ? [
          {
            path: ['routes', index, 'limits', 'perPrincipal'],
            at: 'key' as const,
            found: 'perPrincipal on an open route',
            expected: 'the route without it, or with another access',
            hint: 'limits.streams bounds what is under way on the route; rateLimit counts by address',
          },
        ]
      : [],
  );

/** Where no credentials are looked at none are refused. */
export const refusalsNeedProtectedRoutes: Rule = (draft) => {
  const routes = entriesOf(draft.routes);
  const isOpen = routes.length > 0 && routes.every(([, { access }]) => access === 'open');
  return draft.limits?.perAddress !== undefined && isOpen
    ? [
        {
          path: ['limits', 'perAddress'],
          at: 'key',
          found: 'perAddress where every route is open',
          expected: 'the file without it, or a route with another access',
          hint: 'it counts requests that are refused for their credentials; rateLimit of an open route counts by address',
        },
      ]
    : [];
};
