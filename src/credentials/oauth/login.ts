import { setTimeout as sleep } from 'node:timers/promises';

import * as oauth from 'oauth4webapi';

import type { OauthSettings, Route } from '../../config/configuration.ts';
import { fetchMetadata } from '../../authorization-servers/metadata/fetch-metadata.ts';
import { deadlineIn } from '../../authorization-servers/outbound/fetch-document.ts';
import type { RecordName, RecordStore } from '../../state/records/record-store.ts';
import type { Fetch } from '../../vocabulary/ports.ts';
import type { ReturnFault } from './browser-return.ts';
import { checkReturn, faultOfCode } from './browser-return.ts';
import { proofOf } from './client-proof.ts';
import { reachableFrom } from './configured-fetch.ts';
import type { LoginFault } from './discover.ts';
import { discoverUpstream, wordOf } from './discover.ts';
import { clientFor } from './login-client.ts';
import { factsOf } from './server-facts.ts';
import type { OauthClient, Person, StoredLogin } from './stored-login.ts';
import { loginName } from './stored-login.ts';
import { tokensIn } from './token-answer.ts';

export interface LoginParts {
  readonly settings: OauthSettings;
  readonly store: RecordStore;
  /** Of `openConfiguredFetch`. */
  readonly fetch: Fetch;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export interface LoginRequest {
  /** Of the tenant, where it has several. */
  readonly route: Route;
  /** Whose login it will be; undefined with `scope: shared`. */
  readonly person: Person | undefined;
  /** Where the browser comes back to. */
  readonly redirectUri: string;
}

/**
 * A login that waits for the person. Plain data for the caller to keep, bound to the browser it was given to and
 * used once; it holds the code verifier, and must not be shown to anyone.
 */
export interface PendingLogin {
  /** Where the person logs in. */
  readonly url: string;
  /** What has to come back with the code. */
  readonly state: string;
  readonly name: RecordName;
  readonly upstream: string;
  readonly resource: string;
  readonly scopes: readonly string[];
  readonly redirectUri: string;
  readonly verifier: string;
  readonly client: OauthClient;
  /** What the second half has to know of it. */
  readonly server: oauth.AuthorizationServer;
}

export type Begun = { readonly ok: true; readonly pending: PendingLogin } | LoginFault;

/** All calls until the person has an address to open. */
const beginWithinMs = 20_000;

const finishWithinMs = 10_000;

/** A refresh may be under way. */
const waitForClaimMs = 12_000;

/**
 * The first half of a login: how the upstream wants it (RFC 9728), at which of the allowed authorization servers, as
 * which client. It changes nothing but that a client may have been registered. Never rejects.
 */
export async function beginLogin(
  { route, person, redirectUri }: LoginRequest,
  parts: LoginParts,
): Promise<Begun> {
  const { settings, fetch } = parts;
  const deadline = deadlineIn(beginWithinMs);
  const discovered = await discoverUpstream(route, { settings, fetch, deadline });
  if (!discovered.ok) return discovered;
  const { issuer, resource } = discovered.upstream;
  const fetched = await fetchMetadata({ issuers: [issuer], keys: { timeout: finishWithinMs } }, fetch);
  if (!fetched.ok) return { ok: false, detail: fetched.detail };
  const facts = factsOf(fetched.metadata, reachableFrom(route.upstream.url, settings));
  if (!facts.ok) return facts;
  const { server } = facts;
  const fault = faultOfServer(server);
  if (fault !== undefined) return { ok: false, detail: fault };
  const chosen = await clientFor(route, { server, redirectUri }, { ...parts, signal: deadline.signal });
  if (!chosen.ok) return chosen;
  const verifier = oauth.generateRandomCodeVerifier();
  const challenge = await oauth.calculatePKCECodeChallenge(verifier);
  const pending: Omit<PendingLogin, 'url'> = {
    state: oauth.generateRandomState(),
    name: loginName(route, person),
    upstream: route.upstream.url,
    resource,
    scopes: settings.scopes ?? withOfflineAccess(discovered.upstream.scopes ?? [], server),
    redirectUri,
    verifier,
    client: chosen.client,
    server: neededOf(server),
  };
  return { ok: true, pending: { ...pending, url: authorizationUrl(pending, server, challenge) } };
}

/** The second half: `parameters` as the browser brought them back. Old tokens stay until the new ones are kept. Never rejects. */
export async function finishLogin(
  pending: PendingLogin,
  parameters: URLSearchParams,
  { settings, store, fetch, clock }: LoginParts,
): Promise<{ readonly ok: true; readonly login: StoredLogin } | ReturnFault> {
  const { server, client, resource, state } = pending;
  const known = { client_id: client.clientId };
  const checked = checkReturn(parameters, { server, client: known, state });
  if (!checked.ok) return checked;
  const claim = await claimed(store, pending.name);
  if ('detail' in claim) return failed(claim.detail);
  try {
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      known,
      proofOf(client, settings, server),
      checked.parameters,
      pending.redirectUri,
      pending.verifier,
      {
        additionalParameters: { resource },
        signal: AbortSignal.timeout(finishWithinMs),
        [oauth.customFetch]: (url, init) => fetch(url, init as RequestInit),
        // Which addresses may be asked without TLS was decided with the configuration and is held by `fetch`.
        [oauth.allowInsecureRequests]: true,
      },
    );
    const tokens = tokensIn(await oauth.processAuthorizationCodeResponse(server, known, response), clock());
    if (tokens === undefined) return failed(`${server.issuer} answered with a token that is no Bearer token`);
    const login: StoredLogin = {
      upstream: pending.upstream,
      issuer: server.issuer,
      resource,
      client,
      ...tokens,
    };
    const kept = await store.write(pending.name, JSON.stringify(login));
    return kept.is === 'kept' ? { ok: true, login } : failed(kept.detail);
  } catch (error) {
    return faultOfCode(error, server.issuer) ?? failed(`${server.issuer}: ${faultIn(error)}`);
  } finally {
    await claim.release();
  }
}

