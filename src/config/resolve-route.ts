import type { AuthorizationServer, Route, Upstream } from './configuration.ts';
import { publicAddress, resourceMetadataUrl } from './derive.ts';
import { identityOf } from './identity-names.ts';
import type { CheckedConfiguration } from './schema.ts';
import type { NamedFiles } from './sources.ts';

type CheckedRoute = CheckedConfiguration['routes'][number];

/** The routes in the order of the file. */
export function resolveRoutes(
  { publicUrl, routes }: CheckedConfiguration,
  servers: readonly AuthorizationServer[],
  files: NamedFiles,
): readonly Route[] {
  const isProtected = ({ access }: CheckedRoute): boolean => access === 'required';
  const marked = routes.find((route) => route.default === true);
  const protectedRoutes = routes.filter(isProtected);
  const only =
    protectedRoutes.length === 1 && protectedRoutes[0]?.default !== false ? protectedRoutes[0] : undefined;
  return routes.map((route) => ({
    ...addressOf(route, publicUrl),
    isDefault: route === (marked ?? only),
    access: route.access,
    authorizationServers: isProtected(route) ? serversOf(route, servers) : [],
    ...(route.audiences === undefined ? {} : { audiences: route.audiences }),
    ...scopesOf(route),
    discovery: route.discovery,
    origins: route.origins,
    identity: identityOf(route.identity),
    limits: route.limits,
    streams: route.streams,
    upstream: resolveUpstream(route.upstream, files),
  }));
}

function addressOf(
  route: CheckedRoute,
  publicUrl: string,
): Pick<Route, 'name' | 'path' | 'resource' | 'resourceMetadataUrl'> {
  const address = publicAddress(publicUrl, route.path);
  const resource = route.resource ?? address.resource;
  return {
    name: route.name ?? route.path,
    path: address.path,
    resource,
    resourceMetadataUrl: resourceMetadataUrl(resource),
  };
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
  // The word for a list from elsewhere isn't built, and was refused.
  return {
    scopes,
    challengeScopes: challengeScopes ?? scopes,
    scopesSupported: typeof scopesSupported === 'string' ? [] : scopesSupported,
  };
}

const lowerCase = (names: readonly string[]): readonly string[] => [
  ...new Set(names.map((name) => name.toLowerCase())),
];

function resolveUpstream(upstream: CheckedRoute['upstream'], files: NamedFiles): Upstream {
  const { url, timeouts, requestHeaders, responseHeaders, tls } = upstream;
  const { caFile, certFile, keyFile } = tls ?? {};
  return {
    url,
    timeouts,
    requestHeaders: lowerCase(requestHeaders),
    responseHeaders: lowerCase(responseHeaders),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ...(caFile === undefined ? {} : { ca: files.textOf(caFile) }),
            ...(certFile === undefined ? {} : { cert: files.textOf(certFile) }),
            ...(keyFile === undefined ? {} : { key: files.textOf(keyFile) }),
          },
        }),
  };
}
