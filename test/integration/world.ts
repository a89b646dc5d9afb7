/** One authorization server, one upstream and the gateway between them: the smallest world of a requirement. */
import { startGateway, type GatewayOptions, type RunningGateway } from '../support/gateway.ts';
import { startIssuer, type Issuer, type IssuerOptions } from '../support/issuer.ts';
import { reserveFreePort } from '../support/loopback.ts';
import { connectRaw } from '../support/raw-client.ts';
import type { RawResponse } from '../support/raw-response.ts';
import {
  startRecordingUpstream,
  type RecordingUpstream,
  type UpstreamOptions,
} from '../support/recording-upstream.ts';

export interface World extends AsyncDisposable {
  readonly issuer: Issuer;
  readonly upstream: RecordingUpstream;
  readonly gateway: RunningGateway;
  /** The resource of the route; `aud` of the issuer's tokens. */
  readonly resource: string;
  /** One request on a connection of its own. */
  ask(request?: Ask): Promise<RawResponse>;
  /** All bytes of requests that reached the upstream: empty when nothing passed. */
  readonly passed: string;
}

export interface Ask {
  /** Default `POST`. */
  readonly method?: string;
  /** Default `/mcp`. */
  readonly target?: string;
  /** Goes out as `Authorization: Bearer …`. */
  readonly token?: string;
  /** Further lines, as they are; a `Host` among them replaces the usual one. */
  readonly headers?: readonly (readonly [string, string])[];
  /** Default for a POST: `toolCall()`. */
  readonly body?: string;
  readonly withinMs?: number;
}

/** Keys of the configuration besides the usual ones, in YAML's flow style: `leeway: 60s, requireExp: false`. */
export interface WorldOptions extends Omit<GatewayOptions, 'port'> {
  readonly issuerOptions?: IssuerOptions;
  readonly upstreamOptions?: UpstreamOptions;
  readonly server?: string;
  readonly path?: string;
  readonly route?: string;
  readonly upstream?: string;
  /** Further keys of the file, in block style. */
  readonly top?: string;
  /** The whole file instead of all that. */
  readonly yaml?: (parts: {
    readonly issuer: Issuer;
    readonly upstream: RecordingUpstream;
    readonly publicUrl: string;
  }) => string;
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const port = await reserveFreePort();
  const path = options.path ?? '/mcp';
  const publicUrl = `http://localhost:${port}`;
  const resource = `${publicUrl}${path}`;
  // RSA keys take a tenth of a second to make.
  const issuer = await startIssuer({ audience: resource, algorithms: ['ES256'], ...options.issuerOptions });
  const upstream = await startRecordingUpstream(options.upstreamOptions);
  const yaml = options.yaml?.({ issuer, upstream, publicUrl }) ?? usualYaml(options, { issuer, upstream });
  const gateway = await startGateway(yaml, { ...options, port });
  return {
    issuer,
    upstream,
    gateway,
    resource,
    ask: (request) => ask(port, { target: path, ...request }),
    get passed() {
      return Buffer.concat(upstream.connections.map(({ bytes }) => bytes)).toString('latin1');
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([gateway.close(), upstream.close(), issuer.close()]);
    },
  };
}

function usualYaml(
  { server, path = '/mcp', route, upstream: more, top = '' }: WorldOptions,
  { issuer, upstream }: { readonly issuer: Issuer; readonly upstream: RecordingUpstream },
): string {
  const also = (keys: string | undefined): string => (keys === undefined ? '' : `, ${keys}`);
  return `${top}
authorizationServers: [{ name: corp, issuer: '${issuer.url}'${also(server)} }]
routes: [{ name: tools, path: '${path}'${also(route)}, upstream: { url: '${upstream.url}'${also(more)} } }]
`;
}

/** One request on a connection of its own, byte for byte as it is said. */
export async function ask(port: number, request: Ask = {}): Promise<RawResponse> {
  await using client = await connectRaw({ port });
  client.send(requestText(port, request));
  // Awaited here: the connection ends with this scope.
  return await client.response({
    withinMs: request.withinMs ?? 10_000,
    ...(request.method === 'HEAD' ? { to: 'HEAD' as const } : {}),
  });
}

export function requestText(port: number, request: Ask = {}): string {
  const { method = 'POST', target = '/mcp', token, headers = [] } = request;
  const text = request.body ?? (method === 'POST' ? toolCall() : undefined);
  // The raw client sends one byte for each character.
  const body = text === undefined ? undefined : Buffer.from(text).toString('latin1');
  const named = (name: string): boolean => headers.some(([given]) => given.toLowerCase() === name);
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(named('host') ? [] : [`Host: localhost:${port}`]),
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...(body === undefined || named('content-type') ? [] : ['Content-Type: application/json']),
    ...(body === undefined || named('content-length') || named('transfer-encoding')
      ? []
      : [`Content-Length: ${body.length}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** A `tools/call`, with an id and a tool of the test's choice. */
export function toolCall(id: number | string = 1, name = 'echo'): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {} } });
}

/** Lets the upstream begin a session of this id; answers what the client is given for it. */
export async function beginSession(
  world: World,
  { id = 'upstream-session', ...request }: Ask & { readonly id?: string } = {},
): Promise<string> {
  world.upstream.answerOnce({ headers: { 'mcp-session-id': id }, body: {} });
  const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: {} });
  const response = await world.ask({ token: world.issuer.token(), body, ...request });
  return only(response, 'mcp-session-id') ?? '';
}

/** The value of one series of an exposition; undefined where there is none. */
export async function metric(gateway: RunningGateway, series: string): Promise<number | undefined> {
  const found = (await exposition(gateway)).find((line) => line.startsWith(`${series} `));
  return found === undefined ? undefined : Number(found.slice(series.length + 1));
}

/** The lines of `/metrics`, comments left out. */
export async function exposition(gateway: RunningGateway): Promise<readonly string[]> {
  const response = await fetch(`${gateway.opsUrl}/metrics`);
  return (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** Only value of a header; undefined where there is none or more than one. */
export function only(response: RawResponse, name: string): string | undefined {
  const values = response.header(name);
  return values.length === 1 ? values[0] : undefined;
}

export function json(response: RawResponse): unknown {
  return JSON.parse(response.body.toString());
}
