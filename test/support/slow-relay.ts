/** A TCP relay on which answers take as long as the test says; questions pass at once. */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenOnLoopback } from './loopback.ts';

export interface SlowRelay extends AsyncDisposable {
  readonly port: number;
  /** How many milliseconds the next bytes from the far side wait here. In order: nothing overtakes. */
  delayMs: () => number;
  /** Connections so far. */
  readonly connections: number;
}

export async function startSlowRelay(target: number): Promise<SlowRelay> {
  const open = new Set<Socket>();
  let connections = 0;
  const keep = (socket: Socket, other: () => Socket | undefined): void => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      open.delete(socket);
      other()?.destroy();
    });
  };
  const server = createServer((near) => {
    connections += 1;
    const far = connect({ port: target, host: '127.0.0.1' });
    keep(near, () => far);
    keep(far, () => near);
    near.pipe(far);
    let before = Promise.resolve();
    far.on('data', (chunk: Buffer) => {
      const arrival = sleep(relay.delayMs(), undefined, { ref: false });
      before = Promise.all([before, arrival]).then(() => void near.write(chunk));
    });
  });
  const port = await listenOnLoopback(server);
  const relay: SlowRelay = {
    port,
    delayMs: () => 0,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return relay;
}
