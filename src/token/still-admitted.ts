import type { Route } from '../config/configuration.ts';
import { checkScopes } from './check-scopes.ts';
import type { Presentation, VerifierParts } from './verify-access-token.ts';
import { verifyAccessToken } from './verify-access-token.ts';

/**
 * Whether the token that a stream was opened with would still be let onto the route: its key is published, its
 * authorization server, where it is asked, still calls it active, and its scopes suffice. Its expiry is left to the
 * stream's own grace. A server that can't be asked says nothing against it.
 */
export async function isStillAdmitted(
  presentation: Presentation,
  route: Route,
  parts: VerifierParts,
): Promise<boolean> {
  const verdict = await verifyAccessToken(presentation, route, parts);
  if (verdict.ok) return checkScopes(verdict.principal, route) === undefined;
  const { kind, reason } = verdict.refusal;
  return kind !== 'token-invalid' || reason === 'token_expired';
}
