/** Event streams under stress: many, long, broken and left (fault catalogue D-004, D-006, D-007; rows U1, U6, A26). */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startScene, type Ask, type Scene } from '../attack/scene.ts';
import { EventStream } from '../support/event-stream.ts';
import { mark } from '../support/invariants.ts';
import { eventually } from '../support/loopback.ts';
import type { RawClient } from '../support/raw-client.ts';

let scene: Scene;
let token: string;

beforeAll(async () => {
  scene = await startScene({
    routes: `routes: [{ path: /mcp, streams: { keepAlive: 1s }, limits: { streams: 1000, perPrincipal: { streams: 1000, calls: 1000 } }, upstream: '$upstream' }]`,
  });
  token = scene.token({ key: 'ES256' });
});

afterAll(() => scene.close());

/** MCP 2026-07-28: the server's notifications come as the answer to this request. */
const listen: Ask = {
  lines: [
    'MCP-Protocol-Version: 2026-07-28',
    'Mcp-Method: subscriptions/listen',
    'Accept: text/event-stream',
  ],
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 'listening',
    method: 'subscriptions/listen',
    params: {
      notifications: { toolsListChanged: true },
      _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
    },
  }),
};

async function send(ask: Ask): Promise<RawClient> {
  const client = await scene.connect();
  client.send(scene.request({ token, ...ask }));
  return client;
}

const openConnections = (): number => scene.upstream.connections.filter(({ open }) => open).length;

describe('subscriptions/listen', () => {
  it('gets its headers at once, comments into silence, and its events one by one (U6, A26)', async () => {
    const stream = new EventStream();
    scene.upstream.answerOnce(stream);
    const before = await mark(scene);
    const client = await send(listen);
    await stream.opened();
    expect((await client.head(1_000)).header('content-type')).toEqual(['text/event-stream']);
    await client.received(':\n\n', 3_000);
    for (const method of ['tools', 'prompts', 'resources'].map(
      (list) => `notifications/${list}/list_changed`,
    )) {
      await stream.send({ jsonrpc: '2.0', method });
      await client.received(`"${method}"`, 1_000);
    }
    await stream.end();
    scene.asked += 1;
    const { body } = await client.response();
    expect(body.toString().match(/"method"/g)).toHaveLength(3);
    const [event] = await before.hold({ forwarded: 1, reasons: ['ok'] });
    expect(event).toMatchObject({ rpcMethod: 'subscriptions/listen', end: 'complete' });
    await client.close();
  });

  it('D-004: is ended at the upstream within a second when its client leaves, before and after the headers (U1)', async () => {
    for (const headers of ['before', 'after']) {
      const stream = new EventStream();
      scene.upstream.answerOnce(headers === 'before' ? 'hang' : stream);
      const before = await mark(scene);
      const n = scene.upstream.requests.length + 1;
      const client = await send(listen);
      const request = await scene.upstream.request(n);
      if (headers === 'after') await client.head(2_000);
      const leftAt = performance.now();
      client.reset();
      await eventually('the upstream sees it', () => request.aborted, 2_000);
      expect((request.abortedAt ?? Infinity) - leftAt).toBeLessThan(1_000);
      const [event] = await before.hold({ forwarded: 1, requests: 1 });
      expect(event).toMatchObject({ end: 'client_left' });
    }
  });

  it('is not ended by anything else that its client does meanwhile (A26)', async () => {
    const stream = new EventStream();
    scene.upstream.answerOnce(stream);
    const client = await send(listen);
    await stream.opened();
    const other = await send({});
    await scene.answer(other);
    other.reset();
    const cancelled = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"other"}}';
    expect((await scene.ask({ token, body: cancelled })).status).toBe(202);
    await stream.send({ still: 'there' });
    await client.received('"still":"there"', 1_000);
    await stream.end();
    await client.response();
    await client.close();
  });
});

describe('what a server asks its client', () => {
  it.each([
    ['a result', { result: { role: 'assistant', content: { type: 'text', text: 'well' } } }],
    ['an error', { error: { code: -1, message: 'the person declined' } }],
  ])(
    'goes down one stream, and %s comes back in a POST of its own, each to the byte (A26)',
    async (_name, answer) => {
      const stream = new EventStream();
      scene.upstream.answerOnce(stream);
      const before = await mark(scene);
      const n = scene.upstream.requests.length;
      const client = await send({
        body: '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"ask"}}',
      });
      await stream.opened();
      const question = {
        jsonrpc: '2.0',
        id: 'q-1',
        method: 'sampling/createMessage',
        params: { maxTokens: 1 },
      };
      await stream.send(question);
      await client.received(JSON.stringify(question));
      const posted = JSON.stringify({ jsonrpc: '2.0', id: 'q-1', ...answer });
      scene.upstream.answerOnce({ status: 202 });
      expect((await scene.ask({ token, body: posted })).status).toBe(202);
      expect((await scene.upstream.request(n + 2)).body.toString()).toBe(posted);
      await stream.send({ jsonrpc: '2.0', id: 7, result: {} });
      await stream.end();
      scene.asked += 1;
      expect((await client.response()).body.toString()).toContain('"id":7');
      await before.hold({ forwarded: 2, reasons: ['ok'] });
      await client.close();
    },
  );
});

