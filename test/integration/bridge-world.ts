/** A real bridge, the gateway before it, and SDK clients of both majors that hold a token already. */
import {
  Client as ClientV2,
  SSEClientTransport as SseV2,
  StreamableHTTPClientTransport as StreamableV2,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { startBridge, type Bridge } from '../support/bridge.ts';
import type { BridgeKind, StdioServer } from '../support/bridge-kinds.ts';
import { recordExchanges, type ExchangeRecord } from '../support/exchange-record.ts';
import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { startRelay, type Relay } from '../support/relay.ts';

export interface BridgeWorld extends AsyncDisposable {
  readonly kind: BridgeKind;
  readonly bridge: Bridge;
  /** Between gateway and bridge. */
  readonly relay: Relay;
  readonly gateway: RunningGateway;
  readonly issuer: Issuer;
  /** Of the route: `/team/legacy/sse` for a legacy bridge, else `/mcp`. */
  readonly path: string;
  readonly url: string;
  close(): Promise<void>;
}

export interface BridgeClient extends AsyncDisposable {
  readonly client: Client;
  readonly transport: StreamableHTTPClientTransport | SSEClientTransport;
  /** What it asked over HTTP, as `POST /mcp 200`. */
  readonly record: ExchangeRecord;
  /** Requests of the server's that it answered, by method. */
  readonly answered: readonly string[];
  close(): Promise<void>;
}

export interface BridgeWorldOptions {
  /** Behind the bridge; default server-everything. */
  readonly server?: StdioServer;
  /** Further keys of `upstream`, in YAML's flow style. */
  readonly upstream?: string;
  /** Further keys of the route, likewise. */
  readonly route?: string;
}

export async function startBridgeWorld(
  kind: BridgeKind,
  { server = 'everything', upstream: more, route }: BridgeWorldOptions = {},
): Promise<BridgeWorld> {
  const isLegacy = kind.endsWith('sse');
  const path = isLegacy ? '/team/legacy/sse' : '/mcp';
  const [bridge, issuer] = await Promise.all([
    startBridge({ kind, server }),
    startIssuer({ audience: 'bridges', algorithms: ['ES256'] }),
  ]);
  const { port, pathname } = new URL(bridge.url);
  const relay = await startRelay(Number(port));
  // Only server-everything itself keeps its legacy sessions apart.
  const shared = kind === 'everything sse' ? 'isolated' : 'accept-risk';
  const legacy = isLegacy ? `, transport: sse, sharedProcess: ${shared}` : '';
  const upstream = `{ url: 'http://localhost:${relay.port}${pathname}'${legacy}${more === undefined ? '' : `, ${more}`} }`;
  const gateway = await startGateway(`
authorizationServers: [{ name: corp, issuer: '${issuer.url}', audiences: [bridges] }]
routes: [{ name: bridge, path: '${path}'${route === undefined ? '' : `, ${route}`}, upstream: ${upstream} }]
`);
  const close = async (): Promise<void> => {
    await gateway.close();
    await Promise.all([relay[Symbol.asyncDispose](), bridge.close(), issuer.close()]);
  };
  const url = `${gateway.url}${path}`;
  return { kind, bridge, relay, gateway, issuer, path, url, close, [Symbol.asyncDispose]: close };
}

/** A client of SDK v1 that samples and elicits. It ends its session where the bridge has sessions. */
export async function connectToBridge(world: BridgeWorld, subject = 'ada'): Promise<BridgeClient> {
  const record = recordExchanges(world.gateway.url);
  const headers = { authorization: `Bearer ${world.issuer.token({ claims: { sub: subject } })}` };
  const url = new URL(world.url);
  const options = { requestInit: { headers }, fetch: record.fetch };
  const transport = world.kind.endsWith('sse')
    ? new SSEClientTransport(url, options)
    : new StreamableHTTPClientTransport(url, options);
  const client = new Client(
    { name: 'bridge-contract', version: '1.0.0' },
    { capabilities: { sampling: {}, elicitation: {} } },
  );
  const answered: string[] = [];
  client.setRequestHandler(CreateMessageRequestSchema, ({ method }) => {
    answered.push(method);
    return { model: 'scripted', role: 'assistant', content: { type: 'text', text: 'sampled here' } };
  });
  client.setRequestHandler(ElicitRequestSchema, ({ method }) => {
    answered.push(method);
    return { action: 'accept', content: { name: 'Ada', check: true } };
  });
  await client.connect(transport as Transport);
  const close = (): Promise<void> => client.close();
  return { client, transport, record, answered, close, [Symbol.asyncDispose]: close };
}

/** A client of SDK v2, in its legacy era unless `mode` says another. */
export async function connectV2ToBridge(
  world: BridgeWorld,
  mode: VersionNegotiationMode = 'legacy',
): Promise<ClientV2> {
  const url = new URL(world.url);
  const options = { requestInit: { headers: { authorization: `Bearer ${world.issuer.token()}` } } };
  const client = new ClientV2(
    { name: 'bridge-contract', version: '2.0.0' },
    { versionNegotiation: { mode } },
  );
  await client.connect(world.kind.endsWith('sse') ? new SseV2(url, options) : new StreamableV2(url, options));
  return client;
}

export const echo = (message: string): { name: string; arguments: Record<string, unknown> } => ({
  name: 'echo',
  arguments: { message },
});

/** Takes that long and tells its progress step by step. */
export const slowly = (seconds: number, steps = 3): { name: string; arguments: Record<string, unknown> } => ({
  name: 'trigger-long-running-operation',
  arguments: { duration: seconds, steps },
});

/** All the text of a result. */
export function textOf(result: unknown): string {
  const { content } = result as { readonly content: readonly { readonly text?: string }[] };
  return content.map(({ text = '' }) => text).join('\n');
}

export function sessionIdOf({ transport }: BridgeClient): string {
  return 'sessionId' in transport ? (transport.sessionId ?? '') : '';
}

/** Path and query that the gateway's stream has named to a legacy client, which keeps them to itself. */
export function endpointOf({ transport }: BridgeClient): string {
  const { pathname, search } = Reflect.get(transport, '_endpoint') as URL;
  return `${pathname}${search}`;
}
