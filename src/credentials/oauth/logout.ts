import * as oauth from 'oauth4webapi';

import type { Route } from '../../config/configuration.ts';
import type { RecordName } from '../../state/records/record-store.ts';
import { fetchMetadata } from '../../authorization-servers/metadata/fetch-metadata.ts';
import { proofOf } from './client-proof.ts';
import { reachableFrom } from './configured-fetch.ts';
import type { LoginParts, LoginRequest } from './login.ts';
import { claimed } from './login.ts';
import { factsOf } from './server-facts.ts';
import type { StoredLogin } from './stored-login.ts';
import { loginName, readLogin, registrationName } from './stored-login.ts';

/** `isRevoked`: the authorization server was told, so that the tokens are good for nothing wherever they are. */
export type LoggedOut =
  | { readonly is: 'gone'; readonly isRevoked: boolean }
  | { readonly is: 'absent' }
  | { readonly is: 'unavailable'; readonly detail: string };

export interface LogoutRequest extends Omit<LoginRequest, 'redirectUri'> {
  /** Where the browser comes back to after logins: each was registered as a client of its own. */
  readonly redirectUris: readonly string[];
}

/** Of each of two questions: together shorter than the claim holds. */
const timeoutMs = 5000;

/**
 * Takes the tokens out of the store, after it has asked the authorization server to revoke them (RFC 7009). A refresh that is
 * under way ends first: it would put the login back, with tokens that nobody has revoked. The clients that were registered
 * for logins that come back to `redirectUris` are forgotten: their server may have forgotten them too. Never rejects.
 */
export async function logOut(request: LogoutRequest, parts: LoginParts): Promise<LoggedOut> {
  const name = loginName(request.route, request.person);
  const claim = await claimed(parts.store, name);
  if ('detail' in claim) return { is: 'unavailable', detail: claim.detail };
  try {
    return await takeOut(name, request, parts);
  } finally {
    await claim.release();
  }
}

async function takeOut(
  name: RecordName,
  { route, redirectUris }: LogoutRequest,
  parts: LoginParts,
): Promise<LoggedOut> {
  const reading = await parts.store.read(name);
  if (reading.is === 'unavailable') return reading;
  const login = reading.is === 'read' ? readLogin(reading.text) : undefined;
  const isRevoked = login !== undefined && (await revoke(login, route, parts));
  const removed = await parts.store.remove(name);
  if (removed.is === 'unavailable') return removed;
  if (login?.client.from === 'registration')
    for (const redirectUri of redirectUris)
      await parts.store.remove(registrationName(route, { issuer: login.issuer, redirectUri }));
  return login === undefined ? { is: 'absent' } : { is: 'gone', isRevoked };
}

/** A refresh token takes the access tokens that came of it along. */
async function revoke(login: StoredLogin, route: Route, parts: LoginParts): Promise<boolean> {
  const { settings, fetch } = parts;
  try {
    const fetched = await fetchMetadata({ issuers: [login.issuer], keys: { timeout: timeoutMs } }, fetch);
    if (!fetched.ok) return false;
    const facts = factsOf(fetched.metadata, reachableFrom(route.upstream.url, settings));
    if (!facts.ok || facts.server.revocation_endpoint === undefined) return false;
    const { server } = facts;
    const response = await oauth.revocationRequest(
      server,
      { client_id: login.client.clientId },
      proofOf(login.client, settings, server),
      login.refreshToken ?? login.accessToken,
      {
        signal: AbortSignal.timeout(timeoutMs),
        [oauth.customFetch]: (url, init) => fetch(url, init as RequestInit),
        [oauth.allowInsecureRequests]: true,
      },
    );
    await oauth.processRevocationResponse(response);
    return true;
  } catch {
    return false;
  }
}
