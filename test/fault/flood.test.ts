/** Many peers at once that mean no good, or mean well and meet a bad upstream (D-008, D-009, B-008; rows U3, S11). */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startScene, type Scene } from '../attack/scene.ts';
import { makeCertificate } from '../integration/certificates.ts';
import { requestText, startWorld } from '../integration/world.ts';
import { mark } from '../support/invariants.ts';
import { startIssuer } from '../support/issuer.ts';
import { eventually } from '../support/loopback.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { startProgram } from '../support/program.ts';

let scene: Scene;
let token: string;

beforeAll(async () => {
  scene = await startScene({
    routes: `routes: [{ path: /mcp, limits: { body: 64KiB, perPrincipal: { calls: 1000 } }, upstream: '$upstream' }]`,
  });
  token = scene.token({ key: 'ES256' });
});

afterAll(() => scene.close());

const connectMany = (count: number): Promise<readonly RawClient[]> =>
  Promise.all(Array.from({ length: count }, () => scene.connect()));

describe('an upstream that breaks off again and again', () => {
  it('gets each of 200 POSTs once, whatever becomes of it (U3)', async () => {
    const before = await mark(scene);
    const from = scene.upstream.requests.length;
    const statuses: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      for (let n = 0; n < 20; n += 1) scene.upstream.answerOnce(n % 3 === 0 ? 'reset' : { body: {} });
      const asked = Array.from({ length: 20 }, (_, n) =>
        scene.ask({ token, body: JSON.stringify({ jsonrpc: '2.0', id: `${round}-${n}`, method: 'ping' }) }),
      );
      statuses.push(...(await Promise.all(asked)).map(({ status }) => status));
    }
    expect([200, 502].map((status) => statuses.filter((found) => found === status).length)).toEqual([
      130, 70,
    ]);
    const ids = scene.upstream.requests
      .slice(from)
      .map(({ body }) => (JSON.parse(body.toString()) as { id: string }).id);
    expect([ids.length, new Set(ids).size]).toEqual([200, 200]);
    await before.hold({ forwarded: 200 });
  });
});

describe('fifty endless uploads at once', () => {
  it.each([
    ['without a token', 401, ''],
    ['with one', 413, 'good'],
  ])(
    'D-009, B-008: %s are each answered %i and cut off, and nothing of them reaches the upstream (S11)',
    async (_name, status, credentials) => {
      const before = await mark(scene);
      const clients = await connectMany(50);
      const authorization = credentials === '' ? '' : `Authorization: Bearer ${token}\r\n`;
      for (const client of clients)
        client.send(
          `POST /mcp HTTP/1.1\r\nHost: localhost\r\n${authorization}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
        );
      const chunk = `2000\r\n${' '.repeat(0x2000)}\r\n`;
      const until = performance.now() + 8_000;
      let sent = 0;
      while (performance.now() < until && clients.some(({ peerClosed }) => !peerClosed)) {
        for (const client of clients.filter(({ peerClosed }) => !peerClosed)) {
          client.send(chunk);
          sent += chunk.length;
        }
        await sleep(5);
      }
      expect(clients.filter(({ peerClosed }) => !peerClosed)).toEqual([]);
      expect(sent / clients.length).toBeLessThan(2 * 1024 * 1024);
      // Who sends on may meet a reset before it has read the answer.
      const answered = clients.map(({ pending }) => pending.toString('latin1')).filter((text) => text !== '');
      expect(answered.length).toBeGreaterThan(0);
      for (const text of answered) expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      for (const client of clients) await client.close();
      const events = await before.hold({ forwarded: 0, requests: 50 });
      expect(new Set(events.map((event) => event.status))).toEqual(new Set([status]));
    },
  );
});

describe('four hundred connections that never finish a request', () => {
  it('D-008: keep nobody else from being served', async () => {
    const before = await mark(scene);
    const [silent, halfHeaders, halfBodies, idle] = [
      await connectMany(100),
      await connectMany(100),
      await connectMany(100),
      await connectMany(100),
    ];
    for (const client of halfHeaders) client.send('POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    for (const client of halfBodies)
      client.send(
        `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
      );
    for (const client of idle) client.send(scene.request({ token }));
    for (const client of idle) await scene.answer(client);
    for (let n = 0; n < 5; n += 1) {
      expect((await scene.ask({ token })).status).toBe(200);
      expect((await fetch(`${scene.gateway.opsUrl}/healthz`)).status).toBe(200);
    }
    for (const client of [...silent, ...halfHeaders, ...halfBodies, ...idle]) client.reset();
    // A request without its headers never was one.
    const events = await before.hold({ forwarded: 105, requests: 205 });
    expect(events.filter(({ reason }) => reason === 'client_left')).toHaveLength(100);
  });
});

