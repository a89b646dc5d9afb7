import type { Route } from '../config/configuration.ts';

/**
 * The metadata document of one route (RFC 9728 §2). Issuers stand in configured order, the first of each server;
 * what is empty is left out. Nothing in it comes from a request.
 */
export function protectedResourceMetadata(route: Route): string {
  return JSON.stringify({
    resource: route.resource,
    authorization_servers: [...new Set(route.authorizationServers.map(({ issuers }) => issuers[0]))],
    ...(route.scopesSupported.length > 0 ? { scopes_supported: route.scopesSupported } : {}),
    bearer_methods_supported: ['header'],
    resource_name: route.name,
  });
}

/** Where the gateway serves it: the path of the metadata URL (RFC 9728 §3.1), and the bare one for the default route. */
export function metadataPaths(route: Route): readonly string[] {
  const { pathname } = new URL(route.resourceMetadataUrl);
  return route.isDefault ? [...new Set([pathname, '/.well-known/oauth-protected-resource'])] : [pathname];
}
