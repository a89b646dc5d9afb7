/** A TCP relay that waits for what it leads to: behind it a restart is a broken connection, not an outage. */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenOnLoopback } from './loopback.ts';

export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** All bytes that were sent to the other side so far, as text. */
  readonly sent: string;
}

/** How often it knocks: two minutes in all, longer than any test waits. */
const knocks = 1_200;
const pauseMs = 100;

export async function startRelay(target: number): Promise<Relay> {
  const sent: Buffer[] = [];
  const open = new Set<Socket>();
  const server = createServer((near) => {
    open.add(near);
    near.once('close', () => open.delete(near)).on('error', () => near.destroy());
    void reach(target, near).then((far) => {
      if (far === undefined) return near.destroy();
      open.add(far);
      far.once('close', () => {
        open.delete(far);
        near.destroy();
      });
      near.once('close', () => far.destroy());
      near.on('data', (chunk: Buffer) => sent.push(chunk));
      near.pipe(far).pipe(near);
      return far;
    });
  });
  const port = await listenOnLoopback(server);
  return {
    port,
    get sent() {
      return Buffer.concat(sent).toString('latin1');
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A connection, as soon as somebody listens; none when the near side left. */
async function reach(port: number, near: Socket): Promise<Socket | undefined> {
  for (let tries = 0; tries < knocks && !near.destroyed; tries += 1) {
    const far = connect({ port, host: '127.0.0.1' });
    const connected = await new Promise<boolean>((resolve) => {
      far.once('connect', () => resolve(true));
      far.once('error', () => resolve(false));
    });
    if (connected) return far.on('error', () => far.destroy());
    await sleep(pauseMs);
  }
  return undefined;
}
