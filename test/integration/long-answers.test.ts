/** Long answers, whole and unchanged, however their bytes are cut up and however slowly they are read (A26, U2). */
import { createHash, randomBytes, randomInt, type Hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { expect, it } from 'vitest';
import { within } from '../support/loopback.ts';
import { makeCertificate } from './certificates.ts';
import { requestText, startWorld, type World } from './world.ts';

const mebibyte = 1_024 * 1_024;
const total = 12 * mebibyte;
/** Of this machine's memory, so that eight different answers cost no time to make. */
const noise = randomBytes(8 * mebibyte);

type Framing = 'chunked' | 'length';

/** Sends pieces of every size, with noise that begins where nobody else's does; answers its digest. */
async function send(response: ServerResponse, type: string, framing: Framing): Promise<string> {
  const hash = createHash('sha256');
  response.writeHead(200, {
    'content-type': type,
    ...(framing === 'length' ? { 'content-length': String(total) } : {}),
  });
  const left = once(response, 'close');
  for (let sent = 0; sent < total && !response.destroyed;) {
    const length = Math.min(total - sent, randomInt(5) === 0 ? randomInt(1, 50) : randomInt(1, 200_000));
    const from = randomInt(noise.length - length);
    const piece = noise.subarray(from, from + length);
    hash.update(piece);
    sent += length;
    if (!response.write(piece)) await Promise.race([once(response, 'drain'), left]);
  }
  response.end();
  return hash.digest('hex');
}

/** Reads at its pace and answers the digest of the body; its head and chunk sizes left out. */
async function receive(socket: Socket, text: string, pace: 'fast' | 'slow'): Promise<string> {
  const body = new BodyDigest();
  socket.on('data', (bytes: Buffer) => body.take(bytes));
  socket.write(text);
  while (!socket.closed) {
    if (pace === 'slow') socket.pause();
    await sleep(pace === 'slow' ? 3 : 50);
    socket.resume();
    await sleep(2);
  }
  return body.digest();
}

/** Takes an HTTP/1.1 answer apart as it comes. */
class BodyDigest {
  readonly #hash: Hash = createHash('sha256');
  #pending: Buffer = Buffer.alloc(0);
  #isChunked: boolean | undefined;
  /** Of the chunk that is coming. */
  #remaining = 0;

  take(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    if (this.#isChunked === undefined) this.#takeHead();
    if (this.#isChunked === false) {
      this.#hash.update(this.#pending);
      this.#pending = Buffer.alloc(0);
    }
    while (this.#isChunked === true && this.#takeChunk());
  }

  digest(): string {
    return this.#hash.digest('hex');
  }

  #takeHead(): void {
    const end = this.#pending.indexOf('\r\n\r\n');
    if (end === -1) return;
    this.#isChunked = /transfer-encoding: chunked/i.test(this.#pending.toString('latin1', 0, end));
    this.#pending = this.#pending.subarray(end + 4);
  }

  #takeChunk(): boolean {
    if (this.#remaining === 0) {
      const end = this.#pending.indexOf('\r\n', this.#pending.subarray(0, 2).toString() === '\r\n' ? 2 : 0);
      if (end === -1) return false;
      this.#remaining = Number.parseInt(this.#pending.toString('latin1', 0, end).trim(), 16);
      this.#pending = this.#pending.subarray(end + 2);
    }
    const piece = this.#pending.subarray(0, this.#remaining);
    this.#hash.update(piece);
    this.#remaining -= piece.length;
    this.#pending = this.#pending.subarray(piece.length);
    return this.#remaining === 0 && this.#pending.length > 2;
  }
}

async function pass(
  world: World,
  plan: { type: string; framing: Framing; pace: 'fast' | 'slow'; ca?: string },
) {
  const sent = Promise.withResolvers<string>();
  world.upstream.answerOnce((_request, response) => {
    void send(response, plan.type, plan.framing).then(sent.resolve, sent.reject);
  });
  const { port } = world.gateway;
  const socket =
    plan.ca === undefined
      ? connect({ port, host: '127.0.0.1' })
      : connectTls({ port, host: '127.0.0.1', ca: plan.ca, servername: 'localhost' });
  socket.on('error', () => {});
  const text = requestText(port, { token: world.issuer.token(), headers: [['Connection', 'close']] });
  const received = await within(receive(socket, text, plan.pace), 30_000, 'the whole answer');
  return { sent: await sent.promise, received };
}

const kinds = (['chunked', 'length'] as const).flatMap((framing) =>
  (['fast', 'slow'] as const).flatMap((pace) =>
    ['text/event-stream', 'application/json'].map((type) => ({ framing, pace, type })),
  ),
);

it(
  'eight at once, cut up at random, reach eight clients each unchanged (A26)',
  { timeout: 60_000 },
  async () => {
    await using world = await startWorld();
    const passed = await Promise.all(
      kinds.map(async (kind, at) => {
        // Answers queue up in the order in which requests come.
        await sleep(at * 100);
        return pass(world, kind);
      }),
    );
    for (const { sent, received } of passed) expect(received).toBe(sent);
    expect(new Set(passed.map(({ received }) => received)).size).toBe(kinds.length);
  },
);

it('through TLS on both sides they do so too (A26, U7)', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-long-'));
  await using parts = new AsyncDisposableStack();
  parts.defer(() => rmSync(folder, { recursive: true, force: true }));
  const { cert, key } = makeCertificate('localhost');
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  const world = parts.use(
    await startWorld({
      upstreamOptions: { tls: { cert, key } },
      yaml: ({ issuer, upstream, publicUrl }) => `publicUrl: ${publicUrl}
listen: { host: 127.0.0.1, port: ${new URL(publicUrl).port}, tls: { certFile: ${certFile}, keyFile: ${keyFile} } }
authorizationServers: [{ issuer: '${issuer.url}' }]
routes: [{ path: /mcp, upstream: { url: '${upstream.url}', tls: { caFile: '${certFile}' } } }]
`,
    }),
  );
  for (const pace of ['fast', 'slow'] as const) {
    const { sent, received } = await pass(world, {
      type: 'text/event-stream',
      framing: 'chunked',
      pace,
      ca: cert,
    });
    expect(received).toBe(sent);
  }
});
