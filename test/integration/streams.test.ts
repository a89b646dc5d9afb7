/** Answers that don't end soon: events one by one, silence, clients that leave, are slow, or outlive their token. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { EventStream } from '../support/event-stream.ts';
import { startIssuer } from '../support/issuer.ts';
import { eventually } from '../support/loopback.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { metric, requestText, startWorld, toolCall, type Ask, type World } from './world.ts';
import { startProgram } from '../support/program.ts';

const accept = [['Accept', 'application/json, text/event-stream']] as const;

/** Sends a request and leaves the connection open. */
async function open(world: World, request: Ask = {}): Promise<RawClient> {
  const client = await connectRaw({ port: world.gateway.port });
  const token = world.issuer.token();
  client.send(requestText(world.gateway.port, { token, headers: accept, ...request }));
  return client;
}

describe('A26 event streams', () => {
  it('arrive event by event, as they are sent (A26)', async () => {
    await using world = await startWorld();
    const stream = new EventStream({ 'mcp-x': 's-1', 'x-accel-buffering': 'yes' });
    world.upstream.answer(stream);
    await using client = await open(world);
    await stream.opened();
    const head = await client.head();
    expect([head.status, head.header('content-type')]).toEqual([200, ['text/event-stream']]);
    expect(head.header('mcp-x')).toEqual(['s-1']);
    expect(head.header('x-accel-buffering')).toEqual(['no']);
    for (let n = 1; n <= 5; n += 1) {
      await stream.send({ n });
      await client.received(`data: {"n":${n}}\n\n`, 1_000);
      expect(client.pending.toString()).not.toContain(`{"n":${n + 1}}`);
    }
    await stream.end();
    const whole = await client.response();
    expect(whole.body.toString()).toBe(
      [1, 2, 3, 4, 5].map((n) => `event: message\ndata: {"n":${n}}\n\n`).join(''),
    );
  });

  it('carry a sampling request whose answer comes after some seconds of silence (A26)', async () => {
    await using world = await startWorld({ upstream: 'timeouts: { headers: 1s }' });
    const stream = new EventStream();
    world.upstream.answerOnce(stream);
    await using client = await open(world);
    await stream.opened();
    await stream.send({ jsonrpc: '2.0', id: 'sample-1', method: 'sampling/createMessage', params: {} });
    await client.received('sampling/createMessage');
    await sleep(3_000);
    const reply = '{"jsonrpc":"2.0","id":"sample-1","result":{"role":"assistant"}}';
    const posted = await world.ask({ token: world.issuer.token(), body: reply });
    expect(posted.status).toBe(200);
    expect((await world.upstream.request(2)).body.toString()).toBe(reply);
    await stream.send({ jsonrpc: '2.0', id: 1, result: { content: [] } });
    await stream.end();
    const { status, body } = await client.response();
    expect([status, body.toString()]).toEqual([200, expect.stringContaining('"id":1')]);
  });

  it('stay open for GET, with their headers before the first event (A26)', async () => {
    await using world = await startWorld();
    const stream = new EventStream();
    world.upstream.answer(stream);
    await using client = await open(world, { method: 'GET' });
    await stream.opened();
    expect((await client.head(1_000)).status).toBe(200);
    expect(await metric(world.gateway, 'portcullis_streams_open{route="tools"}')).toBe(1);
    await stream.end();
    await client.response();
    await expect.poll(() => metric(world.gateway, 'portcullis_streams_open{route="tools"}')).toBe(0);
  });

  it('that break off at the upstream break off at the client: no clean end (A26)', async () => {
    await using world = await startWorld();
    const stream = new EventStream();
    world.upstream.answer(stream);
    await using client = await open(world);
    await stream.opened();
    await stream.send({ half: true });
    await client.received('"half"');
    await stream.reset();
    await client.closedByPeer(2_000);
    expect(client.pending.toString()).not.toMatch(/\r\n0\r\n\r\n$/);
    await expect.poll(() => world.gateway.audit).toMatchObject([{ end: 'upstream_reset' }]);
  });
});

