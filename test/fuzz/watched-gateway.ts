import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';

import { loadConfiguration } from '../../src/config/load.ts';
import { createGateway } from '../../src/gateway.ts';
import { startIssuer } from '../support/issuer.ts';
import { closeServer, host, listenOnLoopback, reserveFreePort } from '../support/loopback.ts';

/** A request that came to the upstream. */
export interface Arrival {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingMessage['headersDistinct'];
}

/** The whole gateway in this process, with what is behind it in sight. It keeps nothing of what was: it may run for an hour. */
export interface WatchedGateway extends AsyncDisposable {
  readonly port: number;
  /** Good for `/mcp`, as that subject; the same one each time. */
  readonly tokenOf: (subject: string) => string;
  /** Since the last call. */
  takeArrivals(): readonly Arrival[];
  /** Lines of the log about defects, since the last call. */
  takeDefects(): readonly string[];
}

/** Behind `/mcp` and `/guarded` is the upstream, at a path of its own each; `/guarded` needs a scope that no token has. */
export async function startWatchedGateway(): Promise<WatchedGateway> {
  await using starting = new AsyncDisposableStack();
  const issuer = starting.use(await startIssuer({ algorithms: ['ES256'] }));
  let arrivals: Arrival[] = [];
  const upstream = createServer((request, response) => {
    const { method = '', url: target = '', headersDistinct: headers } = request;
    arrivals.push({ method, target, headers });
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end('{"jsonrpc":"2.0","id":1,"result":{}}');
    });
  });
  const upstreamUrl = `http://${host}:${await listenOnLoopback(upstream)}`;
  starting.defer(() => closeServer(upstream));
  const [port, opsPort] = [await reserveFreePort(), await reserveFreePort()];
  const audience = `http://${host}:${port}/mcp`;
  const loaded = loadConfiguration(
    `publicUrl: http://${host}:${port}
listen: { host: 127.0.0.1, port: ${port} }
ops: { host: 127.0.0.1, port: ${opsPort} }
authorizationServers: [{ issuer: '${issuer.url}', audiences: ['${audience}'] }]
routes:
  - { path: /mcp, upstream: '${upstreamUrl}/mcp' }
  - { path: /guarded, scopes: [never], upstream: '${upstreamUrl}/guarded' }
`,
    { file: 'fuzz.yaml', environment: {}, readFile: () => '' },
  );
  if (!loaded.ok) throw new Error(`the configuration has faults: ${JSON.stringify(loaded.faults)}`);
  let defects: string[] = [];
  const gateway = createGateway(loaded.configuration, {
    logSink: { write: (text) => void (text.includes('"defect') && defects.push(text)) },
    auditSink: { write: () => {} },
  });
  starting.defer(() => gateway.close());
  await gateway.start();
  await gateway.ready;
  const inAnHour = Math.floor(Date.now() / 1000) + 7 * 3600;
  const tokens = new Map<string, string>();
  const parts = starting.move();
  return {
    port,
    tokenOf(subject) {
      const token =
        tokens.get(subject) ?? issuer.token({ claims: { sub: subject, aud: audience, exp: inAnHour } });
      tokens.set(subject, token);
      return token;
    },
    takeArrivals() {
      const taken = arrivals;
      arrivals = [];
      return taken;
    },
    takeDefects() {
      const taken = defects;
      defects = [];
      return taken;
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
