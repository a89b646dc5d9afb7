import { randomUUID } from 'node:crypto';
import type {
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';

/**
 * An OAuth client of the SDKs (both major versions) whose person logs in by script. It keeps what one client
 * keeps: registration, tokens, code verifier, and where the authorization server sent it back to.
 * `logIn` is the person with the browser: given the authorization request, it answers the redirect back.
 */
export class ScriptedLogin {
  readonly redirectUrl = 'http://localhost/callback';
  readonly clientMetadata = {
    client_name: 'scripted client',
    redirect_uris: [this.redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  readonly #logIn: (authorizationUrl: URL) => Promise<URL>;
  #callback: URL | undefined;
  #state: string | undefined;
  #client: StoredOAuthClientInformation | undefined;
  #tokens: StoredOAuthTokens | undefined;
  #discovery: OAuthDiscoveryState | undefined;
  #verifier = '';

  constructor(logIn: (authorizationUrl: URL) => Promise<URL>) {
    this.#logIn = logIn;
  }

  /** Parameters of the redirect back to the client, once the person has logged in. */
  get callback(): URLSearchParams {
    if (this.#callback === undefined) throw new Error('the client never sent anyone to a login');
    if (this.#callback.searchParams.get('state') !== this.#state)
      throw new Error('the state came back changed');
    return this.#callback.searchParams;
  }

  get accessToken(): string {
    if (this.#tokens === undefined) throw new Error('there is no token yet');
    return this.#tokens.access_token;
  }

  state(): string {
    this.#state = randomUUID();
    return this.#state;
  }

  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.#client;
  }

  saveClientInformation(client: StoredOAuthClientInformation): void {
    this.#client = client;
  }

  tokens(): StoredOAuthTokens | undefined {
    return this.#tokens;
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.#tokens = tokens;
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovery;
  }

  saveDiscoveryState(discovery: OAuthDiscoveryState): void {
    this.#discovery = discovery;
  }

  codeVerifier(): string {
    return this.#verifier;
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }

  async redirectToAuthorization(authorizationUrl: URL): Promise<void> {
    this.#callback = await this.#logIn(authorizationUrl);
  }
}