describe('U1 a client that goes away', () => {
  it.each(['POST', 'GET', 'DELETE'])(
    'before the headers ends its %s at the upstream within a second (U1)',
    async (method) => {
      await using world = await startWorld();
      world.upstream.answer('hang');
      await using client = await open(world, { method });
      const request = await world.upstream.request();
      await sleep(50);
      const left = performance.now();
      client.reset();
      await eventually('the upstream sees it', () => request.aborted, 2_000);
      expect((request.abortedAt ?? Infinity) - left).toBeLessThan(1_000);
      await expect
        .poll(() => world.gateway.audit)
        .toMatchObject([{ status: 499, reason: 'client_left', end: 'client_left' }]);
    },
  );

  it.each(['POST', 'GET'])(
    'in the middle of a stream ends its %s at the upstream within a second (U1)',
    async (method) => {
      await using world = await startWorld();
      const stream = new EventStream();
      world.upstream.answer(stream);
      await using client = await open(world, { method });
      await stream.opened();
      await stream.send({ first: true });
      await client.received('first');
      const left = performance.now();
      await client.close();
      expect((await stream.closed(2_000)) - left).toBeLessThan(1_000);
      await expect.poll(() => world.gateway.audit).toMatchObject([{ status: 200, end: 'client_left' }]);
    },
  );

  it('in the middle of a long answer ends it at the upstream within a second (U1)', async () => {
    await using world = await startWorld();
    const plain = new EventStream({ 'content-type': 'application/octet-stream' });
    world.upstream.answer(plain);
    await using client = await open(world);
    await plain.opened();
    await plain.write(Buffer.alloc(100_000));
    await client.head();
    const left = performance.now();
    client.reset();
    expect((await plain.closed(2_000)) - left).toBeLessThan(1_000);
  });
});

describe('U6 a silent stream', () => {
  it('gets its headers at once and a comment whenever it was silent for the configured time (U6)', async () => {
    await using world = await startWorld({ route: 'streams: { keepAlive: 1s }' });
    const stream = new EventStream();
    world.upstream.answer(stream);
    await using client = await open(world);
    await stream.opened();
    const opened = performance.now();
    await client.head(500);
    await client.received('\r\n\r\n3\r\n:\n\n', 2_000);
    expect(performance.now() - opened).toBeGreaterThan(800);
    expect(performance.now() - opened).toBeLessThan(1_700);
    await eventually('a second comment', () => client.pending.toString().split(':\n\n').length === 3, 2_000);
  });

  it('gets none inside an event, and none while events come (U6)', async () => {
    await using world = await startWorld({ route: 'streams: { keepAlive: 1s }' });
    const stream = new EventStream();
    world.upstream.answer(stream);
    await using client = await open(world);
    await stream.opened();
    await stream.write('event: message\ndata: {"half":');
    await sleep(1_600);
    expect(client.pending.toString()).not.toContain(':\n\n');
    await stream.write('true}\n');
    await sleep(1_200);
    expect(client.pending.toString()).not.toContain('\n:\n\n');
    for (let n = 0; n < 4; n += 1) {
      await stream.write(`${n === 0 ? '\n' : ''}data: ${n}\n\n`);
      await sleep(500);
    }
    expect(client.pending.toString()).not.toContain('\n:\n\n');
    await client.received(':\n\n', 2_000);
    await stream.end();
    const events = (await client.response()).body.toString().replaceAll(/(?<=^|\n\n):\n\n/g, '');
    expect(events).toBe(
      'event: message\ndata: {"half":true}\n\ndata: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\n',
    );
  });
});