/** MCP authorization: without S256 a stolen code is a stolen login. */
function faultOfServer(server: oauth.AuthorizationServer): string | undefined {
  const { issuer, authorization_endpoint: start, token_endpoint: end } = server;
  if (start === undefined || end === undefined)
    return `${issuer} names no authorization_endpoint or no token_endpoint`;
  return server.code_challenge_methods_supported?.includes('S256') === true
    ? undefined
    : `${issuer} doesn't say that it knows PKCE with S256, without which no login is safe`;
}

/** Where a server has this scope, it gives refresh tokens for nothing else. */
function withOfflineAccess(
  scopes: readonly string[],
  { scopes_supported: supported }: oauth.AuthorizationServer,
): readonly string[] {
  return supported?.includes('offline_access') === true && !scopes.includes('offline_access')
    ? [...scopes, 'offline_access']
    : scopes;
}

/** Metadata is kilobytes; a login that waits may have to fit into a cookie. */
function neededOf(server: oauth.AuthorizationServer): oauth.AuthorizationServer {
  const needed = [
    'issuer',
    'token_endpoint',
    'token_endpoint_auth_methods_supported',
    'authorization_response_iss_parameter_supported',
    'id_token_signing_alg_values_supported',
  ] as const;
  const members = needed.flatMap((name) =>
    server[name] === undefined ? [] : [[name, server[name]] as const],
  );
  return Object.fromEntries(members) as unknown as oauth.AuthorizationServer;
}

function authorizationUrl(
  pending: Omit<PendingLogin, 'url'>,
  server: oauth.AuthorizationServer,
  challenge: string,
): string {
  const url = new URL(server.authorization_endpoint ?? '');
  const parameters = {
    response_type: 'code',
    client_id: pending.client.clientId,
    redirect_uri: pending.redirectUri,
    state: pending.state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    resource: pending.resource,
    ...(pending.scopes.length === 0 ? {} : { scope: pending.scopes.join(' ') }),
    // OpenID Connect Core §11: without it the scope is ignored.
    ...(pending.scopes.includes('offline_access') ? { prompt: 'consent' } : {}),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** The claim of a login, for at most 12 s; waits as long for whoever works on it. */
export async function claimed(
  store: RecordStore,
  name: RecordName,
): Promise<{ readonly release: () => Promise<void> } | LoginFault> {
  const tries = waitForClaimMs / 200;
  for (let tried = 0; tried < tries; tried += 1) {
    const claim = await store.claim(name, waitForClaimMs);
    if (claim.is === 'held') return claim;
    if (claim.is === 'unavailable') return { ok: false, detail: claim.detail };
    await sleep(200);
  }
  return { ok: false, detail: 'another process works on this login' };
}

function failed(detail: string): ReturnFault {
  return { ok: false, why: 'failed', detail };
}

function faultIn(error: unknown): string {
  if (error instanceof oauth.OperationProcessingError)
    return 'what came back is not the answer to this login';
  return wordOf(error);
}
