import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** How often connections are looked at whose last answer may have ended. */
const sweepIntervalMs = 50;

/** After the calls that outlived the drain were answered, their bytes get this long to leave. */
export const farewellMs = 250;

/** Ends a server and its connections: within the time for calls in flight, and a little for their last bytes. */
export type StopServer = (drainMs: number) => Promise<void>;

/**
 * Follows the connections of a server so that it can end. Node's own close waits for every connection, those on which
 * nothing was ever asked included, and without a limit: one silent peer would keep the process alive.
 */
export function followConnections(server: Server): StopServer {
  const silent = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', (request) => silent.delete(request.socket));
  return async (drainMs) => {
    const closed = Promise.withResolvers<void>();
    // It fails only where it never listened.
    server.close(() => closed.resolve());
    for (const socket of silent) socket.destroy();
    const sweep = setInterval(() => server.closeIdleConnections(), sweepIntervalMs);
    const limit = setTimeout(() => server.closeAllConnections(), drainMs + farewellMs);
    await closed.promise;
    clearInterval(sweep);
    clearTimeout(limit);
  };
}
