import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Dispatcher } from 'undici';
import { Connections, type SentOnce } from './connections.ts';

/** Answers are given by the test. */
let waiting: ServerResponse[];
let sockets: Set<Socket>;
let opened: number;
let connections: Connections;
const server = createServer((_request, response) => void waiting.push(response));
server.on('connection', (socket) => {
  opened += 1;
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
});

beforeEach(async () => {
  waiting = [];
  sockets = new Set();
  opened = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  connections = new Connections(new URL(`http://127.0.0.1:${port}`), { keepAliveTimeout: 60_000 });
});

afterEach(async () => {
  await connections.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

class Asked implements SentOnce {
  ended: 'complete' | Error | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #left = false;

  get sent(): boolean {
    return this.#controller !== undefined;
  }

  leave(): void {
    this.#left = true;
    this.#controller?.abort(new Error('left'));
  }
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#left) this.leave();
  }
  onResponseEnd(): void {
    this.ended = 'complete';
  }
  onResponseError(_controller: unknown, error: Error): void {
    this.ended = error;
  }
}

function ask(): Asked {
  const asked = new Asked();
  connections.dispatch({ method: 'POST', path: '/', body: '{}' }, asked);
  return asked;
}

// Whoever calls it awaits it.
// oxlint-disable-next-line vitest/require-awaited-expect-poll
const soon = <T>(value: () => T) => expect.poll(value, { timeout: 5_000 });

/** All that were asked are with the server. */
async function arrived(count: number): Promise<void> {
  await soon(() => waiting.length).toBe(count);
}

function answer(): void {
  for (const response of waiting.splice(0)) response.end('{}');
}

it('takes the same connection again for one request after the other', async () => {
  for (let count = 0; count < 5; count += 1) {
    const asked = ask();
    await arrived(1);
    answer();
    await soon(() => asked.ended).toBe('complete');
    await soon(() => connections.free).toBe(1);
  }
  expect([connections.size, sockets.size]).toEqual([1, 1]);
});

it('never puts two requests on one connection, and keeps those that became free', async () => {
  const all = [ask(), ask(), ask()];
  await arrived(3);
  expect([connections.size, connections.free, sockets.size]).toEqual([3, 0, 3]);
  answer();
  await soon(() => all.map(({ ended }) => ended)).toEqual(['complete', 'complete', 'complete']);
  await soon(() => connections.free).toBe(3);
  ask();
  await arrived(1);
  expect([connections.size, connections.free, sockets.size]).toEqual([3, 2, 3]);
});

it('forgets a connection that the server closes, whether free or in use', async () => {
  const [first, second] = [ask(), ask()];
  await arrived(2);
  waiting.shift()?.end('{}');
  await soon(() => connections.free).toBe(1);
  for (const socket of sockets) socket.destroy();
  await soon(() => connections.size).toBe(0);
  expect([first.ended, second.ended].filter((ended) => ended instanceof Error)).toHaveLength(1);
  ask();
  await soon(() => waiting.length).toBe(2);
  expect([connections.size, connections.free]).toEqual([1, 0]);
});

it('forgets the connection of a request that left, and opens none in its place', async () => {
  ask().leave();
  await soon(() => opened).toBe(1);
  await soon(() => connections.size).toBe(0);
  const late = ask();
  await arrived(1);
  late.leave();
  await soon(() => connections.size).toBe(0);
  await soon(() => sockets.size).toBe(0);
  await sleep(100);
  expect(opened).toBe(2);
});

it('forgets a connection that was refused, and the request learns of it', async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const asked = ask();
  await soon(() => asked.ended).toMatchObject({ code: 'ECONNREFUSED' });
  await soon(() => connections.size).toBe(0);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

it('stays in order when a hundred requests come and go in no order', async () => {
  const all = Array.from({ length: 100 }, ask);
  await arrived(100);
  for (const [at, asked] of all.entries()) if (at % 3 === 0) asked.leave();
  for (const [at, response] of waiting.splice(0).entries()) if (at % 2 === 0) response.end('{}');
  for (const asked of all) if (asked.ended === undefined) asked.leave();
  await soon(() => connections.free === connections.size).toBe(true);
  const more = Array.from({ length: 50 }, ask);
  await arrived(50);
  answer();
  await soon(() => more.every(({ ended }) => ended === 'complete')).toBe(true);
  await soon(() => [connections.free, sockets.size].every((count) => count === connections.size)).toBe(true);
});

it('ends what is under way and what comes later when it is destroyed', async () => {
  const running = ask();
  await arrived(1);
  await connections.destroy();
  await soon(() => running.ended).toBeInstanceOf(Error);
  expect(ask().ended).toMatchObject({ code: 'UND_ERR_DESTROYED' });
  await soon(() => sockets.size).toBe(0);
});
