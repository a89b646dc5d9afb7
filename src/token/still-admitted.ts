import type { FastifyRequest } from 'fastify';

import type { Route } from '../config/configuration.ts';
import { checkScopes } from './check-scopes.ts';
import { readCredentials } from './credentials.ts';
import type { VerifierParts } from './verify-access-token.ts';
import { verifyAccessToken } from './verify-access-token.ts';

/**
 * Whether the token that a stream was opened with would be let onto the route as it is now: its key is published, its
 * authorization server, where it is asked, still calls it active, and its scopes suffice. Its expiry is left to the
 * stream's own grace. A server that can't be asked says nothing against it. Nothing is kept for this with a request:
 * the token is read again from its headers.
 */
export async function isStillAdmitted(
  { raw }: Pick<FastifyRequest, 'raw'>,
  route: Route,
  parts: VerifierParts,
): Promise<boolean> {
  const credentials = readCredentials(raw.rawHeaders, route.dpop);
  if (!credentials.ok) return false;
  const { token, scheme } = credentials;
  const verdict = await verifyAccessToken({ token, scheme, connection: raw.socket }, route, parts);
  if (verdict.ok) return checkScopes(verdict.principal, route) === undefined;
  const { kind, reason } = verdict.refusal;
  return kind !== 'token-invalid' || reason === 'token_expired';
}
