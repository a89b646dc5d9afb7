import * as oauth from 'oauth4webapi';

import type { OauthSettings, Route } from '../../config/configuration.ts';
import type { RecordStore } from '../../state/records/record-store.ts';
import type { Fetch } from '../../vocabulary/ports.ts';
import type { LoginFault } from './discover.ts';
import { wordOf } from './discover.ts';
import type { OauthClient, RegisteredClient } from './stored-login.ts';
import { readRegisteredClient, registrationName } from './stored-login.ts';

export interface ClientParts {
  readonly settings: OauthSettings;
  readonly store: RecordStore;
  readonly fetch: Fetch;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly signal: AbortSignal;
}

type Chosen = { readonly ok: true; readonly client: OauthClient } | LoginFault;

/** A secret that ends within the login is of no use for it. */
const secretMarginMs = 600_000;

/**
 * Who the gateway is at an authorization server: the configured client, else its metadata document where the server
 * takes one, else the client that it registered before, else a new registration (RFC 7591).
 */
export async function clientFor(
  route: Route,
  { server, redirectUri }: { readonly server: oauth.AuthorizationServer; readonly redirectUri: string },
  parts: ClientParts,
): Promise<Chosen> {
  const { clientId, clientMetadataUrl } = parts.settings;
  if (clientId !== undefined) return { ok: true, client: { from: 'configuration', clientId } };
  if (clientMetadataUrl !== undefined && server['client_id_metadata_document_supported'] === true)
    return { ok: true, client: { from: 'metadata-document', clientId: clientMetadataUrl } };
  const name = registrationName(route, { issuer: server.issuer, redirectUri });
  const reading = await parts.store.read(name);
  if (reading.is === 'unavailable') return { ok: false, detail: reading.detail };
  const before = reading.is === 'read' ? readRegisteredClient(reading.text) : undefined;
  if (before !== undefined && (before.secretExpiresAtMs ?? Infinity) - parts.clock() > secretMarginMs)
    return { ok: true, client: asClient(before) };
  const registered = await register(server, redirectUri, parts);
  if ('detail' in registered) return registered;
  const kept = await parts.store.write(name, JSON.stringify(registered));
  return kept.is === 'kept' ? { ok: true, client: asClient(registered) } : { ok: false, detail: kept.detail };
}

function asClient({ clientId, clientSecret }: RegisteredClient): OauthClient {
  return { from: 'registration', clientId, ...(clientSecret === undefined ? {} : { clientSecret }) };
}

async function register(
  server: oauth.AuthorizationServer,
  redirectUri: string,
  { fetch, signal }: ClientParts,
): Promise<RegisteredClient | LoginFault> {
  if (server.registration_endpoint === undefined)
    return {
      ok: false,
      detail: `${server.issuer} registers no clients: register one there, with the redirect URI ${redirectUri}, and configure its clientId`,
    };
  try {
    const response = await oauth.dynamicClientRegistrationRequest(
      server,
      {
        client_name: 'Portcullis',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: methodAt(server),
        application_type: redirectUri.startsWith('http://127.0.0.1') ? 'native' : 'web',
      },
      {
        signal,
        [oauth.customFetch]: (url, init) => fetch(url, init as RequestInit),
        [oauth.allowInsecureRequests]: true,
      },
    );
    const answer = await oauth.processDynamicClientRegistrationResponse(response);
    const { client_id: clientId, client_secret: clientSecret } = answer;
    const seconds = answer['client_secret_expires_at'];
    return {
      clientId,
      ...(typeof clientSecret === 'string' ? { clientSecret } : {}),
      ...(typeof seconds === 'number' && seconds > 0 ? { secretExpiresAtMs: seconds * 1000 } : {}),
    };
  } catch (error) {
    const said = error instanceof oauth.ResponseBodyError ? errorCode(error.error) : wordOf(error);
    return { ok: false, detail: `${server.issuer} doesn't register the gateway as a client: ${said}` };
  }
}

/** A secret would protect nothing that isn't in the token store beside it. */
function methodAt({ token_endpoint_auth_methods_supported: methods }: oauth.AuthorizationServer): string {
  if (methods?.includes('none') === true) return 'none';
  return methods === undefined || methods.includes('client_secret_basic') || methods.length === 0
    ? 'client_secret_basic'
    : 'client_secret_post';
}

/** RFC 6749 §5.2; what else a server writes there isn't repeated. */
export function errorCode(error: string): string {
  return /^[A-Za-z0-9_.-]{1,60}$/.test(error) ? error : 'an error';
}
