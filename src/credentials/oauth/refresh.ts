import * as oauth from 'oauth4webapi';

import type { OauthSettings } from '../../config/configuration.ts';
import type { FetchedMetadata } from '../../authorization-servers/metadata/fetch-metadata.ts';
import type { Fetch } from '../../vocabulary/ports.ts';
import { proofOf } from './client-proof.ts';
import { wordOf } from './discover.ts';
import { factsOf } from './server-facts.ts';
import type { StoredLogin } from './stored-login.ts';
import { tokensIn } from './token-answer.ts';

/**
 * `refused`: the authorization server said that this refresh token, or this client, is good for nothing; asking
 * again is of no use. `failed`: nothing is known of them.
 */
export type Refreshed =
  | { readonly is: 'refreshed'; readonly login: StoredLogin }
  | { readonly is: 'refused'; readonly detail: string }
  | { readonly is: 'failed'; readonly detail: string };

export interface RefreshParts {
  readonly settings: OauthSettings;
  /** Of the login's issuer. */
  readonly metadata: () => Promise<FetchedMetadata>;
  readonly isReachable: (url: string) => boolean;
  readonly fetch: Fetch;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** RFC 6749 §5.2: a fault of the grant or of the client, which time doesn't mend. */
const refusals: ReadonlySet<string> = new Set([
  'invalid_grant',
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
]);

/** One refresh (RFC 6749 §6). A new refresh token takes the place of the old one; where none comes, the old one stays. Never rejects. */
export async function refreshLogin(
  login: StoredLogin & { readonly refreshToken: string },
  signal: AbortSignal,
  { settings, metadata, isReachable, fetch, clock }: RefreshParts,
): Promise<Refreshed> {
  const fetched = await metadata();
  if (!fetched.ok) return { is: 'failed', detail: fetched.detail };
  const facts = factsOf(fetched.metadata, isReachable);
  if (!facts.ok) return { is: 'failed', detail: facts.detail };
  const { server } = facts;
  const client = { client_id: login.client.clientId };
  try {
    const proof = proofOf(login.client, settings, server);
    const response = await oauth.refreshTokenGrantRequest(server, client, proof, login.refreshToken, {
      additionalParameters: { resource: login.resource },
      signal,
      [oauth.customFetch]: (url, init) => fetch(url, init as RequestInit),
      // Which addresses may be asked without TLS was decided with the configuration and is held by `fetch`.
      [oauth.allowInsecureRequests]: true,
    });
    const tokens = tokensIn(await oauth.processRefreshTokenResponse(server, client, response), clock());
    return tokens === undefined
      ? { is: 'failed', detail: `${login.issuer} answered with a token that is no Bearer token` }
      : { is: 'refreshed', login: { ...withoutExpiry(login), ...tokens } };
  } catch (error) {
    if (error instanceof oauth.ResponseBodyError && refusals.has(error.error))
      return { is: 'refused', detail: `${login.issuer} answered ${error.error}` };
    return { is: 'failed', detail: `${login.issuer}: ${wordOf(error)}` };
  }
}

/** The old time says nothing of a new token. */
function withoutExpiry({ expiresAtMs: _old, ...login }: StoredLogin): Omit<StoredLogin, 'expiresAtMs'> {
  return login;
}
