import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { Pool } from 'undici';

import type { SoakWorld } from './world.ts';

/** Memory of the gateway for each byte that someone without a token has sent. */
export interface Amplification {
  /** While 300 peers have sent most of a header and wait. */
  readonly whileOpen: number;
  /** After 3,000 invented tokens were refused. */
  readonly afterwards: number;
}

const peers = 300;
const headerBytes = 12 * 1024;
const inventedTokens = 3_000;
const tokenBytes = 4_000;

export async function measureAmplification(world: SoakWorld): Promise<Amplification> {
  const before = await world.state();
  const sockets = await Promise.all(Array.from({ length: peers }, () => sendUnfinished(world.port)));
  await sleep(1_000);
  const open = await world.state();
  for (const socket of sockets) socket.destroy();
  await sleep(500);
  const closed = await world.state();
  await inventTokens(world.port);
  const afterwards = await world.state();
  return {
    whileOpen: Math.max(0, open.heapBytes - before.heapBytes) / (peers * headerBytes),
    afterwards: Math.max(0, afterwards.heapBytes - closed.heapBytes) / (inventedTokens * tokenBytes),
  };
}

/** A header that lacks its end, over many lines. */
async function sendUnfinished(port: number): Promise<Socket> {
  const lines = Array.from({ length: headerBytes / 128 }, (_, at) => `x-${at}: `.padEnd(126, 'a'));
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await new Promise<void>((resolve) => {
    socket.write(`POST /mcp HTTP/1.1\r\n${lines.join('\r\n')}`, () => resolve());
  });
  return socket;
}

async function inventTokens(port: number): Promise<void> {
  const pool = new Pool(`http://localhost:${port}`, { connections: 10 });
  for (let sent = 0; sent < inventedTokens; sent += 10) {
    await Promise.all(
      Array.from({ length: 10 }, async (_, at) => {
        const authorization = `Bearer ${String(sent + at).padEnd(tokenBytes, 'x')}`;
        const { body } = await pool.request({ method: 'POST', path: '/mcp', headers: { authorization } });
        await body.dump();
      }),
    );
  }
  await pool.destroy();
}
