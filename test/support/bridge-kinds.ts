/** The real bridges, each in the modes that docs/guides/bridges.md describes, before server-everything. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export type BridgeKind =
  | 'supergateway 3 stateful'
  | 'supergateway 3 stateless'
  | 'supergateway 3 sse'
  | 'supergateway 4 stateful'
  | 'supergateway 4 stateless'
  | 'supergateway 4 sse'
  | 'mcp-proxy stream'
  | 'mcp-proxy sse'
  | 'everything streamableHttp'
  | 'everything sse';

/** How a kind is started, and how it shows that it serves. */
export interface BridgeCommand {
  /** Arguments of Node. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The MCP endpoint. */
  readonly path: string;
  readonly readyPath: string;
  readonly readyStatus: number;
}

/** What the guide tells an operator to write besides server and port. */
export const bridgeFlags = {
  'supergateway 3 stateful': ['--outputTransport', 'streamableHttp', '--stateful'],
  'supergateway 3 stateless': ['--outputTransport', 'streamableHttp'],
  'supergateway 3 sse': ['--outputTransport', 'sse'],
  'supergateway 4 stateful': ['--outputTransport', 'streamableHttp', '--stateful'],
  'supergateway 4 stateless': ['--outputTransport', 'streamableHttp'],
  'supergateway 4 sse': ['--outputTransport', 'sse'],
  'mcp-proxy stream': ['--server', 'stream'],
  'mcp-proxy sse': ['--server', 'sse'],
  'everything streamableHttp': ['streamableHttp'],
  'everything sse': ['sse'],
} as const satisfies Readonly<Record<BridgeKind, readonly string[]>>;

const find = createRequire(import.meta.url).resolve;

/** What runs behind a bridge: server-everything, one that speaks 2026-07-28, or one that checks who asks. */
export type StdioServer = 'everything' | 'modern' | 'signed';

export function bridgeCommand(kind: BridgeKind, port: number, server: StdioServer): BridgeCommand {
  const stdio = server === 'everything' ? [everythingServer(), 'stdio'] : [own[server]];
  const path = kind.endsWith('sse') ? '/sse' : '/mcp';
  const [program] = kind.split(' ');
  if (program === 'supergateway') return { ...supergateway(kind, port, stdio), path };
  return { ...(program === 'mcp-proxy' ? mcpProxy(kind, port, stdio) : everything(kind, port)), path };
}

type Command = Omit<BridgeCommand, 'path'>;

function supergateway(kind: BridgeKind, port: number, stdio: readonly string[]): Command {
  const program = kind.startsWith('supergateway 4') ? 'supergateway4' : 'supergateway';
  const args = [
    find(`${program}/dist/index.js`),
    '--stdio',
    // Without `exec` the shell would be the bridge's child, and ending it would leave the server behind.
    `exec ${[process.execPath, ...stdio].map((word) => `'${word}'`).join(' ')}`,
    ...bridgeFlags[kind],
    '--port',
    String(port),
    '--healthEndpoint',
    '/healthz',
    '--logLevel',
    'none',
  ];
  return { args, env: {}, readyPath: '/healthz', readyStatus: 200 };
}

function mcpProxy(kind: BridgeKind, port: number, stdio: readonly string[]): Command {
  const entry = find('mcp-proxy').replace(/dist\/.*$/, 'dist/bin/mcp-proxy.mjs');
  const args = [entry, ...bridgeFlags[kind], '--port', String(port), '--', process.execPath, ...stdio];
  return { args, env: {}, readyPath: '/ping', readyStatus: 200 };
}

/** It has no health endpoint: the answer to a GET without a session shows that it serves. */
function everything(kind: BridgeKind, port: number): Command {
  const isSse = kind.endsWith('sse');
  return {
    args: [everythingServer(), ...bridgeFlags[kind]],
    env: { PORT: String(port) },
    readyPath: isSse ? '/sse' : '/mcp',
    readyStatus: isSse ? 200 : 400,
  };
}

function everythingServer(): string {
  return find('@modelcontextprotocol/server-everything/dist/index.js');
}

const own = {
  modern: fileURLToPath(new URL('modern-stdio.ts', import.meta.url)),
  signed: fileURLToPath(new URL('signed-stdio.ts', import.meta.url)),
};
