import type { Route } from '../config/configuration.ts';
import { principalOf } from '../token/principal.ts';
import { readStrictJson } from '../vocabulary/strict-json.ts';
import type { Principal } from '../vocabulary/principal.ts';

/**
 * Who asks by claims that nobody signed, as if a token with them had held: for questions about rules alone. Or what
 * is wrong with the claims.
 */
export function claimedPrincipal(text: string, { name, authorizationServers }: Route): Principal | string {
  const read = readStrictJson(Buffer.from(text));
  const claims = read.ok ? read.value : undefined;
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims))
    return 'the claims are no object of JSON';
  const { iss, sub } = claims as Readonly<Record<string, unknown>>;
  if (typeof sub !== 'string' || sub === '') return 'the claims have no sub, which every token has';
  const server = authorizationServers.find(
    ({ issuers }) => iss === undefined || issuers.some((issuer) => issuer === iss),
  );
  const known = authorizationServers.flatMap(({ issuers }) => issuers).join(', ');
  if (server === undefined) return `iss of the claims is none of the issuers of route ${name}: ${known}`;
  return principalOf(claims as Readonly<Record<string, unknown>>, server);
}
