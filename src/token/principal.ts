import type { AuthorizationServer } from '../config/configuration.ts';
import { claimAt } from '../vocabulary/claim.ts';
import type { Principal } from '../vocabulary/principal.ts';
import type { Claims } from './check-claims.ts';

/** Reads who asks out of claims that were verified. A `sub` that is no text is nobody's: `checkSubject` refuses it. */
export function principalOf(claims: Claims, server: AuthorizationServer): Principal {
  const email = claimAt(claims, server.claims.email);
  const { sub, exp } = claims;
  return Object.freeze({
    issuer: typeof claims['iss'] === 'string' ? claims['iss'] : server.issuers[0],
    subject: typeof sub === 'string' ? sub : '',
    clientId: firstText(claims, server.claims.clientId),
    email: typeof email === 'string' && email !== '' ? email : undefined,
    scopes: grantedScopes(claims, server.claims.scopes),
    claims,
    authorizationServer: server.name,
    expiresAt: typeof exp === 'number' ? exp : undefined,
  });
}

function firstText(claims: Claims, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = claimAt(claims, name);
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

// RFC 6749 §3.3.
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** The granted scopes; none where the claims don't say. */
export function grantedScopes(claims: Claims, names: readonly string[]): readonly string[] {
  return statedScopes(claims, names) ?? noScopes;
}

/**
 * The scopes of the first named claim that is a string or a list, split on spaces (RFC 6749 §3.3; a list is taken item
 * by item); undefined where there is none. What isn't a scope by the grammar is dropped and never an error.
 */
export function statedScopes(claims: Claims, names: readonly string[]): readonly string[] | undefined {
  for (const name of names) {
    const value = claimAt(claims, name);
    const items =
      typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? (value as unknown[]) : undefined;
    if (items === undefined) continue;
    return Object.freeze([
      ...new Set(items.filter((item): item is string => typeof item === 'string' && scopeToken.test(item))),
    ]);
  }
  return undefined;
}

const noScopes: readonly string[] = Object.freeze([]);
