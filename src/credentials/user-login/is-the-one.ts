import type { LoginClient } from '../../config/configuration.ts';
import type { LoginLink } from './login-seal.ts';
import type { Visitor } from './prove-person.ts';

/**
 * Whether the visitor is whom the link is for: both are of one configured server, and have the same value where the
 * configuration looks for it. With `sub`, which another issuer of the server may give to somebody else, the issuer has to
 * be the same too (OpenID Connect Core §5.7).
 */
export function isTheOne(
  { issuer, proof }: Pick<Visitor, 'issuer' | 'proof'>,
  { person, proof: expected }: Pick<LoginLink, 'person' | 'proof'>,
  { idTokenClaim, accessTokenClaim }: Pick<LoginClient, 'idTokenClaim' | 'accessTokenClaim'>,
): boolean {
  const isOfAnyIssuer = idTokenClaim !== 'sub' && accessTokenClaim !== 'sub';
  return proof === expected && (isOfAnyIssuer || issuer === person.issuer);
}
