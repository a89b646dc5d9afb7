import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { renderMark } from '../mark.ts';
import { bulkBytes } from './paths.ts';
import type { Callee, StreamGateway } from './world.ts';

export interface Transfer {
  readonly seconds: number;
  /** Most that the gateway's memory grew meanwhile. */
  readonly grownBytes: number;
}

const limitMillis = 120_000;

/**
 * How much does the gateway's memory grow while one client takes everything slowly? What the runtime takes for such an
 * answer at full speed is no matter of slowness and comes first.
 */
export async function measureSlowClient(
  gateway: StreamGateway,
  tell: (line: string) => void,
): Promise<readonly string[]> {
  const fast = await transfer(gateway, 'fast');
  const slow = await transfer(gateway, 'slow');
  const mebibytes = (bytes: number): number => bytes / 2 ** 20;
  for (const [pace, { seconds, grownBytes }] of Object.entries({ fast, slow }))
    tell(
      `${mebibytes(bulkBytes)} MiB through a ${pace} client in ${seconds.toFixed(1)} s: memory grew by ${mebibytes(grownBytes).toFixed(1)} MiB`,
    );
  const value = mebibytes(slow.grownBytes);
  return [
    renderMark({
      title: `memory growth while ${mebibytes(bulkBytes)} MiB go through a slow client`,
      value,
      rounds: [value],
      mark: 32,
      better: 'lower',
      unit: ' MiB',
    }),
  ];
}

/** `fast`: reads all the time. `slow`: a fifth of it, so that the gateway has to hold the upstream back. */
export async function transfer(gateway: StreamGateway, pace: 'fast' | 'slow'): Promise<Transfer> {
  const client = askForBulk(await gateway.callee('/bulk'));
  const { residentBytes: before } = await gateway.state('collected');
  let most = before;
  const startedAt = performance.now();
  for (let pause = 0; !client.isClosed() && performance.now() - startedAt < limitMillis; pause += 1) {
    client.read();
    await sleep(5);
    if (pace === 'slow') client.pause();
    await sleep(20);
    if (pause % 4 === 0) most = Math.max(most, await gateway.residentBytes());
  }
  client.close();
  const bytes = client.received();
  if (bytes < bulkBytes) throw new Error(`${bytes} of ${bulkBytes} bytes came`);
  return { seconds: (performance.now() - startedAt) / 1000, grownBytes: most - before };
}

/** Asks for all of `/bulk` and reads nothing until told to. */
export function askForBulk({ url, token }: Callee) {
  const { hostname, port, pathname, host } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), family: 4 });
  let received = 0;
  socket.on('data', (data: Buffer) => (received += data.length)).pause();
  socket.on('error', () => {});
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
  );
  return {
    read: () => socket.resume(),
    pause: () => socket.pause(),
    close: () => socket.destroy(),
    isClosed: () => socket.closed,
    received: () => received,
  };
}
