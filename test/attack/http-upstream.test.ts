/** An upstream that turns against the clients behind it (attack catalogue B-011, B-014, B-043, B-044). */
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mark } from '../support/invariants.ts';
import { listenOnLoopback } from '../support/loopback.ts';
import { expectError } from './answers.ts';
import { startScene, type Scene } from './scene.ts';

let scene: Scene;
let token: string;

beforeAll(async () => {
  scene = await startScene();
  token = scene.token({ key: 'ES256' });
});

afterAll(() => scene.close());

/** A server that writes to the socket what the test says, request by request. */
async function startPoisoner(
  answer: (socket: Socket, n: number) => void,
): Promise<{ port: number; close: () => void }> {
  let n = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      if (chunk.includes('HTTP/1.1')) answer(socket, (n += 1));
    });
  });
  const port = await listenOnLoopback(server as never);
  return {
    port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const ok = (body: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe('an answer that nobody asked for', () => {
  it.each([
    ['in the same packet', 0],
    ['30 ms later', 30],
  ])('B-011: %s never reaches the next client', async (_name, delayMs) => {
    const poisoner = await startPoisoner((socket, n) => {
      if (delayMs === 0) socket.write(`${ok(`{"n":${n}}`)}${ok('{"POISON":1}')}`);
      else {
        socket.write(ok(`{"n":${n}}`));
        setTimeout(() => socket.write(ok('{"POISON":1}')), delayMs);
      }
    });
    await using world = await startScene({
      routes: `routes: [{ name: tools, path: /mcp, upstream: 'http://localhost:${poisoner.port}/mcp' }]`,
    });
    const bodies: string[] = [];
    for (let n = 0; n < 8; n += 1) {
      const answer = await world.ask({
        token: world.token({ key: 'ES256', claims: { sub: `person-${n}` } }),
      });
      expect([200, 502]).toContain(answer.status);
      bodies.push(answer.body.toString());
      await sleep(n % 2 === 0 ? 0 : 50);
    }
    poisoner.close();
    expect(bodies.join()).not.toContain('POISON');
    const numbers = bodies.flatMap((body) => /"n":(\d+)/.exec(body)?.[1] ?? []);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it.each([
    ['two lengths', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
    ['two different lengths', 'Content-Length: 2\r\nContent-Length: 44\r\n\r\n{}'],
    ['a negative length', 'Content-Length: -2\r\n\r\n{}'],
    ['an unknown coding', 'Transfer-Encoding: xchunked\r\n\r\n{}'],
  ])('B-011: with %s leaves nothing for the next client on the connection', async (_name, rest) => {
    const before = await mark(scene);
    await using client = await scene.connect();
    scene.upstream.answerOnce({ bytes: `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${rest}` });
    client.send(scene.request({ token }));
    const first = await scene.answer(client);
    expect([200, 502]).toContain(first.status);
    if (first.status === 200) expect(first.body.toString()).toBe('{}');
    if (!client.peerClosed) {
      client.send(scene.request({ token }));
      const second = await scene.answer(client);
      expect(JSON.parse(second.body.toString())).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    }
    await before.hold({ forwarded: client.peerClosed ? 1 : 2 });
  });
});

describe('a switch of protocols', () => {
  it.each([
    [
      'with Upgrade',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nTUNNEL',
    ],
    ['without Upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\nTUNNEL'],
  ])('B-014: 101 from the upstream %s is 502, never a tunnel', async (_name, bytes) => {
    scene.upstream.answerOnce({ bytes });
    const before = await mark(scene);
    const answer = await scene.ask({ token, lines: ['Connection: Upgrade', 'Upgrade: websocket'] });
    expect(answer.status).toBe(502);
    expectError(answer, { code: 50200, message: 'The MCP server failed' }, 1);
    expect(answer.body.toString()).not.toContain('TUNNEL');
    await before.hold({ forwarded: 1 });
  });

  it("B-014: interim answers don't reach the client, and the final one does", async () => {
    scene.upstream.answerOnce({
      bytes: `HTTP/1.1 103 Early Hints\r\nLink: </evil>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${ok('{"n":1}')}`,
    });
    const before = await mark(scene);
    await using client = await scene.connect();
    client.send(scene.request({ token }));
    await client.received('{"n":1}');
    expect(client.pending.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
    await scene.answer(client);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
  });
});

describe('a redirect', () => {
  it.each([
    [301, 'http://169.254.169.254/latest/meta-data'],
    [302, 'https://evil.example/mcp'],
    [303, '../admin'],
    [307, 'http://localhost:1/mcp'],
    [308, '//evil.example/mcp'],
    [300, '/other'],
    [304, ''],
    [305, 'http://evil.example'],
  ])('B-043: %i to %j is never followed nor shown', async (status, location) => {
    scene.upstream.answerOnce({ status, headers: { location, 'x-a': '1' } });
    const before = await mark(scene);
    const answer = await scene.ask({ token });
    expect(answer.status).toBe(502);
    expect(answer.header('location')).toEqual([]);
    expectError(answer, { code: 50200, message: 'The MCP server failed' }, 1);
    await before.hold({ forwarded: 1, reasons: ['redirect'] });
  });

  it('B-043: a Location with line ends splits nothing', async () => {
    scene.upstream.answerOnce({
      bytes: 'HTTP/1.1 302 Found\r\nLocation: /x\rSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n',
    });
    const before = await mark(scene);
    const answer = await scene.ask({ token });
    expect(answer.status).toBe(502);
    expect(answer.header('set-cookie')).toEqual([]);
    await before.hold({ forwarded: 1 });
  });
});

describe('response headers', () => {
  it('B-044: only the list passes', async () => {
    scene.upstream.answerOnce({
      headers: {
        'www-authenticate': 'Bearer resource_metadata="https://evil.example"',
        'set-cookie': ['a=b', 'c=d'],
        'access-control-allow-origin': '*',
        'access-control-allow-credentials': 'true',
        'strict-transport-security': 'max-age=0',
        'clear-site-data': '"*"',
        server: 'evil/1',
        'x-powered-by': 'evil',
        'x-auth-subject': 'admin',
        'x-forwarded-user': 'admin',
        'keep-alive': 'timeout=1',
        'proxy-authenticate': 'Basic',
        authorization: 'Bearer x',
        link: '</evil>; rel=preload',
        refresh: '0;url=https://evil.example',
        'alt-svc': 'h2="evil.example:443"',
        location: 'https://evil.example',
        trailer: 'x-t',
        'mcp-session-id': 'session-1',
        'mcp-x': '1',
        'cache-control': 'no-cache',
        'content-language': 'de',
      },
      body: { jsonrpc: '2.0', id: 1, result: {} },
    });
    const before = await mark(scene);
    const answer = await scene.ask({ token });
    expect(answer.status).toBe(200);
    const names = answer.headerLines.map(([name]) => name.toLowerCase()).toSorted();
    const allowed = new Set([
      'cache-control',
      'connection',
      'content-language',
      'content-length',
      'content-type',
      'date',
      'keep-alive',
      'mcp-session-id',
      'mcp-x',
      'transfer-encoding',
      'x-request-id',
    ]);
    expect(names.filter((name) => !allowed.has(name))).toEqual([]);
    // No session was begun, so none is named: C-030.
    expect(names).not.toContain('mcp-session-id');
    expect(names).toContain('mcp-x');
    expect(answer.header('keep-alive')).not.toContain('timeout=1');
    expect(JSON.stringify(answer.headerLines)).not.toContain('evil');
    await before.hold({ forwarded: 1, reasons: ['ok'] });
  });

  it.each([401, 403])('B-044: %i of the upstream is 502: its quarrel is with the gateway', async (status) => {
    scene.upstream.answerOnce({
      status,
      headers: { 'www-authenticate': 'Bearer resource_metadata="https://evil.example"' },
      body: 'secret words of the upstream',
    });
    const before = await mark(scene);
    const answer = await scene.ask({ token });
    expect(answer.status).toBe(502);
    expect(answer.header('www-authenticate')).toEqual([]);
    expectError(answer, { code: 50200, message: 'The MCP server failed' }, 1);
    await before.hold({ forwarded: 1, reasons: ['unauthorized'] });
  });

  it.each([['a\u0001b'.replace('\u0001', ' ')], ['x'.repeat(513)], [''], ['\u00e9'], [['a', 'b']]])(
    'B-044: a session id that no client can send back is 502: %j',
    async (id) => {
      scene.upstream.answerOnce({ headers: { 'mcp-session-id': id }, body: {} });
      const before = await mark(scene);
      expect((await scene.ask({ token })).status).toBe(502);
      await before.hold({ forwarded: 1, reasons: ['garbage'] });
    },
  );

  it("B-044: what can't be written to a client is 502, and the next answer is whole", async () => {
    const before = await mark(scene);
    for (const value of ['a\x01b', 'a\x7fb', '\xff']) {
      scene.upstream.answerOnce({
        bytes: `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMcp-X: ${value}\r\nContent-Length: 2\r\n\r\n{}`,
      });
      expect([200, 502]).toContain((await scene.ask({ token })).status);
    }
    expect((await scene.ask({ token })).status).toBe(200);
    await before.hold({ forwarded: 4 });
  });
});
