import { compactVerify } from 'jose';

import type { Authorities, Authority } from '../authorization-servers/authority.ts';
import type { SigningKey } from '../authorization-servers/keys/signing-key.ts';
import { algorithmOf, importKey } from '../authorization-servers/keys/signing-key.ts';
import type { Algorithm, AuthorizationServer, Route } from '../config/configuration.ts';
import type { Observer } from '../vocabulary/observer.ts';
import type { Principal } from '../vocabulary/principal.ts';
import type { Refusal } from '../vocabulary/refusal.ts';

import type { Scheme } from './credentials.ts';
import {
  confirmActive,
  takesOpaqueTokens,
  verifyOpaqueToken,
  wasOnceActive,
} from './ask-authorization-server.ts';
import type { TokenFault } from './fault.ts';
import { quoted } from './fault.ts';
import { checkClaims, judgeClaims } from './judge-claims.ts';
import { isOpaque } from './opaque-token.ts';
import type { ParsedJwt } from './parse-jwt.ts';
import { parseJwt } from './parse-jwt.ts';
import { principalOf } from './principal.ts';
import type { RememberedSignatures, VerifiedSignature } from './remembered-signatures.ts';
import type { Trace } from './trace.ts';

export type Verdict =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly refusal: Refusal };

/** A token, how it was presented, and whatever stands for the connection that it came over. */
export interface Presentation {
  readonly token: string;
  readonly connection: object;
  readonly scheme: Scheme;
  /** Why a token that isn't known yet is looked at no more. */
  readonly barred?: (() => Refusal | undefined) | undefined;
}

export interface VerifierParts {
  readonly authorities: Authorities;
  readonly remembered: RememberedSignatures;
  readonly observer: Observer;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Hears what a verification anew looks at; what is remembered is told to no one. */
  readonly trace?: Trace;
}

/**
 * Whether this token lets its bearer onto this route, and who that is. Proves, on every call: signature by a
 * key that the token's issuer publishes now, issuer, type, times, audience, subject (RFC 9068 §4, RFC 8725).
 * Only the signature may be remembered from an earlier call. An opaque token is taken by what its authorization
 * server says of it, which may be remembered for the time that the configuration gives. Whether a JWT was revoked
 * since is known only where the configuration has its server asked about JWTs as well. It doesn't check scopes, nor
 * that the sender holds the key that a token under the DPoP scheme is bound to. Answers at once where signature and
 * answer are remembered.
 */
export function verifyAccessToken(
  presentation: Presentation,
  route: Route,
  parts: VerifierParts,
): Verdict | Promise<Verdict> {
  const { token, connection, scheme } = presentation;
  for (const server of route.authorizationServers) {
    const verified = parts.remembered.recall(token, parts.authorities.of(server), connection);
    if (verified === undefined) continue;
    const fault = checkClaims(verified, { route, scheme, nowMs: parts.clock() });
    if (fault !== undefined) continue;
    parts.observer.signatureChecked('remembered');
    if (server.introspection?.for === 'all') return confirmActive(presentation, verified, { route, parts });
    return { ok: true, principal: verified.principal };
  }
  const asksAboutIt = takesOpaqueTokens(route) && isOpaque(token);
  if (presentation.barred !== undefined && !(asksAboutIt && wasOnceActive(token, route, parts))) {
    const refusal = presentation.barred();
    if (refusal !== undefined) return { ok: false, refusal };
  }
  return asksAboutIt ? verifyOpaqueToken(presentation, route, parts) : verifyAnew(presentation, route, parts);
}

async function verifyAnew(presentation: Presentation, route: Route, parts: VerifierParts): Promise<Verdict> {
  const { token, connection, scheme } = presentation;
  const jwt = parseJwt(token);
  parts.trace?.({ step: 'form', found: jwt });
  if ('reason' in jwt) return refused(jwt);
  const candidates = candidatesFor(jwt, route, parts.authorities);
  parts.trace?.({ step: 'issuer', candidates });
  if (candidates.length === 0) return refused(foreignIssuer(jwt, route));
  let unavailable: Refusal | undefined;
  let nearest: TokenFault | undefined;
  for (const authority of candidates) {
    // A token that only its claims speak against, such as an expired one, isn't worth another signature check.
    const known = parts.remembered.recall(token, authority, connection);
    const verified = known ?? (await verifySignature({ token, jwt, authority, connection }, parts));
    if ('kind' in verified) unavailable ??= verified;
    else if ('reason' in verified) nearest ??= verified;
    else {
      const fault = judgeClaims(verified, { route, scheme, nowMs: parts.clock() }, parts.trace);
      if (fault === undefined)
        return authority.server.introspection?.for === 'all'
          ? confirmActive(presentation, verified, { route, parts })
          : { ok: true, principal: verified.principal };
      // A fault after the signature held says more than "not this server's key".
      nearest = fault;
    }
  }
  if (unavailable !== undefined) return { ok: false, refusal: unavailable };
  return refused(nearest ?? { reason: 'token_signature' });
}

