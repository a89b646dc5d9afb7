import { tenantPlace } from '../../vocabulary/tenant.ts';
import { quote } from '../describe.ts';
import type { RouteDraft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import { compilePattern, usualTenants } from '../fields/tenant.ts';
import type { Finding } from '../finding.ts';
import type { Rule } from './rule.ts';

/** Whether a route serves many tenants; undefined where a fault leaves it open. */
export function servesTenants({ path, tenant }: RouteDraft): boolean | undefined {
  if (path === undefined || (tenant !== undefined && 'fixed' in tenant && tenant.fixed === undefined))
    return undefined;
  return path.includes(tenantPlace) && tenant?.fixed === undefined;
}

/** Without a pattern nothing would be a tenant; without a place for it a pattern would mean nothing. */
export const tenantsHaveAPlace: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, route]): readonly Finding[] => {
    const { path, tenant } = route;
    if (path === undefined) return [];
    const place = ['routes', index, 'tenant'];
    if (path.includes(tenantPlace) && !('tenant' in route)) {
      const expected = `tenant, which says what a tenant is, because routes[${index}].path has ${tenantPlace}`;
      const hint = `tenant: { pattern: '${usualTenants}' } is the usual one`;
      return [{ path: place, found: 'nothing', expected, hint }];
    }
    if (path.includes(tenantPlace) || tenant === undefined) return [];
    const expected = `a path with ${tenantPlace} as one of its segments, such as /${tenantPlace}/mcp`;
    return [{ path: place, at: 'key', found: `tenant beside the path ${quote(path)}`, expected }];
  });

export const fixedTenantFits: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, { tenant }]): readonly Finding[] => {
    const { fixed, pattern } = tenant ?? {};
    if (fixed === undefined || pattern === undefined || compilePattern(pattern).test(fixed)) return [];
    const path = ['routes', index, 'tenant', 'fixed'];
    return [{ path, found: quote(fixed), expected: `a tenant of the pattern ${quote(pattern)}` }];
  });

/** What holds for one resource can't be said for many. */
export const tenantsDiffer: Rule = (draft) =>
  entriesOf(draft.routes)
    .filter(([, route]) => servesTenants(route) === true)
    .flatMap(([index, route]): readonly Finding[] => [
      ...(route.resource === undefined
        ? []
        : [
            {
              path: ['routes', index, 'resource'],
              found: 'one resource for all tenants',
              expected: `no resource: it is publicUrl and path with the tenant in place of ${tenantPlace}`,
            },
          ]),
      ...(route.default === true
        ? [
            {
              path: ['routes', index, 'default'],
              found: 'true',
              expected: 'false on a route of tenants',
              hint: "the bare well-known URL can't say which tenant is meant; with tenant.fixed it can",
            },
          ]
        : []),
    ]);

/** A header that would never be sent. */
export const tenantHeaderNeedsTenants: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, { path, identity }]): readonly Finding[] => {
    const name = identity?.headers?.tenant;
    if (name === undefined || path === undefined || path.includes(tenantPlace)) return [];
    return [
      {
        path: ['routes', index, 'identity', 'headers', 'tenant'],
        found: quote(name),
        expected: `no header for the tenant, because the path has no ${tenantPlace}`,
      },
    ];
  });
