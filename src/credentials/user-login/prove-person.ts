import * as oauth from 'oauth4webapi';

import type { Authority } from '../../authorization-servers/authority.ts';
import type { LoginClient } from '../../config/configuration.ts';
import { claimAt } from '../../vocabulary/claim.ts';
import { checkReturn, faultOfCode } from '../oauth/browser-return.ts';
import { secretProof } from '../oauth/client-proof.ts';
import { wordOf } from '../oauth/discover.ts';
import type { Proving } from './login-seal.ts';

export interface ProofParts {
  readonly authority: Pick<Authority, 'metadata' | 'fetch' | 'server'>;
  readonly client: LoginClient;
  /** Where the browser comes back to. */
  readonly redirectUri: string;
}

interface ProofFault {
  readonly ok: false;
  readonly why: 'unavailable' | 'failed' | 'declined' | 'answer';
  readonly detail: string;
}

/** Who sits behind the browser: claims of a checked ID token (OpenID Connect Core §3.1.3.7). */
export interface Visitor {
  readonly issuer: string;
  readonly subject: string;
  /** Of the claim that tells who it is; undefined where the token has none. */
  readonly proof: string | undefined;
  /** As they call themselves; proves nothing. */
  readonly name: string;
}

type BegunProof = {
  readonly ok: true;
  readonly url: string;
  readonly secrets: Pick<Proving, 'state' | 'nonce' | 'verifier'>;
};

const timeoutMs = 10_000;

/** Where the browser goes to show who sits behind it, with PKCE, state and nonce. Never rejects. */
export async function beginProof(parts: ProofParts): Promise<BegunProof | ProofFault> {
  const found = await serverOf(parts);
  if (!found.ok) return found;
  const { issuer, authorization_endpoint: start, token_endpoint: end } = found.server;
  if (start === undefined || end === undefined || !isOpenable(start, parts))
    return {
      ok: false,
      why: 'unavailable',
      detail: `${issuer} names no authorization_endpoint and token_endpoint that can be used`,
    };
  const secrets = {
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    verifier: oauth.generateRandomCodeVerifier(),
  };
  const url = new URL(start);
  const parameters = {
    response_type: 'code',
    client_id: parts.client.clientId,
    redirect_uri: parts.redirectUri,
    scope: 'openid profile',
    state: secrets.state,
    nonce: secrets.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(secrets.verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { ok: true, url: url.href, secrets };
}

/** Who came back. The ID token comes from the token endpoint itself, so its signature adds nothing (§3.1.3.7, 6). Never rejects. */
export async function finishProof(
  { state, nonce, verifier }: Pick<Proving, 'state' | 'nonce' | 'verifier'>,
  parameters: URLSearchParams,
  parts: ProofParts,
): Promise<{ readonly ok: true; readonly visitor: Visitor } | ProofFault> {
  const found = await serverOf(parts);
  if (!found.ok) return found;
  const { server } = found;
  const { authority, client } = parts;
  const known = { client_id: client.clientId };
  const checked = checkReturn(parameters, { server, client: known, state });
  if (!checked.ok) return checked;
  try {
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      known,
      secretProof(client.clientSecret, server),
      checked.parameters,
      parts.redirectUri,
      verifier,
      {
        signal: AbortSignal.timeout(timeoutMs),
        [oauth.customFetch]: (url, init) => authority.fetch(url, init as RequestInit),
        // Which addresses may be asked without TLS was decided with the configuration and is held by `fetch`.
        [oauth.allowInsecureRequests]: true,
      },
    );
    const answer = await oauth.processAuthorizationCodeResponse(server, known, response, {
      expectedNonce: nonce,
      requireIdToken: true,
    });
    const claims = oauth.getValidatedIdTokenClaims(answer);
    if (claims === undefined) return { ok: false, why: 'failed', detail: `${server.issuer}: no ID token` };
    return { ok: true, visitor: visitorIn(claims, client) };
  } catch (error) {
    return faultIn(error, server.issuer);
  }
}

type Found = { readonly ok: true; readonly server: oauth.AuthorizationServer } | ProofFault;

async function serverOf({ authority }: ProofParts): Promise<Found> {
  const fetched = await authority.metadata.get();
  return fetched.ok
    ? { ok: true, server: fetched.metadata.members as unknown as oauth.AuthorizationServer }
    : { ok: false, why: 'unavailable', detail: fetched.detail };
}

/** By a person's browser, so over TLS; without it only at an origin that is configured so. */
function isOpenable(address: string, { authority }: ProofParts): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, origin } = new URL(address);
  return (
    protocol === 'https:' ||
    (protocol === 'http:' && authority.server.issuers.some((issuer) => new URL(issuer).origin === origin))
  );
}

function visitorIn(claims: oauth.IDToken, { idTokenClaim }: LoginClient): Visitor {
  const proof = claimAt(claims, idTokenClaim);
  const names = [claims['name'], claims['preferred_username'], claims['email']];
  return {
    issuer: claims.iss,
    subject: claims.sub,
    proof: typeof proof === 'string' && proof !== '' ? proof : undefined,
    name: names.find((name): name is string => typeof name === 'string' && name !== '') ?? claims.sub,
  };
}

function faultIn(error: unknown, issuer: string): ProofFault {
  const refused = faultOfCode(error, issuer);
  if (refused !== undefined) return refused;
  if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError)
    return { ok: false, why: 'failed', detail: `${issuer}: ${error.message}` };
  return { ok: false, why: 'unavailable', detail: `${issuer}: ${wordOf(error)}` };
}
