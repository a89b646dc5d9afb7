/** Clients that leave, stall or send without end (fault catalogue D-004, D-005, D-009). */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../attack/answers.ts';
import { ping, startScene, type Scene } from '../attack/scene.ts';
import { EventStream } from '../support/event-stream.ts';
import { mark } from '../support/invariants.ts';
import { startIssuer } from '../support/issuer.ts';
import { eventually } from '../support/loopback.ts';

let scene: Scene;
let token: string;

beforeAll(async () => {
  scene = await startScene({
    routes: `routes: [{ name: tools, path: /mcp, scopes: [mcp:use], limits: { body: 64KiB, streams: 40 }, upstream: '$upstream' }]`,
  });
  token = scene.token({ key: 'ES256' });
});

afterAll(() => scene.close());

async function gauge(of: Scene, name: string): Promise<number> {
  const text = await (await fetch(`${of.gateway.opsUrl}/metrics`)).text();
  return [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'gm'))].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );
}

describe('a client that leaves', () => {
  it("D-004: before the upstream's headers ends the upstream's work within a second", async () => {
    scene.upstream.answerOnce('hang');
    const before = await mark(scene);
    const n = scene.upstream.requests.length + 1;
    const client = await scene.connect();
    client.send(scene.request({ token }));
    const request = await scene.upstream.request(n);
    const leftAt = performance.now();
    client.reset();
    await eventually('the upstream is told', () => request.aborted, 2000);
    expect((request.abortedAt ?? 0) - leftAt).toBeLessThan(1000);
    const [event] = await before.hold({ forwarded: 1, requests: 1 });
    expect(event).toMatchObject({ end: 'client_left', reason: 'client_left', status: 499 });
  });

  it.each(['POST', 'GET'])(
    'D-004: in the middle of a stream (%s) ends it within a second',
    async (method) => {
      const stream = new EventStream();
      scene.upstream.answerOnce(stream);
      const before = await mark(scene);
      const client = await scene.connect();
      client.send(scene.request({ token, method }));
      await stream.opened();
      await stream.send({ n: 1 });
      await client.received('{"n":1}');
      expect(await gauge(scene, 'portcullis_streams_open')).toBe(1);
      const leftAt = performance.now();
      client.reset();
      expect((await stream.closed(2000)) - leftAt).toBeLessThan(1000);
      const [event] = await before.hold({ forwarded: 1, requests: 1 });
      expect(event).toMatchObject({ end: 'client_left', status: 200 });
      expect(await gauge(scene, 'portcullis_streams_open')).toBe(0);
    },
  );

  it('D-004: within its body leaves nothing behind', async () => {
    const before = await mark(scene);
    for (const lines of [
      'Content-Length: 1000\r\n\r\n{"jsonrpc"',
      'Transfer-Encoding: chunked\r\n\r\n5\r\n{"jso',
    ]) {
      const client = await scene.connect();
      client.send(
        `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n${lines}`,
      );
      await sleep(50);
      client.reset();
    }
    await before.hold({ forwarded: 0, requests: 2, reasons: ['client_left'] });
  });

  it.each(['GET', 'DELETE', 'POST'])(
    'D-004: while its token is being checked (%s) never starts anything upstream that nobody ends',
    async (method) => {
      const issuer = await startIssuer({ algorithms: ['ES256'] });
      issuer.behave(issuer.paths.jwks, 'hang');
      await using slow = await startScene({
        issuers: [issuer],
        when: 'listening',
        servers: `authorizationServers: [{ name: a, issuer: '${issuer.url}', keys: { timeout: 300ms, cooldown: 1s } }]`,
      });
      await eventually(
        'the gateway is ready',
        async () => (await fetch(`${slow.gateway.opsUrl}/readyz`)).status === 200,
      );
      await sleep(800);
      // Now the cool-down has passed, and the next token waits for the keys.
      issuer.behave(issuer.paths.jwks, { delayMs: 250 });
      slow.upstream.answer('hang');
      const client = await slow.connect();
      client.send(
        slow.request({ token: slow.token(), method, ...(method === 'POST' ? {} : { body: null }) }),
      );
      await eventually('the keys are asked for', () => issuer.hits(issuer.paths.jwks) >= 2, 3000);
      client.reset();
      await eventually('the audit event', () => slow.gateway.audit.length === 1);
      await sleep(600);
      const left = slow.upstream.requests.filter((request) => !request.aborted);
      expect(left.map((request) => request.method)).toEqual([]);
    },
  );

  it('D-004: a hundred at once leave no stream, no upstream request and no place in the cap behind', async () => {
    const before = await mark(scene);
    const from = scene.upstream.requests.length;
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 35; n += 1) scene.upstream.answerOnce('hang');
      const clients = await Promise.all(Array.from({ length: 35 }, () => scene.connect()));
      for (const client of clients) client.send(scene.request({ token }));
      const seen = from + 35 * (round + 1);
      await eventually('all are upstream', () => scene.upstream.requests.length >= seen);
      for (const client of clients) client.reset();
      await eventually(
        'all are ended',
        () => scene.upstream.requests.slice(from).every(({ aborted }) => aborted),
        2000,
      );
    }
    expect((await scene.ask({ token })).status).toBe(200);
    await before.hold({ forwarded: 106, requests: 106 });
    await eventually(
      'the connections close',
      () => scene.upstream.connections.filter(({ open }) => open).length <= 2,
    );
  });

  it("D-004: streams beyond the route's cap get 503, and one that ends makes room", async () => {
    const before = await mark(scene);
    scene.upstream.answer('hang');
    const clients = await Promise.all(Array.from({ length: 40 }, () => scene.connect()));
    const from = scene.upstream.requests.length;
    for (const client of clients) client.send(scene.request({ token }));
    await eventually('all are upstream', () => scene.upstream.requests.length - from === 40);
    const full = await scene.ask({ token });
    expect(full.status).toBe(503);
    expect(full.header('retry-after')).toEqual(['1']);
    for (const client of clients) client.reset();
    await eventually(
      'all are ended',
      () => scene.upstream.requests.slice(from).every(({ aborted }) => aborted),
      2000,
    );
    scene.upstream.answer({ body: {} });
    expect((await scene.ask({ token })).status).toBe(200);
    await before.hold({ forwarded: 41, requests: 42 });
  });
});

