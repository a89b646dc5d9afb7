import type { AuthorizationServer, Route } from '../config/configuration.ts';

/** Stands for the tenant in the texts of a form. */
export const tenantPlace = '{tenant}';

/** RFC 9728 URLs and issuers are built from it: one segment with one spelling, never `.` or `..`. */
const tenantForm = /^[A-Za-z0-9_-](?:\.?[A-Za-z0-9_-])*$/;

/** Far above any identifier of a real tenant; a DNS label has 63. */
const longestTenant = 64;

/** Whether a text may be a tenant at all; whether it is one of a route, the route's pattern says. */
export function isTenantName(text: string): boolean {
  return text.length <= longestTenant && tenantForm.test(text);
}

export function fillTenant(template: string, tenant: string): string {
  return template.replace(tenantPlace, () => tenant);
}

/** Whether a route is the form of one for each tenant, and serves nothing itself. */
export function isForm(route: Route): boolean {
  return route.tenant?.name === tenantPlace;
}

/**
 * The route of one tenant: its own path, resource, metadata and issuers, all else as the form says. Undefined where
 * the form's pattern doesn't take the name, so nothing else than what matches gets into a URL.
 */
export function routeOfTenant(form: Route, name: string): Route | undefined {
  const { tenant } = form;
  if (tenant === undefined || !isTenantName(name) || !tenant.pattern.test(name)) return undefined;
  return Object.freeze({
    ...form,
    path: fillTenant(form.path, name),
    resource: fillTenant(form.resource, name),
    resourceMetadataUrl: fillTenant(form.resourceMetadataUrl, name),
    authorizationServers: form.authorizationServers.map((server) => serverOfTenant(server, name)),
    tenant: Object.freeze({ ...tenant, name }),
  });
}

/** A server with an issuer of its own stays the same object: its keys are for all tenants. */
function serverOfTenant(server: AuthorizationServer, tenant: string): AuthorizationServer {
  if (server.tenant !== tenantPlace) return server;
  const [first, ...others] = server.issuers;
  return Object.freeze({
    ...server,
    issuers: [fillTenant(first, tenant), ...others.map((issuer) => fillTenant(issuer, tenant))] as const,
    tenant,
  });
}
