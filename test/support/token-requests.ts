import * as oauth from 'oauth4webapi';
import { signIn } from './sign-in.ts';

export interface TokenRequest {
  /** RFC 8707: what the token is for. */
  readonly resource: string;
  /** Space separated; default `mcp:use`. */
  readonly scope?: string;
  /** Binds the token to the key of this handle (RFC 9449). */
  readonly DPoP?: oauth.DPoPHandle;
}

/** A client that is nobody but itself. */
export interface MachineClient {
  readonly id: string;
  readonly secret: string;
}

/** Loopback issuers have no TLS. */
const insecure = { [oauth.allowInsecureRequests]: true };
const redirectUri = 'http://localhost/callback';

/** The authorization code flow with a client registered for this one login. */
export async function tokenByLogin(
  issuer: string,
  request: TokenRequest & { readonly account: string },
): Promise<string> {
  const server = await discover(issuer);
  const client = await oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(
      server,
      { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none', application_type: 'native' },
      insecure,
    ),
  );
  const verifier = oauth.generateRandomCodeVerifier();
  const authorization = new URL(server.authorization_endpoint ?? '');
  authorization.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: 'code',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    resource: request.resource,
    scope: request.scope ?? 'mcp:use',
  }).toString();
  const back = await signIn(authorization, request.account);
  const parameters = oauth.validateAuthResponse(server, client, back, oauth.expectNoState);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    parameters,
    redirectUri,
    verifier,
    { ...insecure, additionalParameters: { resource: request.resource } },
  );
  return (await oauth.processAuthorizationCodeResponse(server, client, response)).access_token;
}

/** By client credentials (RFC 6749 §4.4). */
export async function tokenForClient(
  issuer: string,
  machine: MachineClient,
  request: TokenRequest,
): Promise<string> {
  const server = await discover(issuer);
  const client = { client_id: machine.id };
  const parameters = { resource: request.resource, scope: request.scope ?? 'mcp:use' };
  const response = await oauth.clientCredentialsGrantRequest(
    server,
    client,
    oauth.ClientSecretBasic(machine.secret),
    parameters,
    { ...insecure, ...(request.DPoP && { DPoP: request.DPoP }) },
  );
  return (await oauth.processClientCredentialsResponse(server, client, response)).access_token;
}

async function discover(issuer: string): Promise<oauth.AuthorizationServer> {
  const identifier = new URL(issuer);
  const response = await oauth.discoveryRequest(identifier, { ...insecure, algorithm: 'oauth2' });
  const document = (await response.json()) as oauth.AuthorizationServer;
  // Compared as text: a URL object would add a slash to an issuer without a path.
  if (document.issuer !== issuer) throw new Error(`the metadata of ${issuer} names ${document.issuer}`);
  return document;
}
