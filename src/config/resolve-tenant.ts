import { fillTenant, tenantPlace } from '../vocabulary/tenant.ts';
import type { AuthorizationServer, Tenant } from './configuration.ts';
import { compilePattern } from './fields/tenant.ts';
import type { CheckedConfiguration } from './schema.ts';

type CheckedRoute = CheckedConfiguration['routes'][number];

/** Whose route it is; undefined where its path has no tenant. With a fixed tenant it is that one's from the start. */
export function tenantOf({ tenant }: CheckedRoute): Tenant | undefined {
  if (tenant === undefined) return undefined;
  const { pattern, claim, fixed } = tenant;
  return {
    name: fixed ?? tenantPlace,
    pattern: compilePattern(pattern),
    ...(claim === undefined ? {} : { claim }),
  };
}

/** The path with the fixed tenant in it, where there is one. */
export function pathOf({ path, tenant }: CheckedRoute): string {
  return tenant?.fixed === undefined ? path : fillTenant(path, tenant.fixed);
}

/** The servers of a route: where its tenants have issuers of their own, the one server's settings with those. */
export function withTenantIssuer(
  { tenant }: CheckedRoute,
  servers: readonly AuthorizationServer[],
): readonly AuthorizationServer[] {
  const template = tenant?.issuer;
  if (template === undefined) return servers;
  const fixed = tenant?.fixed;
  return servers.map((server) =>
    fixed === undefined
      ? { ...server, issuers: [template], tenant: tenantPlace }
      : { ...server, issuers: [fillTenant(template, fixed)] },
  );
}

/** What the gateway asks and reports: a server that only lends its settings to issuers of tenants gives way to them. */
export function serversInUse(
  listed: readonly AuthorizationServer[],
  usedByRoutes: readonly AuthorizationServer[],
  mirror: AuthorizationServer | undefined,
): readonly AuthorizationServer[] {
  const used = new Set(usedByRoutes);
  return listed.flatMap((server) => {
    const ofTenants = [...used].filter((other) => other.name === server.name && other !== server);
    const speaksItself = used.has(server) || server === mirror || ofTenants.length === 0;
    return speaksItself ? [server, ...ofTenants] : ofTenants;
  });
}
