import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { startChild, type Child } from './child-process.ts';
import { host, reserveFreePort } from './loopback.ts';
import { readReport, type ReceivedRequest } from './request-report.ts';

/** A real stdio MCP server (server-everything) behind a real bridge (supergateway, Streamable HTTP). */
export interface Bridge extends AsyncDisposable {
  readonly url: string;
  readonly child: Child;
  /** The requests that reached the bridge, with their headers. */
  readonly requests: readonly ReceivedRequest[];
  close(): Promise<void>;
}

export interface BridgeOptions {
  /** `stateful` (default): one stdio child per session. `stateless`: one per request, no GET. */
  readonly sessions?: 'stateful' | 'stateless';
  readonly port?: number;
}

const health = '/healthz';
const find = createRequire(import.meta.url).resolve;
const preloads = ['loopback-only.ts', 'report-requests.ts'].flatMap((file) => [
  '--import',
  fileURLToPath(new URL(file, import.meta.url)),
]);

export async function startBridge(options: BridgeOptions = {}): Promise<Bridge> {
  const port = options.port ?? (await reserveFreePort());
  const everything = find('@modelcontextprotocol/server-everything/dist/index.js');
  const child = await startChild({
    name: 'supergateway',
    args: [
      ...preloads,
      find('supergateway/dist/index.js'),
      '--stdio',
      // Without `exec` the shell would be the bridge's child, and ending it would leave the server behind.
      `exec '${process.execPath}' '${everything}' stdio`,
      '--outputTransport',
      'streamableHttp',
      ...(options.sessions === 'stateless' ? [] : ['--stateful']),
      '--port',
      String(port),
      '--healthEndpoint',
      health,
      '--logLevel',
      'none',
    ],
    readyUrl: `http://${host}:${port}${health}`,
  });
  const close = (): Promise<void> => child.close();
  return {
    url: `http://${host}:${port}/mcp`,
    child,
    get requests() {
      return child.output.flatMap(readReport).filter((request) => request.target !== health);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
