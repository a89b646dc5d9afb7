import { connect } from 'node:net';

import type { Route } from '../config/configuration.ts';

/** Whether something listens where the upstream should be; undefined if so, else why not. Sends no byte. */
export async function probeUpstream(route: Route): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(route.upstream.url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect({ host, port: Number(port || (protocol === 'https:' ? 443 : 80)) });
  socket.setTimeout(route.upstream.timeouts.connect, () => resolve('ETIMEDOUT'));
  socket.once('connect', () => resolve(undefined));
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
