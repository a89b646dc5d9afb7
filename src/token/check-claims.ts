import type { AuthorizationServer, Route } from '../config/configuration.ts';
import { claimAt } from '../vocabulary/claim.ts';
import type { Scheme } from './credentials.ts';
import type { TokenFault } from './fault.ts';
import { quoted } from './fault.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** Whatever the configuration lists, these are never access tokens. */
const otherJwtTypes = new Set(['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'oauth-authz-req+jwt']);

/** RFC 9068 §4 and RFC 8725 §3.11: what was signed for another purpose isn't an access token. Without a header there is no `type`. */
export function checkTokenType(
  type: string | undefined,
  claims: Claims,
  server: AuthorizationServer,
): TokenFault | undefined {
  if (type !== undefined && (otherJwtTypes.has(type) || !server.tokenTypes.includes(type))) {
    return { reason: 'token_type', detail: `typ ${quoted(type)}, accepted: ${server.tokenTypes.join(', ')}` };
  }
  const mark = idTokenMark(claims);
  return mark === undefined
    ? undefined
    : { reason: 'token_type', detail: `an ID or refresh token: it carries ${mark}` };
}

/** Only ID tokens carry these (OpenID Connect Core §2, §3.3.2.11); Keycloak and Cognito name the type in a claim. */
function idTokenMark(claims: Claims): string | undefined {
  for (const claim of ['at_hash', 'c_hash', 'nonce']) if (Object.hasOwn(claims, claim)) return claim;
  for (const claim of ['typ', 'token_use']) {
    const value = claims[claim];
    if (typeof value === 'string' && /^(?:id|refresh|offline)(?:_?token)?$/i.test(value))
      return `${claim} ${quoted(value)}`;
  }
  return undefined;
}

/** RFC 7519 §4.1.4 to §4.1.6. `now` in seconds since the epoch; leeway is the authorization server's. */
export function checkLifetime(
  claims: Claims,
  server: AuthorizationServer,
  now: number,
): TokenFault | undefined {
  return (
    checkExpiry(claims['exp'], server, now) ??
    (server.verify.nbf ? checkNotAhead('nbf', claims['nbf'], now + server.leeway) : undefined) ??
    (server.verify.iat ? checkNotAhead('iat', claims['iat'], now + server.leeway) : undefined)
  );
}

function checkExpiry(exp: unknown, server: AuthorizationServer, now: number): TokenFault | undefined {
  if (exp === undefined) {
    return server.requireExp ? { reason: 'token_lifetime', detail: 'no exp' } : undefined;
  }
  if (!isNumericDate(exp)) return { reason: 'token_lifetime', detail: `exp ${quoted(exp)}` };
  if (server.verify.exp && exp + server.leeway <= now) {
    return { reason: 'token_expired', detail: `expired ${Math.floor(now - exp)} s ago` };
  }
  return undefined;
}

function checkNotAhead(claim: 'nbf' | 'iat', value: unknown, latest: number): TokenFault | undefined {
  if (value === undefined) return undefined;
  if (!isNumericDate(value)) return { reason: 'token_lifetime', detail: `${claim} ${quoted(value)}` };
  return value > latest
    ? { reason: 'token_not_yet_valid', detail: `${claim} is ${Math.ceil(value - latest)} s ahead` }
    : undefined;
}

/** Up to the year 9999: what lies beyond overflows timers and caches, and no one means it. */
const latestNumericDate = 253_402_300_799;

function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= latestNumericDate;
}

/** RFC 7519 §4.1.3, RFC 8707 §2: one whole element must be an accepted audience. */
export function checkAudience(
  claims: Claims,
  server: AuthorizationServer,
  route: Route,
): TokenFault | undefined {
  const { aud } = claims;
  const presented: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const accepted = route.audiences ?? server.audiences;
  const found =
    accepted.length > 0
      ? presented.some((value) => typeof value === 'string' && accepted.includes(value))
      : presented.some((value) => typeof value === 'string' && isResource(value, route.resource));
  if (found) return undefined;
  const expected = accepted.length > 0 ? accepted.join(' or ') : route.resource;
  return { reason: 'token_audience', detail: `aud ${quoted(aud)}, expected ${expected}` };
}

/** Where the upstream is shown the token, it must be for the upstream as well: else it could use it at others that take it. */
export function checkPassedOn({ aud }: Claims, { upstream }: Route): TokenFault | undefined {
  if (upstream.token !== 'passthrough') return undefined;
  const { resource = '' } = upstream;
  const presented: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return presented.some((value) => typeof value === 'string' && isResource(value, resource))
    ? undefined
    : {
        reason: 'token_audience',
        detail: `aud ${quoted(aud)}, expected ${resource} too: the token is passed on to it`,
      };
}

/** A route's own resource: scheme and host in any case, the default port elided, one trailing slash more or less. */
export function isResource(value: string, resource: string): boolean {
  return value === resource || canonicalResource(value) === canonicalResource(resource);
}

// ASCII alone: Unicode has letters that lower case turns into those of another name.
const resourceParts = /^(https?):\/\/([!-"$-.0->A-[\]-~]+?)(?::(\d+))?(\/[!-"$->@-~]*)?(\?[!-"$-~]*)?$/i;

function canonicalResource(url: string): string {
  const parts = resourceParts.exec(url);
  if (parts === null) return url;
  const scheme = (parts[1] ?? '').toLowerCase();
  const isDefaultPort = parts[3] === undefined || parts[3] === (scheme === 'https' ? '443' : '80');
  const path = (parts[4] ?? '').replace(/\/$/, '');
  return `${scheme}://${(parts[2] ?? '').toLowerCase()}${isDefaultPort ? '' : `:${parts[3]}`}${path}${parts[5] ?? ''}`;
}

/** RFC 8725 §3.8: where the route says which claim names the tenant, it must be the one in the path. */
export function checkTenant(claims: Claims, { tenant }: Route): TokenFault | undefined {
  if (tenant?.claim === undefined || claimAt(claims, tenant.claim) === tenant.name) return undefined;
  return {
    reason: 'token_tenant',
    detail: `${tenant.claim} ${quoted(claimAt(claims, tenant.claim))}, expected ${tenant.name}`,
  };
}

/** Identity providers' subjects stay far below; a longer one would fill headers and keys. */
const maximumSubjectLength = 1024;

/** RFC 9068 §2.2: `sub` is there and can be told apart. It travels in headers and keys, so control characters aren't taken. */
export function checkSubject(claims: Claims): TokenFault | undefined {
  const { sub } = claims;
  if (typeof sub !== 'string' || sub.trim() === '' || sub.length > maximumSubjectLength) {
    return { reason: 'token_subject', detail: `sub ${quoted(sub)}` };
  }
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return /[\u0000-\u001f\u007f]/.test(sub) || !sub.isWellFormed()
    ? { reason: 'token_subject', detail: 'sub has control characters' }
    : undefined;
}

/**
 * RFC 7800 §3.1 and RFC 9449 §7: a token bound to a key is worth nothing without proof of the key, and such a proof
 * nothing without a token that is bound. Only `jkt` can be proved here. It doesn't check the proof.
 */
export function checkConfirmation(claims: Claims, scheme: Scheme, route: Route): TokenFault | undefined {
  const fault = (detail: string): TokenFault => ({ reason: 'token_confirmation', detail });
  if (!Object.hasOwn(claims, 'cnf')) {
    if (scheme === 'DPoP') return fault('sent as DPoP, but bound to no key');
    return route.dpop?.mode === 'required' ? fault('the route takes only tokens bound to a key') : undefined;
  }
  if (keyOf(claims) === undefined) return fault(`cnf can't be proved: ${quoted(claims['cnf'])}`);
  return scheme === 'Bearer' ? fault('bound to a key by cnf.jkt, but sent as Bearer') : undefined;
}

/** SHA-256 in base64url (RFC 9449 §6.1). */
const thumbprint = /^[A-Za-z0-9_-]{43}$/;

/** The thumbprint of the key that a token is bound to; undefined where there is none, or something besides it. */
export function keyOf({ cnf }: Claims): string | undefined {
  if (typeof cnf !== 'object' || cnf === null || Object.keys(cnf).join() !== 'jkt') return undefined;
  const jkt = 'jkt' in cnf ? cnf.jkt : undefined;
  return typeof jkt === 'string' && thumbprint.test(jkt) ? jkt : undefined;
}