describe('a TLS listener', () => {
  it('D-008: lets go at once of peers that speak something else', async () => {
    await using parts = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-flood-'));
    parts.defer(() => rmSync(folder, { recursive: true, force: true }));
    const { cert, key } = makeCertificate('localhost');
    writeFileSync(join(folder, 'cert.pem'), cert);
    writeFileSync(join(folder, 'key.pem'), key);
    const world = parts.use(
      await startWorld({
        yaml: ({ issuer, upstream, publicUrl }) => `publicUrl: ${publicUrl}
listen: { host: 127.0.0.1, port: ${new URL(publicUrl).port}, tls: { certFile: ${folder}/cert.pem, keyFile: ${folder}/key.pem } }
authorizationServers: [{ issuer: '${issuer.url}' }]
routes: [{ path: /mcp, upstream: '${upstream.url}' }]
`,
      }),
    );
    for (const bytes of [
      'GET / HTTP/1.1\r\n\r\n',
      'SSH-2.0-x\r\n',
      '\x16\x03\x01\xff\xff\xff\xff',
      '\0'.repeat(20),
    ]) {
      await using client = await connectRaw({ port: world.gateway.port });
      client.send(bytes);
      await client.closedByPeer(3_000);
    }
  });
});

const canLimit = spawnSync('sh', ['-c', 'ulimit -n 160']).status === 0;

describe.skipIf(!canLimit)('a process that may open 160 files', () => {
  it('D-006: takes no more connections than it can serve, keeps its ops listener and streams, and recovers', async () => {
    await using parts = new AsyncDisposableStack();
    const issuer = parts.use(await startIssuer({ algorithms: ['ES256'] }));
    const upstream = parts.use(await startRecordingUpstream());
    const { port, opsUrl, audience } = parts.use(
      await startProgram({
        openFiles: 160,
        yaml: `authorizationServers: [{ issuer: '${issuer.url}' }]
routes: [{ path: /mcp, limits: { perPrincipal: { streams: 500 } }, upstream: '${upstream.url}' }]
`,
      }),
    );
    upstream.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
    });
    const good = issuer.token({ claims: { aud: audience } });
    const open = async (): Promise<RawClient> => {
      const client = await connectRaw({ port });
      client.send(requestText(port, { method: 'GET', token: good }));
      await eventually('an answer or none', () => client.peerClosed || client.pending.includes('\r\n\r\n'));
      return client;
    };
    const clients: RawClient[] = [];
    for (let n = 0; n < 70; n += 1) clients.push(await open());
    const served = clients.filter(({ peerClosed }) => !peerClosed);
    expect(served.length).toBe((160 - 64) / 2);
    for (const client of served) expect((await client.head()).status).toBe(200);
    expect((await fetch(`${opsUrl}/healthz`)).status).toBe(200);
    expect(served.every(({ peerClosed }) => !peerClosed)).toBe(true);

    for (const client of clients) client.reset();
    await eventually('room again', async () => {
      const client = await open();
      parts.defer(() => client.close());
      return !client.peerClosed;
    });
  });
});
