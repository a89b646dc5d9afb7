import type { Identity } from '../config/configuration.ts';
import { claimAt } from '../vocabulary/claim.ts';
import type { Principal } from '../vocabulary/principal.ts';
import { encodeItem, encodeValue } from './encode.ts';
import { subjectOf } from './subject.ts';

export type IdentityHeaders =
  | { readonly ok: true; readonly headers: readonly string[] }
  /** `claim` can't be put into a header. */
  | { readonly ok: false; readonly claim: string };

/**
 * The headers that tell the upstream who asks: name, value, name, value …. A claim that the token doesn't have
 * gives no header, but for the subject's. One that can't be carried as exactly one value refuses the whole request.
 */
export function identityHeaders(principal: Principal, identity: Identity): IdentityHeaders {
  const { subject, issuer, client, scopes, email } = identity.headers;
  const who = subjectOf(principal, identity);
  if (subject !== undefined && who === undefined) return { ok: false, claim: identity.subject ?? 'sub' };
  const fields: readonly (readonly [string | undefined, string, unknown])[] = [
    [subject, identity.subject ?? 'sub', who],
    [issuer, 'iss', principal.issuer],
    [client, 'client', principal.clientId],
    [scopes, 'scope', principal.scopes.join(' ')],
    [email, 'email', principal.email],
    ...identity.claims.map(({ header, claim }) => [header, claim, claimAt(principal.claims, claim)] as const),
  ];
  const headers: string[] = [];
  for (const [header, claim, value] of fields) {
    if (header === undefined || value === undefined || value === null || value === '') continue;
    const encoded = encodeClaim(value);
    if (encoded === undefined) return { ok: false, claim };
    if (encoded !== '') headers.push(header, encoded);
  }
  return { ok: true, headers };
}

/** Texts, numbers, booleans, and lists of texts; anything else has no one reading. */
function encodeClaim(value: unknown): string | undefined {
  if (typeof value === 'string') return encodeValue(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (!Array.isArray(value)) return undefined;
  const items = value.map((item: unknown) =>
    typeof item === 'string' && item !== '' ? encodeItem(item, ',') : undefined,
  );
  return items.includes(undefined) ? undefined : items.join(',');
}
