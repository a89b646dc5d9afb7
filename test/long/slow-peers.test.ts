/** D-008: peers that hold a connection without ever finishing a request; each is let go in its time. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../integration/certificates.ts';
import { requestText, startWorld, type World } from '../integration/world.ts';

/** Node looks for slow peers every 5 s. */
const grainSeconds = 5;
/** What a busy machine may add. */
const slackSeconds = 10;

interface Peer {
  readonly open: (world: World) => Socket;
  /** Written as soon as it is connected. */
  readonly first?: (world: World) => string;
  /** Written again and again, so many seconds apart. */
  readonly dribble?: readonly [text: string, everySeconds: number];
}

interface Farewell {
  readonly seconds: number;
  readonly text: string;
}

const tcp = (world: World): Socket => connect({ port: world.gateway.port, host: '127.0.0.1' });
const tls = (world: World): Socket =>
  connectTls({ port: world.gateway.port, host: '127.0.0.1', rejectUnauthorized: false });

/** How long the gateway bears with it, and its last words. */
async function outlast(peer: Peer, world: World): Promise<Farewell> {
  const socket = peer.open(world);
  const startedAt = performance.now();
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  if (peer.first !== undefined) socket.write(peer.first(world));
  const [dribble, everySeconds = 1] = peer.dribble ?? [];
  const timer = setInterval(() => {
    if (dribble !== undefined && socket.writable) socket.write(dribble);
  }, everySeconds * 1_000);
  while (!socket.closed && performance.now() - startedAt < 200_000) await sleep(50);
  clearInterval(timer);
  socket.destroy();
  return { seconds: (performance.now() - startedAt) / 1_000, text };
}

function expectAfter(seconds: number, farewell: Farewell): void {
  expect(farewell.seconds).toBeGreaterThanOrEqual(seconds - 1);
  expect(farewell.seconds).toBeLessThan(seconds + grainSeconds + slackSeconds);
}

const authorized = (world: World): string =>
  `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${world.issuer.token()}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`;

describe.concurrent('D-008: a peer', () => {
  it.each<[string, number, Peer]>([
    ['that says nothing', 10, { open: tcp }],
    [
      'that sends its headers byte by byte',
      10,
      { open: tcp, first: () => 'POST /mcp HTTP/1.1\r\nX: ', dribble: ['x', 1] },
    ],
    ['that sends its body byte by byte', 120, { open: tcp, first: authorized, dribble: [' ', 10] }],
  ])('%s is answered 408 after %i s, and the upstream never hears of it', async (_name, seconds, peer) => {
    await using world = await startWorld();
    const farewell = await outlast(peer, world);
    expectAfter(seconds, farewell);
    expect(farewell.text).toMatch(/^HTTP\/1\.1 408 /);
    expect(world.passed).toBe('');
    expect((await world.ask({ token: world.issuer.token() })).status).toBe(200);
  });

  it('whose connection is idle after an answer is let go after 72 s', async () => {
    await using world = await startWorld();
    const first = (): string => requestText(world.gateway.port, { token: world.issuer.token() });
    const farewell = await outlast({ open: tcp, first }, world);
    expectAfter(72, farewell);
    expect(farewell.text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each<[string, Peer]>([
    ['never begins the handshake', { open: tcp }],
    ['ends the handshake and says nothing', { open: tls }],
  ])('of a TLS listener that %s is let go after 10 s', async (_name, peer) => {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-slow-peers-'));
    await using parts = new AsyncDisposableStack();
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
    expectAfter(10, await outlast(peer, world));
  });
});
