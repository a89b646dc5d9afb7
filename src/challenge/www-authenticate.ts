import type { Dpop, Route } from '../config/configuration.ts';
import { proofAlgorithmNames } from '../vocabulary/proof-algorithms.ts';

/** One value of `WWW-Authenticate`, or one for each scheme. */
export type Challenge = string | string[];

/** The `WWW-Authenticate` values of one route, made once: no byte of them comes from a request. */
export interface Challenges {
  readonly missing: Challenge;
  readonly ambiguous: Challenge;
  readonly expired: Challenge;
  readonly invalid: Challenge;
  /** Only where the route takes DPoP proofs is there anyone to tell. */
  readonly invalidProof: Challenge;
  readonly nonceNeeded: Challenge;
  readonly insufficientScope: (scopes: readonly string[]) => Challenge;
  /** `missing`, with further scopes after the route's: whoever can't step up later gets them now. */
  readonly loginNeeded: (scopes: readonly string[]) => Challenge;
}

/**
 * RFC 6750 §3 with `resource_metadata` of RFC 9728 §5.1. `error` comes first and only where credentials were
 * presented (RFC 6750 §3.1). `liveScopes` is for a route that shows what its authorization servers advertise, and must
 * be clean. The descriptions are the two constants that tell expired from invalid. Where DPoP is taken besides
 * Bearer its challenge follows as a second value (RFC 9449 §7.2); where it is required, it is the only one.
 */
export function challengesOf(route: Route, liveScopes: readonly string[] = []): Challenges {
  const challengeScopes =
    route.challengeScopes === 'from-authorization-server' ? liveScopes : route.challengeScopes;
  const full = (error: readonly string[], scopes: readonly string[]): readonly string[] => [
    ...(route.discovery === 'off' ? [`realm="${quotable(route.name)}"`] : []),
    ...error,
    ...(scopes.length > 0 && route.discovery === 'on' ? [`scope="${scopes.join(' ')}"`] : []),
    ...(route.discovery === 'on' ? [`resource_metadata="${route.resourceMetadataUrl}"`] : []),
  ];
  const { dpop } = route;
  const challenge = (error: readonly string[], scopes: readonly string[]): Challenge => {
    const parameters = full(error, scopes);
    if (dpop?.mode === 'required') return dpopChallenge(dpop, parameters);
    const bearer = `Bearer ${parameters.join(', ')}`;
    return dpop === undefined ? bearer : [bearer, dpopChallenge(dpop, error)];
  };
  // Nothing is wrong with the token, so nothing is said of it.
  const proofChallenge = (error: string): Challenge => {
    if (dpop?.mode === 'required') return challenge([error], challengeScopes);
    const bearer = `Bearer ${full([], challengeScopes).join(', ')}`;
    return dpop === undefined ? bearer : [bearer, dpopChallenge(dpop, [error])];
  };
  const failed = (description: string): Challenge =>
    challenge(['error="invalid_token"', `error_description="${description}"`], challengeScopes);
  return {
    missing: challenge([], challengeScopes),
    ambiguous: challenge(['error="invalid_request"'], challengeScopes),
    expired: failed('The access token expired'),
    invalid: failed('The access token is invalid'),
    invalidProof: proofChallenge('error="invalid_dpop_proof"'),
    nonceNeeded: proofChallenge('error="use_dpop_nonce"'),
    insufficientScope: (scopes) => challenge(['error="insufficient_scope"'], scopes),
    loginNeeded: (scopes) => challenge([], [...new Set([...challengeScopes, ...scopes])]),
  };
}

/** RFC 9449 §7.1. */
function dpopChallenge(dpop: Dpop, parameters: readonly string[]): string {
  return `DPoP ${[`algs="${proofAlgorithmNames(dpop.algorithms).join(' ')}"`, ...parameters].join(', ')}`;
}

/** RFC 6750 §3 allows %x20-21 / %x23-5B / %x5D-7E in quoted values; the rest can't be told. */
function quotable(text: string): string {
  return text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '');
}
