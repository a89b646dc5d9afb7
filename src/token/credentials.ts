import type { Dpop } from '../config/configuration.ts';
import type { Refusal } from '../vocabulary/refusal.ts';

/** RFC 6750 and RFC 9449 §7.1. */
export type Scheme = 'Bearer' | 'DPoP';

export type Credentials =
  | { readonly ok: true; readonly token: string; readonly scheme: Scheme }
  | { readonly ok: false; readonly refusal: Refusal };

// RFC 6750 §2.1: b64token. RFC 9110 §11.4: exactly one space after the scheme, which is case-insensitive.
const bearer = /^bearer ([A-Za-z0-9\-._~+/]+=*)$/i;
const bound = /^dpop ([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * Takes the token out of the raw header lines; on a route with DPoP under either scheme. It counts the lines itself: Node keeps the first of
 * several `Authorization` lines and drops the others without a word. Nothing else is looked at: a token in the
 * query or in a body isn't a credential (RFC 6750 §2.2 and §2.3 aren't offered). `known`: a token that this function has
 * answered before; where it comes again, its thousand characters aren't looked at again.
 */
export function readCredentials(rawHeaders: readonly string[], dpop?: Dpop, known?: string): Credentials {
  let authorization: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length !== 13 || name.toLowerCase() !== 'authorization') continue;
    if (authorization !== undefined) return severalHeaders;
    authorization = rawHeaders[index + 1] ?? '';
  }
  if (authorization === undefined) return noCredentials;
  if (known !== undefined && isBearerOf(known, authorization))
    return { ok: true, token: known, scheme: 'Bearer' };
  const token = bearer.exec(authorization)?.[1];
  if (token !== undefined) return { ok: true, token, scheme: 'Bearer' };
  if (dpop !== undefined && /^dpop(?:[^a-z0-9-]|$)/i.test(authorization)) {
    const boundToken = bound.exec(authorization)?.[1];
    return boundToken === undefined ? malformedCredentials : { ok: true, token: boundToken, scheme: 'DPoP' };
  }
  return /^bearer(?:[^a-z0-9-]|$)/i.test(authorization) ? malformedCredentials : otherScheme;
}

function isBearerOf(token: string, authorization: string): boolean {
  return (
    authorization.length === prefix.length + token.length &&
    authorization.startsWith(prefix) &&
    authorization.endsWith(token)
  );
}

/** As nearly every client spells it. */
const prefix = 'Bearer ';

const severalHeaders: Credentials = {
  ok: false,
  refusal: { kind: 'credentials-ambiguous', reason: 'several_authorization_headers' },
};
const noCredentials: Credentials = {
  ok: false,
  refusal: { kind: 'credentials-missing', reason: 'no_credentials' },
};
const malformedCredentials: Credentials = {
  ok: false,
  refusal: {
    kind: 'credentials-missing',
    reason: 'malformed_credentials',
    detail: 'Authorization has no single token after its scheme',
  },
};
const otherScheme: Credentials = {
  ok: false,
  refusal: {
    kind: 'credentials-missing',
    reason: 'other_scheme',
    detail: 'Authorization has a scheme that the route does not take',
  },
};
