import type { AuthorizationServer, Identity, Route, Upstream } from './configuration.ts';
import { resolveCredentials } from './resolve-credentials.ts';
import { publicAddress, resourceMetadataUrl } from './derive.ts';
import { identityOf } from './identity-names.ts';
import { pathOf, tenantOf, withTenantIssuer } from './resolve-tenant.ts';
import { resolveTls } from './resolve-tls.ts';
import type { CheckedConfiguration } from './schema.ts';
import type { NamedFiles } from './sources.ts';

type CheckedRoute = CheckedConfiguration['routes'][number];

/** The routes in the order of the file. */
export function resolveRoutes(
  { publicUrl, routes }: CheckedConfiguration,
  servers: readonly AuthorizationServer[],
  files: NamedFiles,
): readonly Route[] {
  const isProtected = ({ access }: CheckedRoute): boolean => access !== 'open';
  const marked = routes.find((route) => route.default === true);
  const protectedRoutes = routes.filter(isProtected);
  const only =
    protectedRoutes.length === 1 && protectedRoutes[0]?.default !== false ? protectedRoutes[0] : undefined;
  return routes.map((route) => ({
    ...tenancyOf(route),
    ...addressOf(route, publicUrl),
    isDefault: route === (marked ?? only) && !servesTenants(route),
    access: route.access,
    authorizationServers: isProtected(route) ? withTenantIssuer(route, serversOf(route, servers)) : [],
    ...(route.audiences === undefined ? {} : { audiences: route.audiences }),
    ...scopesOf(route),
    discovery: route.discovery,
    origins: route.origins,
    ...dpopOf(route),
    identity: { ...identityOf(route.identity), ...whoOf(route.identity), ...assertionOf(route.identity) },
    ...policyOf(route),
    ...(route.rateLimit === undefined ? {} : { rateLimit: route.rateLimit }),
    limits: route.limits,
    streams: route.streams,
    upstream: resolveUpstream(route.upstream, servers, files),
  }));
}

function addressOf(
  route: CheckedRoute,
  publicUrl: string,
): Pick<Route, 'name' | 'path' | 'resource' | 'resourceMetadataUrl'> {
  const address = publicAddress(publicUrl, pathOf(route));
  const resource = route.resource ?? address.resource;
  return {
    name: route.name ?? route.path,
    path: address.path,
    resource,
    resourceMetadataUrl: resourceMetadataUrl(resource),
  };
}

function dpopOf({ dpop: { mode, ...details } }: CheckedRoute): Pick<Route, 'dpop'> {
  return mode === 'off' ? {} : { dpop: { mode, ...details } };
}

function whoOf({ subject, anonymous }: CheckedRoute['identity']): Pick<Identity, 'subject' | 'anonymous'> {
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(anonymous === undefined ? {} : { anonymous }),
  };
}

function assertionOf({ assertion }: CheckedRoute['identity']): Pick<Identity, 'assertion'> {
  return assertion === undefined ? {} : { assertion };
}

function policyOf({ policy, hide }: CheckedRoute): Pick<Route, 'policy'> {
  if (policy === undefined) return {};
  const rules = policy.map(({ name, methods, tools, prompts, resources, scopes, when, rateLimit }) => ({
    name,
    ...(methods === undefined ? {} : { methods }),
    ...(tools === undefined ? {} : { tools }),
    ...(prompts === undefined ? {} : { prompts }),
    ...(resources === undefined ? {} : { resources }),
    scopes: scopes ?? [],
    ...(when === undefined ? {} : { when }),
    ...(rateLimit === undefined ? {} : { rateLimit }),
  }));
  return { policy: { rules, hide: hide ?? true } };
}

function tenancyOf(route: CheckedRoute): Pick<Route, 'tenant'> {
  const tenant = tenantOf(route);
  return tenant === undefined ? {} : { tenant };
}

/** The bare well-known URL can't say whose metadata is asked for. */
function servesTenants({ tenant }: CheckedRoute): boolean {
  return tenant !== undefined && tenant.fixed === undefined;
}

function serversOf(
  { authorizationServers }: CheckedRoute,
  servers: readonly AuthorizationServer[],
): readonly AuthorizationServer[] {
  if (authorizationServers === undefined) return servers;
  return authorizationServers.flatMap((name) => servers.filter((server) => server.name === name));
}

function scopesOf({
  scopes,
  challengeScopes,
  scopesSupported,
}: CheckedRoute): Pick<Route, 'scopes' | 'challengeScopes' | 'scopesSupported'> {
  return { scopes, challengeScopes: challengeScopes ?? scopes, scopesSupported };
}

const lowerCase = (names: readonly string[]): readonly string[] => [
  ...new Set(names.map((name) => name.toLowerCase())),
];

function resolveUpstream(
  upstream: CheckedRoute['upstream'],
  servers: readonly AuthorizationServer[],
  files: NamedFiles,
): Upstream {
  const { url, transport, sseEndpoint, sharedProcess, timeouts, requestHeaders, responseHeaders, tls } =
    upstream;
  return {
    url,
    transport,
    sseEndpoint,
    ...(sharedProcess === undefined ? {} : { sharedProcess }),
    timeouts,
    ...resolveCredentials(upstream, servers, files),
    requestHeaders: lowerCase(requestHeaders),
    responseHeaders: lowerCase(responseHeaders),
    ...(tls === undefined ? {} : { tls: resolveTls(tls, files) }),
  };
}
