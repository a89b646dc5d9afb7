/** A gateway before a recording upstream, with one or more authorization servers, and a client of raw bytes. */
import { startGateway, type GatewayOptions, type RunningGateway } from '../support/gateway.ts';
import { startIssuer, type Issuer, type TokenParts } from '../support/issuer.ts';
import { endQuietly, type Watched } from '../support/invariants.ts';
import { reserveFreePort } from '../support/loopback.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import type { RawResponse } from '../support/raw-response.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';

export interface Ask {
  readonly method?: string;
  readonly target?: string;
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string;
  /** Whole lines, as they are. */
  readonly lines?: readonly string[];
  /** `null`: no body and no `Content-Type`. Default: a `ping` for a POST. */
  readonly body?: string | Buffer | null;
  readonly host?: string;
  readonly contentType?: string;
}

export interface SceneOptions extends GatewayOptions {
  /** The YAML after `authorizationServers`; `$upstream` stands for the upstream's URL, `$port` for the gateway's port. */
  readonly routes?: string;
  /** Default: one issuer without a path. */
  readonly issuers?: readonly Issuer[];
  /** The YAML of `authorizationServers`; default: the issuers by name `as0`, `as1` …. */
  readonly servers?: string;
}

export const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
export const protectedRoute = `routes: [{ name: tools, path: /mcp, scopes: [mcp:use], upstream: '$upstream' }]`;

export class Scene implements Watched, AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly upstream: RecordingUpstream;
  readonly issuers: readonly Issuer[];
  readonly secrets = new Set<string>();
  readonly answers: RawResponse[] = [];
  asked = 0;
  readonly #clock: () => number;
  readonly #startedAt: number;

  constructor(parts: Pick<Scene, 'gateway' | 'upstream' | 'issuers'> & { readonly clock: () => number }) {
    this.#clock = parts.clock;
    this.#startedAt = parts.clock();
    this.gateway = parts.gateway;
    this.upstream = parts.upstream;
    this.issuers = parts.issuers;
  }

  get elapsedMs(): number {
    return this.#clock() - this.#startedAt;
  }

  /** The first issuer. */
  get issuer(): Issuer {
    const [first] = this.issuers;
    if (first === undefined) throw new Error('the scene has no issuer');
    return first;
  }

  /** The URL of a route, which is its resource. */
  resource(path = '/mcp'): string {
    return `${this.gateway.url}${path}`;
  }

  /** Of the first issuer for `/mcp`, valid but for what `parts` changes; remembered as a secret. */
  token(parts: TokenParts = {}, issuer = this.issuer): string {
    const token = issuer.token({ ...parts, claims: { aud: this.resource(), ...parts.claims } });
    this.secrets.add(token);
    return token;
  }

  /** One request over a connection of its own. */
  async ask(ask: Ask = {}): Promise<RawResponse> {
    const client = await this.connect();
    try {
      client.send(this.request(ask));
      return await this.answer(client, ask.method === 'HEAD' ? { to: 'HEAD' } : {});
    } finally {
      // Not awaited: thousands of these would each wait for a socket that nobody needs any more.
      void client.close();
    }
  }

  /** The bytes of a request. */
  request(ask: Ask = {}): Buffer {
    const { method = 'POST', target = '/mcp', host = `localhost:${this.gateway.port}`, token } = ask;
    const body = ask.body === undefined && method === 'POST' ? ping : (ask.body ?? null);
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    if (token !== undefined) this.secrets.add(token);
    const lines = [
      `${method} ${target} HTTP/1.1`,
      `Host: ${host}`,
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
      ...(bytes === null
        ? []
        : [`Content-Type: ${ask.contentType ?? 'application/json'}`, `Content-Length: ${bytes.length}`]),
      ...(ask.lines ?? []),
    ];
    return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes ?? Buffer.alloc(0)]);
  }

  /** The next answer on a connection; counts a request that the gateway could parse. */
  async answer(
    client: RawClient,
    options: { readonly to?: 'HEAD'; readonly withinMs?: number } = {},
  ): Promise<RawResponse> {
    const answer = await client.response(options);
    this.answers.push(answer);
    this.asked += 1;
    return answer;
  }

  /** The answer to bytes that Node's parser refuses: it never becomes a request. */
  async unparsed(bytes: string | Buffer): Promise<{ answer: RawResponse; client: RawClient }> {
    const client = await this.connect();
    client.send(bytes);
    const answer = await client.response();
    this.answers.push(answer);
    return { answer, client };
  }

  connect(): Promise<RawClient> {
    return connectRaw({ port: this.gateway.port });
  }

  async close(): Promise<void> {
    try {
      await endQuietly(this);
    } finally {
      await this.gateway.close();
      await this.#closeOthers();
    }
  }

  async #closeOthers(): Promise<void> {
    await Promise.all([this.upstream.close(), ...this.issuers.map((issuer) => issuer.close())]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export async function startScene(options: SceneOptions = {}): Promise<Scene> {
  const { routes = protectedRoute, issuers = [await startIssuer()], servers, ...others } = options;
  const upstream = await startRecordingUpstream();
  const listed =
    servers ??
    `authorizationServers:\n${issuers.map(({ url }, at) => `  - { name: as${at}, issuer: '${url}' }\n`).join('')}`;
  const port = options.port ?? (await reserveFreePort());
  const yaml = `${listed}\n${routes}`.replaceAll('$upstream', upstream.url).replaceAll('$port', String(port));
  const gateway = await startGateway(yaml, { ...others, port });
  return new Scene({ gateway, upstream, issuers, clock: options.clock ?? Date.now });
}
