import { compactVerify } from 'jose';

import type { Authorities, Authority } from '../authorization-servers/authority.ts';
import type { SigningKey } from '../authorization-servers/signing-key.ts';
import { algorithmOf, importKey } from '../authorization-servers/signing-key.ts';
import type { Route } from '../config/configuration.ts';
import type { Observer } from '../vocabulary/observer.ts';
import type { Principal } from '../vocabulary/principal.ts';
import type { Refusal } from '../vocabulary/refusal.ts';

import {
  checkAudience,
  checkConfirmation,
  checkLifetime,
  checkSubject,
  checkTokenType,
} from './check-claims.ts';
import type { TokenFault } from './fault.ts';
import { quoted } from './fault.ts';
import type { ParsedJwt } from './parse-jwt.ts';
import { parseJwt } from './parse-jwt.ts';
import { principalOf } from './principal.ts';
import type { RememberedSignatures, VerifiedSignature } from './remembered-signatures.ts';

export type Verdict =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly refusal: Refusal };

/** A token and whatever stands for the connection that it came over. */
export interface Presentation {
  readonly token: string;
  readonly connection: object;
}

export interface VerifierParts {
  readonly authorities: Authorities;
  readonly remembered: RememberedSignatures;
  readonly observer: Observer;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/**
 * Whether this token lets its bearer onto this route, and who that is. Proves, on every call: signature by a
 * key that the token's issuer publishes now, issuer, type, times, audience, subject (RFC 9068 §4, RFC 8725).
 * Only the signature may be remembered from an earlier call. It doesn't check scopes, nor whether the
 * authorization server has revoked the token since. Answers at once where the signature is remembered.
 */
export function verifyAccessToken(
  { token, connection }: Presentation,
  route: Route,
  parts: VerifierParts,
): Verdict | Promise<Verdict> {
  for (const server of route.authorizationServers) {
    const verified = parts.remembered.recall(token, parts.authorities.of(server), connection);
    if (verified === undefined) continue;
    const fault = checkClaims(verified, route, parts.clock());
    if (fault !== undefined) continue;
    parts.observer.signatureChecked('remembered');
    return { ok: true, principal: verified.principal };
  }
  return verifyAnew({ token, connection }, route, parts);
}

async function verifyAnew(presentation: Presentation, route: Route, parts: VerifierParts): Promise<Verdict> {
  const { token, connection } = presentation;
  const jwt = parseJwt(token);
  if ('reason' in jwt) return refused(jwt);
  const candidates = candidatesFor(jwt, route, parts.authorities);
  if (candidates.length === 0)
    return refused({ reason: 'issuer_not_trusted', detail: `iss ${quoted(jwt.claims['iss'])}` });
  let unavailable: Refusal | undefined;
  let nearest: TokenFault | undefined;
  for (const authority of candidates) {
    // A token that only its claims speak against, such as an expired one, isn't worth another signature check.
    const known = parts.remembered.recall(token, authority, connection);
    const verified = known ?? (await verifySignature({ token, jwt, authority }, parts));
    if ('kind' in verified) unavailable ??= verified;
    else if ('reason' in verified) nearest ??= verified;
    else {
      const fault = checkClaims(verified, route, parts.clock());
      if (fault === undefined) return { ok: true, principal: verified.principal };
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
  return route.authorizationServers.flatMap((server) => {
    const trusted = !server.verify.iss || (typeof iss === 'string' && server.issuers.includes(iss));
    return trusted ? [authorities.of(server)] : [];
  });
}

interface Presented {
  readonly token: string;
  readonly jwt: ParsedJwt;
  readonly authority: Authority;
}

async function verifySignature(
  presented: Presented,
  parts: VerifierParts,
): Promise<VerifiedSignature | TokenFault | Refusal> {
  const { jwt, authority } = presented;
  const algorithm = algorithmOf(jwt.header.alg);
  if (algorithm === undefined || !authority.server.algorithms.includes(algorithm)) {
    return {
      reason: 'alg_not_allowed',
      detail: `alg ${quoted(jwt.header.alg)}, accepted: ${authority.server.algorithms.join(', ')}`,
    };
  }
  const { kid } = jwt.header;
  const found = await authority.keys.find(kid, algorithm);
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
    const again = await authority.keys.find(kid, algorithm);
    if (again.outcome === 'found') key = await keyThatSigned(presented, again.keys);
  }
  parts.observer.signatureChecked(key === undefined ? 'failed' : 'verified');
  if (key === undefined) return { reason: 'token_signature' };
  return parts.remembered.remember(presented.token, {
    authority,
    key,
    type: jwt.header.type,
    claims: jwt.claims,
    principal: principalOf(jwt.claims, authority.server),
  });
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

function checkClaims(verified: VerifiedSignature, route: Route, nowMs: number): TokenFault | undefined {
  const { claims, authority } = verified;
  const { server } = authority;
  return (
    checkTokenType(verified.type, claims, server) ??
    checkLifetime(claims, server, nowMs / 1000) ??
    checkAudience(claims, server, route) ??
    checkSubject(claims) ??
    checkConfirmation(claims)
  );
}

function refused(fault: TokenFault): Verdict {
  return { ok: false, refusal: { kind: 'token-invalid', ...fault } };
}
