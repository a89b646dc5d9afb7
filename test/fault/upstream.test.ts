/** Upstreams that are silent, slow, broken or gone (fault catalogue D-001, D-002). */
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../attack/answers.ts';
import { startScene, type Scene } from '../attack/scene.ts';
import { EventStream } from '../support/event-stream.ts';
import { mark } from '../support/invariants.ts';
import { eventually, listenOnLoopback } from '../support/loopback.ts';

let scene: Scene;
let token: string;
/** A server that does to each connection what the test says. */
let behave: (socket: Socket) => void = () => {};
const sockets = new Set<Socket>();
const hostile = createServer((socket) => {
  sockets.add(socket);
  socket.on('error', () => {});
  socket.on('close', () => sockets.delete(socket));
  socket.once('data', () => behave(socket));
});

beforeAll(async () => {
  const port = await listenOnLoopback(hostile as never);
  scene = await startScene({
    routes: `routes:
  - { name: tools, path: /mcp, scopes: [mcp:use], default: true, upstream: { url: '$upstream', timeouts: { headers: 1s } } }
  - { name: hostile, path: /hostile, upstream: { url: 'http://localhost:${port}/mcp', timeouts: { headers: 1s } } }
  - { name: handshake, path: /handshake, upstream: { url: 'https://localhost:${port}/mcp', timeouts: { connect: 500ms } } }`,
  });
  const aud = ['/mcp', '/hostile', '/handshake'].map((path) => scene.resource(path));
  token = scene.token({ key: 'ES256', claims: { aud } });
});

afterAll(async () => {
  await scene.close();
  for (const socket of sockets) socket.destroy();
  hostile.close();
});

const failed = { code: 50200, message: 'The MCP server failed' };
const silent = { code: 50400, message: 'The MCP server did not answer in time' };

