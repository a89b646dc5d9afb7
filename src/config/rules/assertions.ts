import { entriesOf } from '../draft.ts';
import type { Rule } from './rule.ts';

/** Nobody on an open route is anyone: there is nothing to state. */
export const assertionsNeedPrincipals: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, { access, identity }]) =>
    access === 'open' && identity?.assertion !== undefined
      ? [
          {
            path: ['routes', index, 'identity', 'assertion'],
            at: 'key' as const,
            found: 'assertion on an open route',
            expected: 'the route without it, or with another access',
            hint: 'anyone may use an open route; no token says who it is',
          },
        ]
      : [],
  );

/** Whoever names a key believes that something is signed. */
export const keysNeedAssertions: Rule = (draft) => {
  const isUsed = entriesOf(draft.routes).some(
    ([, { identity }]) => identity !== undefined && 'assertion' in identity,
  );
  return draft.signing === undefined || isUsed
    ? []
    : [
        {
          path: ['signing'],
          at: 'key',
          found: 'signing where no route has identity.assertion',
          expected: 'the file without it, or a route with identity: { assertion: {} }',
        },
      ];
};