/** The unverified `iss` only chooses whose keys may speak; a token from elsewhere causes no fetch. */
function candidatesFor(jwt: ParsedJwt, route: Route, authorities: Authorities): readonly Authority[] {
  const { iss } = jwt.claims;
  const candidates: Authority[] = [];
  for (const server of route.authorizationServers) {
    const trusted = !server.verify.iss || (typeof iss === 'string' && server.issuers.includes(iss));
    if (trusted) candidates.push(authorities.of(server));
  }
  return candidates;
}

function foreignIssuer({ claims }: ParsedJwt, { authorizationServers }: Route): TokenFault {
  const trusted = authorizationServers.flatMap(({ issuers }) => issuers);
  return {
    reason: 'issuer_not_trusted',
    detail: `iss ${quoted(claims['iss'])}, expected ${trusted.join(' or ')}`,
  };
}

interface Presented {
  readonly token: string;
  readonly jwt: ParsedJwt;
  readonly authority: Authority;
  readonly connection: object;
}

async function verifySignature(
  presented: Presented,
  parts: VerifierParts,
): Promise<VerifiedSignature | TokenFault | Refusal> {
  const { jwt, authority } = presented;
  const { trace } = parts;
  const algorithm = acceptedAlgorithm(jwt.header.alg, authority.server);
  const fault = typeof algorithm === 'object' ? algorithm : undefined;
  trace?.({ step: 'algorithm', authority, fault });
  if (typeof algorithm === 'object') return algorithm;
  const { kid } = jwt.header;
  const issuedAtMs = issuedAtMsOf(jwt);
  const found = await authority.keys.find(kid, algorithm, issuedAtMs);
  trace?.({ step: 'key', authority, found });
  if (found.outcome === 'unavailable') {
    const { reason, retryAfterSeconds } = found;
    return {
      kind: 'authorization-server-unavailable',
      reason,
      retryAfterSeconds,
      detail: authority.server.name,
    };
  }
  if (found.outcome === 'unknown')
    return {
      reason: 'key_unknown',
      detail: kid === undefined ? 'no kid' : `kid of ${kid.length} characters`,
    };
  let key = await keyThatSigned(presented, found.keys);
  if (key === undefined && (await authority.keys.refetch())) {
    const again = await authority.keys.find(kid, algorithm, issuedAtMs);
    if (again.outcome === 'found') key = await keyThatSigned(presented, again.keys);
  }
  trace?.({ step: 'signature', authority, key });
  parts.observer.signatureChecked(key === undefined ? 'failed' : 'verified');
  if (key === undefined) return { reason: 'token_signature' };
  const principal = principalOf(jwt.claims, authority.server);
  const verified = { authority, key, type: jwt.header.type, claims: jwt.claims, principal };
  return parts.remembered.remember(presented.token, verified, presented.connection);
}

/** As the token says, unverified. */
function issuedAtMsOf({ claims }: ParsedJwt): number | undefined {
  const { iat } = claims;
  return typeof iat === 'number' ? iat * 1000 : undefined;
}

function acceptedAlgorithm(alg: string, { algorithms }: AuthorizationServer): Algorithm | TokenFault {
  const algorithm = algorithmOf(alg);
  return algorithm !== undefined && algorithms.includes(algorithm)
    ? algorithm
    : { reason: 'alg_not_allowed', detail: `alg ${quoted(alg)}, accepted: ${algorithms.join(', ')}` };
}

async function keyThatSigned(
  presented: Presented,
  keys: readonly SigningKey[],
): Promise<SigningKey | undefined> {
  const { alg } = presented.jwt.header;
  const algorithm = algorithmOf(alg);
  for (const key of keys) {
    if (algorithm === undefined) return undefined;
    try {
      // jose answers a broken key, a short one and a wrong signature alike by throwing; all mean "not by this key".
      await compactVerify(presented.token, await importKey(key, algorithm), { algorithms: [alg] });
      return key;
    } catch {
      continue;
    }
  }
  return undefined;
}

function refused(fault: TokenFault): Verdict {
  return { ok: false, refusal: { kind: 'token-invalid', ...fault } };
}
