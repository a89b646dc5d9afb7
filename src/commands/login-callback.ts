import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where a browser comes back to after a login. */
export interface LoginCallback {
  readonly redirectUri: string;
  /**
   * What the browser brought that came with this state, or undefined after `limitMs`. Whoever comes with another state
   * belongs to no login of ours, or to somebody else's, and is sent away; the wait goes on.
   */
  wait(state: string, limitMs: number): Promise<URLSearchParams | undefined>;
  close(): void;
}

/** Native applications take a loopback address, never a name that could lead elsewhere (RFC 8252 §7.3, §8.3). */
const loopback = '127.0.0.1';
const callbackPath = '/callback';

/** Where a login of this machine comes back to. */
export function callbackAt(port: number): string {
  return `http://${loopback}:${port}${callbackPath}`;
}

/** Listens for the one request; port 0 takes a free one. Rejects as `listen` does. */
export async function openLoginCallback(port: number): Promise<LoginCallback> {
  let take: (url: URL) => boolean = () => false;
  const server = createServer((request, response) => answer(request, response, (url) => take(url)));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, loopback, resolve);
  });
  const redirectUri = callbackAt((server.address() as AddressInfo).port);
  return {
    redirectUri,
    async wait(state, limitMs) {
      const { promise, resolve } = Promise.withResolvers<URLSearchParams | undefined>();
      const limit = setTimeout(() => resolve(undefined), limitMs);
      take = ({ searchParams }) => {
        const states = searchParams.getAll('state');
        if (states.length !== 1 || states[0] !== state) return false;
        resolve(searchParams);
        return true;
      };
      const parameters = await promise;
      clearTimeout(limit);
      take = () => false;
      return parameters;
    },
    close() {
      server.close();
      server.closeIdleConnections();
      // Browsers open connections for later and keep them.
      setTimeout(() => server.closeAllConnections(), 500).unref();
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, take: (url: URL) => boolean): void {
  const url = URL.canParse(request.url ?? '', 'http://callback')
    ? new URL(request.url ?? '', 'http://callback')
    : undefined;
  const isCallback = request.method === 'GET' && url?.pathname === callbackPath;
  const [status, text] = !isCallback
    ? [404, 'There is nothing here.']
    : take(url)
      ? [200, 'You can close this page. The terminal says what came of the login.']
      : [400, 'This belongs to no login that waits here.'];
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  response.end(`${text}\n`);
}
