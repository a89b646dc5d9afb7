import type { Route } from '../config/configuration.ts';

/** The `WWW-Authenticate` values of one route, made once: no byte of them comes from a request. */
export interface Challenges {
  readonly missing: string;
  readonly ambiguous: string;
  readonly expired: string;
  readonly invalid: string;
  insufficientScope(scopes: readonly string[]): string;
}

/**
 * RFC 6750 §3 with `resource_metadata` of RFC 9728 §5.1. `error` comes first and only where credentials were
 * presented (RFC 6750 §3.1). The descriptions are the two constants that tell expired from invalid.
 */
export function challengesOf(route: Route): Challenges {
  const challenge = (parameters: readonly string[], scopes: readonly string[]): string => {
    const all = [
      ...(route.discovery === 'off' ? [`realm="${quotable(route.name)}"`] : []),
      ...parameters,
      ...(scopes.length > 0 && route.discovery === 'on' ? [`scope="${scopes.join(' ')}"`] : []),
      ...(route.discovery === 'on' ? [`resource_metadata="${route.resourceMetadataUrl}"`] : []),
    ];
    return `Bearer ${all.join(', ')}`;
  };
  const failed = (description: string): string =>
    challenge(['error="invalid_token"', `error_description="${description}"`], route.challengeScopes);
  return {
    missing: challenge([], route.challengeScopes),
    ambiguous: challenge(['error="invalid_request"'], route.challengeScopes),
    expired: failed('The access token expired'),
    invalid: failed('The access token is invalid'),
    insufficientScope: (scopes) => challenge(['error="insufficient_scope"'], scopes),
  };
}

/** RFC 6750 §3 allows %x20-21 / %x23-5B / %x5D-7E in quoted values; the rest can't be told. */
function quotable(text: string): string {
  return text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '');
}