describe("a client that doesn't read", () => {
  it.each([
    ['an event stream', 'text/event-stream'],
    ['a long answer', 'application/json'],
  ])('D-005: holds the upstream back instead of filling the memory (%s)', async (_name, type) => {
    let sent = 0;
    let ended = false;
    scene.upstream.answerOnce(async (_request, response) => {
      response.writeHead(200, { 'content-type': type });
      const chunk = Buffer.from(`data: ${'x'.repeat(64 * 1024 - 8)}\n\n`);
      const left = once(response, 'close');
      while (!response.destroyed && sent < 256 * 1024 * 1024) {
        sent += chunk.length;
        if (!response.write(chunk)) await Promise.race([once(response, 'drain'), left]);
      }
      ended = true;
    });
    const before = await mark(scene);
    const client = await scene.connect();
    client.pause();
    const rss = process.memoryUsage.rss();
    client.send(scene.request({ token, method: 'GET' }));
    await eventually('the upstream sends', () => sent > 0);
    await sleep(1000);
    const stalled = sent;
    await sleep(300);
    // What the sockets hold, and no more: it doesn't go on.
    expect(sent).toBe(stalled);
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    expect(process.memoryUsage.rss() - rss).toBeLessThan(64 * 1024 * 1024);
    client.resume();
    await eventually('it goes on when the client reads', () => sent > stalled + 1024 * 1024);
    client.reset();
    await eventually('the upstream is let go', () => ended, 2000);
    await before.hold({ forwarded: 1, requests: 1 });
  });
});

describe('a body that is too large', () => {
  it('D-009: declared is refused before it is read, and the connection ends', async () => {
    const before = await mark(scene);
    for (const length of [64 * 1024 + 1, 10 ** 12, Number.MAX_SAFE_INTEGER]) {
      await using client = await scene.connect();
      client.send(
        `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`,
      );
      const answer = await scene.answer(client);
      expect(answer.status).toBe(413);
      expect(answer.header('connection')).toEqual(['close']);
      expectError(answer, { code: 41300, message: 'The body is too large' });
      await client.closedByPeer();
    }
    await before.hold({ forwarded: 0, reasons: ['body_too_large'] });
  });

  it('D-009: streamed is refused at the limit, and the connection ends', async () => {
    const before = await mark(scene);
    await using client = await scene.connect();
    client.send(
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    let sent = 0;
    const until = performance.now() + 4000;
    while (!client.peerClosed && performance.now() < until) {
      client.send(`2000\r\n${' '.repeat(0x2000)}\r\n`);
      sent += 0x2000;
      await sleep(5);
    }
    expect(client.peerClosed).toBe(true);
    expect(sent).toBeLessThan(4 * 1024 * 1024);
    const answer = await scene.answer(client);
    expect(answer.status).toBe(413);
    expectError(answer, { code: 41300, message: 'The body is too large' });
    await before.hold({ forwarded: 0, reasons: ['body_too_large'] });
  });

  it("D-009: of exactly the limit is served, one byte more isn't", async () => {
    const before = await mark(scene);
    const body = ping + ' '.repeat(64 * 1024 - ping.length);
    expect((await scene.ask({ token, body })).status).toBe(200);
    expect((await scene.ask({ token, body: `${body} ` })).status).toBe(413);
    await before.hold({ forwarded: 1, reasons: ['ok', 'body_too_large'] });
    expect(scene.upstream.requests.at(-1)?.body.length).toBe(64 * 1024);
  });

  it('D-009: of one character in thousands of chunks is read like any other', async () => {
    const before = await mark(scene);
    await using client = await scene.connect();
    client.send(
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    client.send(
      `${[...ping].map((character) => `1\r\n${character}\r\n`).join('')}${'1\r\n \r\n'.repeat(5000)}0\r\n\r\n`,
    );
    expect((await scene.answer(client)).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
    expect(scene.upstream.requests.at(-1)?.body.length).toBe(ping.length + 5000);
  });
});
