import type { Route } from '../config/configuration.ts';
import { proofAlgorithmNames } from '../vocabulary/proof-algorithms.ts';

/**
 * The metadata document of one route (RFC 9728 §2). Issuers stand in configured order, the first of each server;
 * what is empty is left out. Nothing in it comes from a request.
 */
export function protectedResourceMetadata(route: Route, scopesSupported: readonly string[]): string {
  return JSON.stringify({
    resource: route.resource,
    authorization_servers: [...new Set(route.authorizationServers.map(({ issuers }) => issuers[0]))],
    ...(scopesSupported.length > 0 ? { scopes_supported: scopesSupported } : {}),
    bearer_methods_supported: ['header'],
    ...dpopMembers(route),
    resource_name: route.name,
  });
}

/** Only what is enforced is said. */
function dpopMembers({ dpop }: Route): Readonly<Record<string, unknown>> {
  if (dpop === undefined) return {};
  return {
    dpop_signing_alg_values_supported: proofAlgorithmNames(dpop.algorithms),
    ...(dpop.mode === 'required' ? { dpop_bound_access_tokens_required: true } : {}),
  };
}

/** Where the gateway serves it: the path of the metadata URL (RFC 9728 §3.1), and the bare one for the default route. */
export function metadataPaths(route: Route): readonly string[] {
  const { pathname } = new URL(route.resourceMetadataUrl);
  return route.isDefault ? [...new Set([pathname, '/.well-known/oauth-protected-resource'])] : [pathname];
}