describe('events that are broken or odd', () => {
  const euro = Buffer.from('€');
  const odd: readonly (readonly [string, readonly (string | Buffer)[]])[] = [
    ['a byte order mark and CRLF', ['\uFEFFevent: message\r\ndata: {"n":1}\r\n\r\n']],
    ['lone carriage returns', ['data: 1\r\rdata: 2\r', '\rdata: 3\r\r']],
    [
      'a character cut in two',
      [Buffer.concat([Buffer.from('data: '), euro.subarray(0, 1)]), euro.subarray(1), '\n\n'],
    ],
    ['bytes that are no UTF-8', [Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0xfe, 0x0a, 0x0a])]],
    ['NUL and control characters', ['data: \0\x01\x1b[2J\n\n']],
    ['fields that nobody knows', ['event\ndata\nid: \0\nretry: never\nnonsense: x\n: comment\n\n']],
    ['data that is no JSON', ['data: {"half":\n\n', 'data: [1,\ndata: 2]\n\n']],
    ['an event without its end', ['data: 1\n\ndata: {"never":"ended"}']],
    ['CRLF cut in two at every place', [...'data: 1\r\n\r\ndata: 2\r\n\r\n']],
    ['nothing but line ends', ['\n\n\n\r\n\r\n']],
  ];

  it.each(odd)('%s pass byte for byte (A26)', async (_name, pieces) => {
    const stream = new EventStream();
    scene.upstream.answerOnce(stream);
    const before = await mark(scene);
    const client = await send({ method: 'GET', body: null });
    await stream.opened();
    for (const piece of pieces) {
      await stream.write(piece);
      await sleep(5);
    }
    await stream.end();
    scene.asked += 1;
    const { body } = await client.response();
    expect(body).toEqual(Buffer.concat(pieces.map((piece) => Buffer.from(piece))));
    await before.hold({ forwarded: 1, reasons: ['ok'] });
    await client.close();
  });

  it('D-009: a line of 6 MiB passes whole, and no comment gets into it (U6)', async () => {
    const stream = new EventStream();
    scene.upstream.answerOnce(stream);
    const client = await send({ method: 'GET', body: null });
    await stream.opened();
    const half = Buffer.alloc(3 * 1024 * 1024, 'x');
    const reading = client.response({ withinMs: 15_000 });
    await stream.write('data: ');
    await stream.write(half);
    await sleep(1_500);
    await stream.write(half);
    await stream.write('\n\n');
    await stream.end();
    const { body } = await reading;
    expect(body.length).toBe(2 * half.length + 8);
    expect(body.indexOf(':', 5)).toBe(-1);
    await client.close();
  });
});

describe('three hundred silent streams', () => {
  it('D-006: let calls through, and are gone within 5 s of their clients, without a connection in their place', async () => {
    const count = 300;
    for (let n = 0; n < count; n += 1) scene.upstream.answerOnce(new EventStream());
    const before = await mark(scene);
    const idle = openConnections();
    const clients: RawClient[] = [];
    for (let n = 0; n < count; n += 1) {
      const client = await send(n % 2 === 0 ? { method: 'GET', body: null } : listen);
      clients.push(client);
    }
    await Promise.all(clients.map((client) => client.head()));
    const opened = scene.upstream.connections.length;
    expect((await scene.ask({ token })).status).toBe(200);
    expect((await fetch(`${scene.gateway.opsUrl}/healthz`)).status).toBe(200);

    const leftAt = performance.now();
    for (const client of clients) client.reset();
    await eventually('the connections end', () => openConnections() <= idle + 1);
    expect(performance.now() - leftAt).toBeLessThan(5_000);
    // Undici would open one anew for each that was aborted.
    await sleep(500);
    expect(scene.upstream.connections.length - opened).toBeLessThanOrEqual(1);
    const metrics = await (await fetch(`${scene.gateway.opsUrl}/metrics`)).text();
    expect(metrics).toMatch(/^portcullis_streams_open\{route="\/mcp"\} 0$/m);
    await before.hold({ forwarded: count + 1, requests: count + 1 });
  });

  it('S08: five hundred calls of two people use a bounded number of connections, each with its own identity', async () => {
    const people = ['ada', 'eve'].map((sub) => scene.token({ key: 'ES256', claims: { sub } }));
    const before = await mark(scene);
    const [requests, connections] = [scene.upstream.requests.length, scene.upstream.connections.length];
    const atOnce = 20;
    for (let round = 0; round < 500 / atOnce; round += 1) {
      const asked = Array.from({ length: atOnce }, async (_, at) => {
        const id = `${['ada', 'eve'][at % 2]}-${round}-${at}`;
        const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' });
        const answer = await scene.ask({ token: people[at % 2] ?? '', body });
        expect(JSON.parse(answer.body.toString())).toMatchObject({ id });
      });
      await Promise.all(asked);
    }
    for (const request of scene.upstream.requests.slice(requests)) {
      const { id } = JSON.parse(request.body.toString()) as { id: string };
      expect(request.header('x-auth-subject')).toEqual([id.split('-')[0]]);
    }
    expect(scene.upstream.connections.length - connections).toBeLessThanOrEqual(atOnce);
    await before.hold({ forwarded: 500, reasons: ['ok'] });
  });
});
