import { fileURLToPath } from 'node:url';
import { bridgeCommand, type BridgeKind, type StdioServer } from './bridge-kinds.ts';
import { startChild, type Child } from './child-process.ts';
import { host, reserveFreePort } from './loopback.ts';
import { readReport, type ReceivedRequest } from './request-report.ts';

/** A real stdio MCP server (server-everything) behind a real bridge, or in its own HTTP modes. */
export interface Bridge extends AsyncDisposable {
  readonly url: string;
  /** The one that runs now, or ran last. */
  readonly child: Child;
  /** The requests that reached the bridge, with their headers, before a restart too. */
  readonly requests: readonly ReceivedRequest[];
  close(): Promise<void>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Kills it and starts it anew at the same port: it has forgotten every session. */
  restart(): Promise<void>;
}

export interface BridgeOptions {
  /** Default `supergateway 3 stateful`: one stdio child per session. */
  readonly kind?: BridgeKind;
  /** Default `everything`; of no use to server-everything's own HTTP modes. */
  readonly server?: StdioServer;
  readonly port?: number;
  /** Variables for the bridge and its server, besides the kind's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Half a second on an idle machine; far more on one that runs all tests at once. */
const startsWithinMs = 40_000;

const preloads = ['loopback-only.ts', 'report-requests.ts'].flatMap((file) => [
  '--import',
  fileURLToPath(new URL(file, import.meta.url)),
]);

export async function startBridge(options: BridgeOptions = {}): Promise<Bridge> {
  const { kind = 'supergateway 3 stateful', port = await reserveFreePort() } = options;
  const { args, env, path, readyPath, readyStatus } = bridgeCommand(
    kind,
    port,
    options.server ?? 'everything',
  );
  const origin = `http://${host}:${port}`;
  const start = (): Promise<Child> =>
    startChild({
      name: kind,
      args: [...preloads, ...args],
      env: { ...env, ...options.env },
      readyUrl: `${origin}${readyPath}`,
      readyStatus,
      withinMs: startsWithinMs,
    });
  const children = [await start()];
  const current = (): Child => children.at(-1) as Child;
  const close = (): Promise<void> => current().close();
  return {
    url: `${origin}${path}`,
    get child() {
      return current();
    },
    get requests() {
      return children
        .flatMap(({ output }) => output)
        .flatMap(readReport)
        .filter(({ target }) => target !== readyPath || readyPath === path);
    },
    close,
    kill: () => current().kill(),
    async restart() {
      await current().kill();
      children.push(await start());
    },
    [Symbol.asyncDispose]: close,
  };
}
