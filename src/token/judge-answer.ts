import type { Authority } from '../authorization-servers/authority.ts';
import type { AuthorizationServer } from '../config/configuration.ts';
import type { Principal } from '../vocabulary/principal.ts';
import type { Claims } from './check-claims.ts';
import { keyOf } from './check-claims.ts';
import type { TokenFault } from './fault.ts';
import { quoted } from './fault.ts';
import type { Judged, TokenUse } from './judge-claims.ts';
import { checkClaims } from './judge-claims.ts';
import { principalOf, statedScopes } from './principal.ts';
import type { VerifiedSignature } from './remembered-signatures.ts';

/** An answer of an authorization server that calls a token active. */
export interface ActiveAnswer {
  readonly authority: Authority;
  /** The answer's members (RFC 7662 §2.2); one object for as long as the answer is remembered. */
  readonly claims: Claims;
  /** Of a JWT that was verified before. */
  readonly verified: VerifiedSignature | undefined;
}

interface Reading {
  readonly judged: Judged;
  readonly principal: Principal;
}

/** Answers are remembered, and with them what was read from them. */
const readings = new WeakMap<Claims, Reading>();

/**
 * What the authorization server said of an active token, held to what a JWT's claims are held to: type, issuer,
 * times, audience, subject, confirmation (RFC 7662 §4). Judged on every call. A missing `exp` is no fault: the
 * server is asked again anyway. What the answer leaves out about a JWT the JWT says.
 */
export function judgeAnswer(answer: ActiveAnswer, use: TokenUse): Principal | TokenFault {
  const { authority, claims, verified } = answer;
  const { judged, principal } = readingOf(answer);
  return (
    checkAnswerType(claims) ??
    checkAnswerIssuer(claims, authority.server) ??
    checkSamePerson(claims, verified) ??
    checkClaims(judged, use) ??
    principal
  );
}

function readingOf({ authority, claims, verified }: ActiveAnswer): Reading {
  const known = readings.get(claims);
  if (known !== undefined) return known;
  const { server } = authority;
  const all = verified === undefined ? claims : Object.freeze({ ...verified.claims, ...claims });
  const principal = principalOf(all, server);
  const reading: Reading = {
    judged: { type: undefined, claims: all, authority: { server: { ...server, requireExp: false } } },
    principal: verified === undefined ? principal : confirmed(principal, verified, claims),
  };
  readings.set(claims, reading);
  return reading;
}

/**
 * Whom a JWT names, with what its server says now: the answer can take away from scopes and time, and add to neither.
 * Who it is stays as signed.
 */
function confirmed(now: Principal, { principal, authority }: VerifiedSignature, claims: Claims): Principal {
  const { issuer, clientId, scopes, expiresAt } = principal;
  const said = statedScopes(claims, authority.server.claims.scopes);
  const ends = [expiresAt, now.expiresAt].filter((end) => end !== undefined);
  return Object.freeze({
    ...now,
    issuer,
    clientId,
    scopes: said === undefined ? scopes : Object.freeze(scopes.filter((scope) => said.includes(scope))),
    expiresAt: ends.length === 0 ? undefined : Math.min(...ends),
  });
}

/** RFC 6749 §7.1 and RFC 9449 §5; some servers write what RFC 8693 §3 calls the token instead. */
const accessTokenTypes: ReadonlySet<string> = new Set([
  'bearer',
  'dpop',
  'access_token',
  'urn:ietf:params:oauth:token-type:access_token',
]);

function checkAnswerType({ token_type: type, cnf }: Claims): TokenFault | undefined {
  if (type === undefined) return undefined;
  const detail = `token_type ${quoted(type)}`;
  const word = typeof type === 'string' ? type.toLowerCase() : '';
  if (!accessTokenTypes.has(word)) return { reason: 'token_type', detail };
  return word === 'dpop' && cnf === undefined
    ? { reason: 'token_confirmation', detail: `${detail}, and the key isn't named` }
    : undefined;
}

/** It may be left out (RFC 7662 §2.2): who was asked is known. Another one means that this server speaks for a stranger. */
function checkAnswerIssuer(
  { iss }: Claims,
  { issuers, verify }: AuthorizationServer,
): TokenFault | undefined {
  if (iss === undefined || !verify.iss || (typeof iss === 'string' && issuers.includes(iss)))
    return undefined;
  return { reason: 'issuer_not_trusted', detail: `iss ${quoted(iss)}, expected ${issuers.join(' or ')}` };
}

/** A server that says something else of a JWT than the JWT itself speaks of another token. */
function checkSamePerson(claims: Claims, verified: VerifiedSignature | undefined): TokenFault | undefined {
  if (verified === undefined) return undefined;
  const { sub, cnf } = claims;
  if (sub !== undefined && sub !== verified.claims['sub'])
    return { reason: 'token_subject', detail: `the server says sub ${quoted(sub)}, the token another` };
  return cnf !== undefined && keyOf(claims) !== keyOf(verified.claims)
    ? { reason: 'token_confirmation', detail: 'the server says that it is bound to another key' }
    : undefined;
}
