import * as oauth from 'oauth4webapi';

import type { Authority } from '../../authorization-servers/authority.ts';
import type { TokenExchange } from '../../config/configuration.ts';
import { describeFailure, readRetryAfter } from '../../authorization-servers/outbound/failed-answer.ts';

export type ExchangeAnswer =
  | {
      readonly ok: true;
      readonly token: string;
      /** Undefined where the server didn't say. */
      readonly lifetimeSeconds: number | undefined;
    }
  | ExchangeFault;

export interface ExchangeFault {
  readonly ok: false;
  /**
   * `denied`: no token for this user. `refused`: the server doesn't take the gateway's own credentials, or doesn't exchange.
   * `failed`: nothing is known.
   */
  readonly fault: 'denied' | 'refused' | 'failed';
  /** For the operator; without anything that the server wrote but a known error code. */
  readonly detail: string;
  /** What the server asked for, bounded. */
  readonly retryAfterSeconds: number | undefined;
}

/** RFC 8693 §2.1 and §3. */
const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const usableTypes: ReadonlySet<unknown> = new Set([
  undefined,
  accessTokenType,
  'urn:ietf:params:oauth:token-type:jwt',
]);

/** RFC 6750 §2.1; what is longer no server takes in a header. */
const bearerToken = /^[A-Za-z0-9\-._~+/]{1,15000}=*$/;

/** One exchange of a client's token for one of the upstream (RFC 8693 §2) at a time-out. It remembers nothing. */
export class ExchangeClient {
  readonly #settings: TokenExchange;
  readonly #authority: Pick<Authority, 'metadata' | 'fetch'>;

  constructor(settings: TokenExchange, authority: Pick<Authority, 'metadata' | 'fetch'>) {
    this.#settings = settings;
    this.#authority = authority;
  }

  /** Never rejects. */
  async exchange(subjectToken: string): Promise<ExchangeAnswer> {
    const metadata = await this.#authority.metadata.get();
    if (!metadata.ok) return failed(metadata.detail);
    const { url: document, members } = metadata.metadata;
    const endpoint = members['token_endpoint'];
    if (typeof endpoint !== 'string' || !URL.canParse(endpoint))
      return failed(`${document} has no token_endpoint`);
    return this.#ask(endpoint, subjectToken);
  }

  async #ask(endpoint: string, subjectToken: string): Promise<ExchangeAnswer> {
    const { authorizationServer, clientId, clientSecret } = this.#settings;
    const timeoutMs = authorizationServer.keys.timeout;
    const server = { issuer: authorizationServer.issuers[0], token_endpoint: endpoint };
    const client = { client_id: clientId };
    const seen: Seen = { endpoint, timeoutMs, signal: AbortSignal.timeout(timeoutMs), response: undefined };
    try {
      const response = await oauth.genericTokenEndpointRequest(
        server,
        client,
        oauth.ClientSecretBasic(clientSecret),
        grantType,
        this.#parameters(subjectToken),
        {
          signal: seen.signal,
          [oauth.customFetch]: async (url, init) => {
            seen.response = await this.#authority.fetch(url, init as RequestInit);
            return seen.response;
          },
          // Which addresses may be asked without TLS was decided with the configuration and is held by `fetch`.
          [oauth.allowInsecureRequests]: true,
        },
      );
      const answer = await oauth.processGenericTokenEndpointResponse(server, client, response);
      return readAnswer(answer, subjectToken, endpoint);
    } catch (error) {
      return faultOf(error, seen);
    }
  }

  #parameters(subjectToken: string): Record<string, string> {
    const { audience, scope } = this.#settings;
    return {
      subject_token: subjectToken,
      subject_token_type: accessTokenType,
      requested_token_type: accessTokenType,
      audience,
      ...(scope === undefined ? {} : { scope }),
    };
  }
}

function readAnswer(
  answer: oauth.TokenEndpointResponse,
  subjectToken: string,
  endpoint: string,
): ExchangeAnswer {
  const { access_token: token, token_type: type, expires_in: lifetimeSeconds } = answer;
  if (type !== 'bearer' || !usableTypes.has(answer['issued_token_type']) || !bearerToken.test(token))
    return failed(`${endpoint} answered with what is no bearer token`);
  // A server that knows no exchange may echo: the upstream must never be shown the client's own token.
  if (token === subjectToken) return failed(`${endpoint} answered with the token that it was given`);
  return { ok: true, token, lifetimeSeconds };
}

/** What is known of a call when it fails. */
interface Seen {
  readonly endpoint: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  response: Response | undefined;
}

/** RFC 6749 §5.2: the client is at fault, or what it asks for isn't offered, whoever the user is. */
const aboutUs: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
]);

/** RFC 6749 §5.2 and RFC 8693 §2.2.2: nothing is given for this token. */
const aboutTheUser: ReadonlySet<string> = new Set([
  'invalid_grant',
  'invalid_request',
  'invalid_target',
  'invalid_scope',
  'access_denied',
]);

function faultOf(error: unknown, { endpoint, timeoutMs, signal, response }: Seen): ExchangeFault {
  if (response !== undefined && response.status !== 200) {
    const { status } = response;
    const retryAfterSeconds = readRetryAfter(response);
    const code = error instanceof oauth.ResponseBodyError ? error.error : undefined;
    if (code !== undefined && aboutTheUser.has(code))
      return { ok: false, fault: 'denied', detail: `${endpoint} answered ${code}`, retryAfterSeconds };
    if (status === 401 || status === 403 || (code !== undefined && aboutUs.has(code)))
      return {
        ok: false,
        fault: 'refused',
        detail: `${endpoint} answered ${code !== undefined && aboutUs.has(code) ? code : status}`,
        retryAfterSeconds,
      };
    return { ...failed(`${endpoint} answered ${status}`), retryAfterSeconds };
  }
  if (signal.aborted) return failed(`${endpoint} didn't answer within ${timeoutMs} ms`);
  if (response !== undefined) return failed(`${endpoint} answered with what is no bearer token`);
  return failed(`${endpoint} ${describeFailure(error)}`);
}

function failed(detail: string): ExchangeFault {
  return { ok: false, fault: 'failed', detail, retryAfterSeconds: undefined };
}
