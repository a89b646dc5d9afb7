import * as oauth from 'oauth4webapi';

import type { AuthorizationServer, IntrospectionSettings } from '../../config/configuration.ts';
import type { Fetch } from '../../vocabulary/ports.ts';
import { readStrictJson } from '../../vocabulary/strict-json.ts';
import { boundedBody } from '../outbound/bounded-body.ts';
import { clientAuthenticationOf } from './client-authentication.ts';
import type { ServerMetadata } from '../metadata/metadata.ts';
import { describeFailure, readRetryAfter } from '../outbound/failed-answer.ts';

export type IntrospectionAnswer =
  | { readonly ok: true; readonly active: boolean; readonly claims: Readonly<Record<string, unknown>> }
  | IntrospectionFault;

/** No answer about the token. It says nothing of the token, so that it must never become a 401. */
export interface IntrospectionFault {
  readonly ok: false;
  /** `refused`: the server doesn't take the gateway's own credentials; only the operator can mend that. */
  readonly fault: 'failed' | 'refused';
  /** For the operator; without anything that the server wrote, which could repeat the token. */
  readonly detail: string;
  /** What the server asked for, bounded. */
  readonly retryAfterSeconds: number | undefined;
}

export interface IntrospectionPorts {
  readonly metadata: Pick<ServerMetadata, 'get'>;
  /** The server's own: guarded, bounded, trusting its certificates alone. */
  readonly fetch: Fetch;
}

/** Real answers are a token's claims; 64 KiB leaves room for many groups. */
const maximumAnswerBytes = 64 * 1024;

/** One call of an introspection endpoint (RFC 7662 §2) at a time-out. It remembers nothing and judges nothing. */
export class IntrospectionClient {
  readonly #server: AuthorizationServer;
  readonly #settings: IntrospectionSettings;
  readonly #ports: IntrospectionPorts;
  readonly #authentication: oauth.ClientAuth;

  constructor(server: AuthorizationServer, settings: IntrospectionSettings, ports: IntrospectionPorts) {
    this.#server = server;
    this.#settings = settings;
    this.#ports = ports;
    this.#authentication = clientAuthenticationOf(settings.authentication);
  }

  /** Never rejects. */
  async ask(token: string): Promise<IntrospectionAnswer> {
    const endpoint = await this.#endpoint();
    if (!endpoint.ok) return endpoint;
    const { url } = endpoint;
    const server = { issuer: this.#server.issuers[0], introspection_endpoint: url };
    const client = { client_id: this.#settings.clientId };
    const signal = AbortSignal.timeout(this.#server.keys.timeout);
    const seen: Seen = { url, signal, timeoutMs: this.#server.keys.timeout, response: undefined };
    try {
      const response = await oauth.introspectionRequest(server, client, this.#authentication, token, {
        additionalParameters: { token_type_hint: 'access_token' },
        signal,
        [oauth.customFetch]: (address, init) => this.#fetch(address, init, seen),
        // Which addresses may be asked without TLS was decided with the configuration and is held by `fetch`.
        [oauth.allowInsecureRequests]: true,
      });
      const { active, ...claims } = await oauth.processIntrospectionResponse(server, client, response);
      return { ok: true, active, claims: Object.freeze(claims) };
    } catch (error) {
      return faultOf(error, seen);
    }
  }

  async #endpoint(): Promise<{ readonly ok: true; readonly url: string } | IntrospectionFault> {
    const { endpoint } = this.#settings;
    if (endpoint !== undefined) return { ok: true, url: endpoint };
    const answer = await this.#ports.metadata.get();
    if (!answer.ok) return failed(answer.detail);
    const { url, members } = answer.metadata;
    const learned = members['introspection_endpoint'];
    return typeof learned === 'string' && URL.canParse(learned)
      ? { ok: true, url: learned }
      : failed(`${url} has no introspection_endpoint`);
  }

  async #fetch(
    url: string,
    init: oauth.CustomFetchOptions<'POST', URLSearchParams>,
    seen: Seen,
  ): Promise<Response> {
    const response = await this.#ports.fetch(url, init as RequestInit);
    seen.response = response;
    const bounded = boundedBody(response, maximumAnswerBytes);
    return response.status === 200 ? readAnswer(bounded) : bounded;
  }
}

/** What is known of a call when it fails. */
interface Seen {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  response: Response | undefined;
}

/** An answer that isn't what RFC 7662 §2.2 describes; its message says how. */
class UnusableAnswer extends Error {
  override readonly name = 'UnusableAnswer';
}

/** Parsers that disagree about a member that occurs twice would disagree about `active`. */
async function readAnswer(response: Response): Promise<Response> {
  const type = (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    await response.body?.cancel();
    throw new UnusableAnswer(
      type === 'application/token-introspection+jwt'
        ? 'answered with a signed response (RFC 9701), which is not taken'
        : 'answered with something else than application/json',
    );
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  const read = readStrictJson(Buffer.from(bytes));
  if (!read.ok) throw new UnusableAnswer(`answered what is no usable JSON (${read.fault})`);
  return new Response(bytes, { headers: { 'content-type': 'application/json' } });
}

/** Error codes of RFC 6749 §5.2 that speak of the client, not of the token. */
const clientErrors: ReadonlySet<string> = new Set(['invalid_client', 'unauthorized_client']);

function faultOf(error: unknown, { url, signal, timeoutMs, response }: Seen): IntrospectionFault {
  if (response !== undefined && response.status !== 200) {
    const { status } = response;
    const speaksOfUs = error instanceof oauth.ResponseBodyError && clientErrors.has(error.error);
    const retryAfterSeconds = readRetryAfter(response);
    if (status === 401 || status === 403 || speaksOfUs)
      return {
        ok: false,
        fault: 'refused',
        detail: `${url} answered ${status}: it doesn't take the gateway's own credentials`,
        retryAfterSeconds,
      };
    return { ...failed(`${url} answered ${status}`), retryAfterSeconds };
  }
  if (signal.aborted) return failed(`${url} didn't answer within ${timeoutMs} ms`);
  if (error instanceof oauth.OperationProcessingError)
    return failed(`${url} answered without a boolean active`);
  return failed(`${url} ${describeFailure(error)}`);
}

function failed(detail: string): IntrospectionFault {
  return { ok: false, fault: 'failed', detail, retryAfterSeconds: undefined };
}