describe('an upstream that keeps silent', () => {
  it('D-001: before its headers gives 504 in time, hurts no other route, and loses its connection', async () => {
    const before = await mark(scene);
    behave = () => {};
    const startedAt = performance.now();
    const waiting = scene.ask({ token, target: '/hostile' });
    expect((await scene.ask({ token })).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(900);
    const answer = await waiting;
    expect(answer.status).toBe(504);
    expectError(answer, silent, 1);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(performance.now() - startedAt).toBeLessThan(2500);
    await eventually('the connection ends', () => sockets.size === 0, 2000);
    await before.hold({ forwarded: 1, reasons: ['ok', 'headers_timeout'] });
  });

  it('D-001: in the middle of the TLS handshake gives 504 in time, and loses its connection', async () => {
    const before = await mark(scene);
    let greeted = 0;
    behave = () => (greeted += 1);
    const answer = await scene.ask({ token, target: '/handshake' });
    expect(answer.status).toBe(504);
    expectError(answer, silent, 1);
    expect(greeted).toBe(1);
    await eventually('the connection ends', () => sockets.size === 0, 5_000);
    await before.hold({ forwarded: 0, reasons: ['connect_timeout'] });
  });

  it('D-001: that dribbles its headers gives 504 all the same', async () => {
    const before = await mark(scene);
    behave = (socket) => {
      const text = `HTTP/1.1 200 OK\r\n${Array.from({ length: 50 }, (_, at) => `X-${at}: 1\r\n`).join('')}`;
      let at = 0;
      const timer = setInterval(() => {
        if (socket.destroyed || at >= text.length) clearInterval(timer);
        else socket.write(text[at++] ?? '');
      }, 50);
    };
    const startedAt = performance.now();
    const answer = await scene.ask({ token, target: '/hostile' });
    expect(answer.status).toBe(504);
    expect(performance.now() - startedAt).toBeLessThan(3000);
    await eventually('the connection ends', () => sockets.size === 0, 2000);
    await before.hold({ forwarded: 0, reasons: ['headers_timeout'] });
  });

  it('D-001: that answers after the time-out reaches nobody with it', async () => {
    const before = await mark(scene);
    scene.upstream.answerOnce({ delayMs: 1600, body: { late: true } });
    expect((await scene.ask({ token })).status).toBe(504);
    await sleep(800);
    const next = await scene.ask({ token, body: '{"jsonrpc":"2.0","id":"next","method":"ping"}' });
    expect(JSON.parse(next.body.toString())).toEqual({ jsonrpc: '2.0', id: 'next', result: {} });
    await before.hold({ forwarded: 2, reasons: ['headers_timeout', 'ok'] });
  });
});

describe('an upstream that breaks before its headers', () => {
  const garbage: readonly (readonly [string, string])[] = [
    ['no HTTP', 'garbage\r\n\r\n'],
    ['nothing', ''],
    ['half a status line', 'HTTP/1.1 20'],
    ['half a header', 'HTTP/1.1 200 OK\r\nContent-Ty'],
    ['a status of two digits', 'HTTP/1.1 99 X\r\n\r\n'],
    ['a status of words', 'HTTP/1.1 abc OK\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9\r\n'],
    ['a header of 100 KB', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`],
    ["a length that isn't one", 'HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n{}'],
    [
      'half a body',
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"half":',
    ],
  ];

  it.each(garbage)('D-002: with %s gives 502 with a fixed body, and is asked once', async (_name, bytes) => {
    const before = await mark(scene);
    scene.upstream.answerOnce({ bytes });
    const answer = await scene.ask({ token });
    expect(answer.status).toBe(502);
    expectError(answer, failed, 1);
    const [event] = await before.hold({ forwarded: 1 });
    expect(event).toMatchObject({ decision: 'allow', status: 502 });
    expect(['garbage', 'reset']).toContain(event?.reason);
  });

  it('D-002: by a reset gives 502, and a POST is never sent twice', async () => {
    const before = await mark(scene);
    expect((await scene.ask({ token })).status).toBe(200);
    scene.upstream.answerOnce('reset');
    const answer = await scene.ask({ token });
    expect(answer.status).toBe(502);
    expectError(answer, failed, 1);
    await before.hold({ forwarded: 2, reasons: ['ok', 'reset'] });
  });

  it("D-002: a status that HTTP doesn't know passes or is 502, and splits nothing", async () => {
    const before = await mark(scene);
    scene.upstream.answerOnce({
      bytes: 'HTTP/1.1 999 Odd\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
    });
    expect([999, 502]).toContain((await scene.ask({ token })).status);
    await before.hold({ forwarded: 1 });
  });
});

describe('an upstream that breaks after its headers', () => {
  it("D-002: in a long body ends the client's connection, never the answer", async () => {
    const before = await mark(scene);
    const long = 'x'.repeat(200_000);
    scene.upstream.answerOnce({
      bytes: `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400000\r\n\r\n${long}`,
    });
    await using client = await scene.connect();
    client.send(scene.request({ token }));
    expect((await client.head()).status).toBe(200);
    await client.closedByPeer();
    scene.asked += 1;
    const [event] = await before.hold({ forwarded: 1 });
    expect(event).toMatchObject({ end: 'upstream_reset', decision: 'allow' });
  });

  it("D-002: in chunks without an end ends the client's connection without a last chunk", async () => {
    const before = await mark(scene);
    scene.upstream.answerOnce({
      bytes: `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n`,
    });
    await using client = await scene.connect();
    client.send(scene.request({ token }));
    await client.closedByPeer();
    expect(client.pending.toString('latin1')).not.toMatch(/\r\n0\r\n\r\n$/);
    scene.asked += 1;
    const [event] = await before.hold({ forwarded: 1 });
    expect(event?.['end']).toBe('upstream_reset');
  });

  it('D-002: in the middle of an event ends the stream without a clean end', async () => {
    const before = await mark(scene);
    const stream = new EventStream();
    scene.upstream.answerOnce(stream);
    await using client = await scene.connect();
    client.send(scene.request({ token }));
    await stream.opened();
    await stream.send({ whole: true });
    await client.received('{"whole":true}');
    await stream.write('data: {"half":');
    await client.received('"half":');
    await stream.reset();
    await client.closedByPeer();
    expect(client.pending.toString('latin1')).not.toMatch(/\r\n0\r\n\r\n$/);
    scene.asked += 1;
    const [event] = await before.hold({ forwarded: 1 });
    expect(event).toMatchObject({ end: 'upstream_reset', decision: 'allow', status: 200 });
  });
});