describe('a stream whose token expires', () => {
  const streamFor = async (closeOnExpiry: string, expiresInSeconds: number) => {
    const world = await startWorld({ route: `streams: { closeOnExpiry: ${closeOnExpiry} }` });
    const stream = new EventStream();
    world.upstream.answer(stream);
    const exp = Math.floor(Date.now() / 1_000) + expiresInSeconds;
    const client = await open(world, { token: world.issuer.token({ claims: { exp } }) });
    await stream.opened();
    await stream.send({ first: true });
    await client.received('first');
    return {
      world,
      stream,
      client,
      exp,
      async [Symbol.asyncDispose]() {
        await client.close();
        await world[Symbol.asyncDispose]();
      },
    };
  };

  it('ends cleanly at exp and grace, at both ends (closeOnExpiry, A01)', async () => {
    await using running = await streamFor('1s', 2);
    const { world, stream, client, exp } = running;
    await stream.closed(5_000);
    const late = Date.now() - (exp + 1) * 1_000;
    expect(late).toBeGreaterThan(-50);
    expect(late).toBeLessThan(1_000);
    const { body } = await client.response();
    expect(body.toString()).toBe('event: message\ndata: {"first":true}\n\n');
    await expect.poll(() => world.gateway.audit).toMatchObject([{ end: 'token_expired', status: 200 }]);
  });

  it('goes on where the route says never (closeOnExpiry)', async () => {
    await using running = await streamFor('never', 1);
    const { stream, client } = running;
    await sleep(2_000);
    await stream.send({ still: 'there' });
    await client.received('still');
  });
});

it(
  'a slow client slows the upstream: of 128 MiB the gateway holds less than 32 MiB (U2)',
  { timeout: 60_000 },
  async () => {
    const mebibyte = 1_024 * 1_024;
    const total = 128 * mebibyte;
    const chunk = Buffer.from(`data: ${'x'.repeat(64 * 1_024 - 8)}\n\n`);
    await using parts = new AsyncDisposableStack();
    const issuer = parts.use(await startIssuer({ algorithms: ['ES256'] }));
    const upstream = parts.use(await startRecordingUpstream());
    // A process of its own: its memory is the gateway's alone.
    const { port, opsUrl, audience } = parts.use(
      await startProgram({
        yaml: `authorizationServers: [{ issuer: '${issuer.url}' }]
routes: [{ path: /mcp, upstream: '${upstream.url}' }]
`,
      }),
    );
    const token = issuer.token({ claims: { aud: audience } });
    const residentBytes = async (): Promise<number> => {
      const text = await (await fetch(`${opsUrl}/metrics`)).text();
      return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
    };
    const ask = async () => {
      const stream = new EventStream();
      upstream.answerOnce(stream);
      const socket = connect({ port, host: '127.0.0.1' });
      parts.defer(() => void socket.destroy());
      socket.write(requestText(port, { token, headers: accept, body: toolCall() }));
      await stream.opened();
      const transfer = { sent: 0, received: 0 };
      socket.on('data', (data: Buffer) => (transfer.received += data.length));
      const sending = (async () => {
        for (; transfer.sent < total; transfer.sent += chunk.length) await stream.write(chunk);
        await stream.end();
      })();
      return { socket, transfer, sending };
    };
    // What the runtime takes for such an answer at full speed is no matter of slowness.
    const fast = await ask();
    await fast.sending;
    await eventually('all of it', () => fast.transfer.received > total, 20_000);

    const before = await residentBytes();
    const { socket, transfer, sending } = await ask();
    socket.pause();
    // As long as the client doesn't read, the upstream gets rid of no more than sockets hold.
    await sleep(1_000);
    const stalledAt = transfer.sent;
    await sleep(1_000);
    expect(transfer.sent).toBe(stalledAt);
    expect(transfer.sent).toBeLessThan(total / 2);
    let most = await residentBytes();
    expect((most - before) / mebibyte).toBeLessThan(32);
    for (let pauses = 0; transfer.sent < total; pauses += 1) {
      socket.resume();
      await sleep(5);
      socket.pause();
      await sleep(20);
      if (pauses % 5 === 0) most = Math.max(most, await residentBytes());
    }
    socket.resume();
    await sending;
    await eventually('all of it', () => transfer.received > total, 20_000);
    most = Math.max(most, await residentBytes());
    expect((most - before) / mebibyte).toBeLessThan(32);
  },
);
