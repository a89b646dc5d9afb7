import type { Server as HttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One spelling of the host everywhere: issuers and resources are compared byte for byte. */
export const host = 'localhost';

/** Listens on 127.0.0.1 and answers the port; `port` 0 takes a free one. */
export async function listenOnLoopback(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** Ports of one test worker: two that ask at one moment never hold the same one. */
const portsPerWorker = 1_500;
const workerAt = (Number(process.env['VITEST_POOL_ID'] ?? 0) % 8) * portsPerWorker;
let nextPort = Math.floor(Math.random() * portsPerWorker);

/** A port that was free a moment ago. Below the ephemeral range: there another process could be given it meanwhile. */
export async function reserveFreePort(): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    nextPort = (nextPort + 1) % portsPerWorker;
    const port = 20_000 + workerAt + nextPort;
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, () => resolve(true));
    });
    if (!free) continue;
    await new Promise<void>((resolve) => probe.close(() => resolve()));
    return port;
  }
  throw new Error('no free port between 20000 and 32000');
}

/** Closes the server and every connection to it. */
export async function closeServer(server: HttpServer): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** Polls `holds` until it is true; the error says what was waited for. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 5_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await sleep(10);
  }
}

/** Rejects with a sentence when `promise` takes longer; leaves no timer behind. */
export async function within<T>(promise: Promise<T>, withinMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${withinMs} ms`)), withinMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
