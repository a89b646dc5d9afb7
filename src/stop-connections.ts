import type { Socket } from 'node:net';

import type { FastifyInstance } from 'fastify';

/** How often connections are looked at whose last answer may have ended. */
const sweepIntervalMs = 50;

/** After the calls that outlived the drain were answered, their bytes get this long to leave. */
const farewellMs = 250;

/**
 * Ends the connections of a server that stops. Node's own close waits for every connection, those on which
 * nothing was ever asked included, and without a limit: one silent peer would keep the process alive.
 */
export function stopConnections(app: FastifyInstance, drainMs: number): void {
  const silent = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  app.server.on('request', (request) => silent.delete(request.socket));
  let sweep: NodeJS.Timeout | undefined;
  let limit: NodeJS.Timeout | undefined;
  app.addHook('preClose', (done) => {
    for (const socket of silent) socket.destroy();
    sweep = setInterval(() => app.server.closeIdleConnections(), sweepIntervalMs);
    limit = setTimeout(() => app.server.closeAllConnections(), drainMs + farewellMs);
    done();
  });
  app.addHook('onClose', (_app, done) => {
    clearInterval(sweep);
    clearTimeout(limit);
    done();
  });
}
