/** U4: HTTP with SSE of 2024-11-05 through the gateway, under any path. */
import { describe, expect, it } from 'vitest';
import { connectRaw } from '../support/raw-client.ts';
import { EventStream } from '../support/event-stream.ts';
import {
  ask,
  json,
  only,
  requestText,
  startWorld,
  toolCall,
  type World,
  type WorldOptions,
} from './world.ts';

const legacy = 'transport: sse, sharedProcess: isolated';
const accept = [['Accept', 'text/event-stream']] as const;
const start = (options: WorldOptions = {}): Promise<World> =>
  startWorld({ path: '/team/legacy/sse', upstream: legacy, ...options });

async function openStream(world: World, text: string, token = world.issuer.token()) {
  world.upstream.answerOnce((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(text);
  });
  const client = await connectRaw({ port: world.gateway.port });
  client.send(
    requestText(world.gateway.port, { method: 'GET', target: '/team/legacy/sse', token, headers: accept }),
  );
  return client;
}

const endpointEvent = 'event: endpoint\ndata: /message?sessionId=s-1\n\n';

async function endpointOf(world: World, token?: string): Promise<string> {
  await using client = await openStream(world, endpointEvent, token);
  await client.received('\n\n', 2_000);
  await expect.poll(() => /data: (\S+)/.exec(client.pending.toString())?.[1]).toBeDefined();
  return /data: (\S+)/.exec(client.pending.toString())?.[1] ?? '';
}

describe('a legacy stream', () => {
  it('names an address of the gateway, and what is posted there goes where the server said (U4)', async () => {
    await using world = await start();
    const token = world.issuer.token();
    const endpoint = await endpointOf(world, token);
    expect(endpoint).toMatch(/^\/team\/legacy\/sse\?session=[\w-]+$/);
    world.upstream.answer({ status: 202, body: 'Accepted' });
    const response = await world.ask({ target: endpoint, token });
    expect(response.status).toBe(202);
    const posted = await world.upstream.request(2);
    expect([posted.method, posted.target, posted.body.toString()]).toEqual([
      'POST',
      '/message?sessionId=s-1',
      toolCall(),
    ]);
    expect(posted.header('x-auth-subject')).toEqual([expect.any(String)]);
  });

  it('can name it absolutely, for clients that need that (U4)', async () => {
    await using world = await start({ upstream: `${legacy}, sseEndpoint: absolute` });
    expect(await endpointOf(world)).toMatch(
      new RegExp(`^http://localhost:${world.gateway.port}/team/legacy/sse\\?session=[\\w-]+$`),
    );
  });

  it('passes every other byte as it came, and comments into silence (U4, U6)', async () => {
    await using world = await start({ route: 'streams: { keepAlive: 1s }' });
    const before = ': welcome\r\n\r\n';
    const after = 'event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n';
    await using client = await openStream(world, `${before}${endpointEvent}${after}`);
    await client.received(after, 2_000);
    expect(client.pending.toString()).toContain(before);
    await client.received(':\n\n', 3_000);
  });

  it('belongs to who opened it: another person’s post is 404 and goes nowhere (U4, A25, C-045)', async () => {
    await using world = await start();
    const endpoint = await endpointOf(world, world.issuer.token({ claims: { sub: 'ada' } }));
    const stolen = await world.ask({
      target: endpoint,
      token: world.issuer.token({ claims: { sub: 'eve' } }),
    });
    expect([stolen.status, json(stolen)]).toEqual([
      404,
      { jsonrpc: '2.0', id: 1, error: { code: 40400, message: 'No such session' } },
    ]);
    expect(world.upstream.requests).toHaveLength(1);
  });

  it.each([
    ['session=forged', 404],
    ['session=', 404],
    ['session=a&session=b', 404],
    ['sessionId=s-1', 405],
    ['', 405],
  ])('takes nothing that was made up: ?%s is %i (U4)', async (query, status) => {
    await using world = await start();
    const response = await world.ask({
      target: `/team/legacy/sse?${query}`,
      token: world.issuer.token(),
    });
    expect(response.status).toBe(status);
    expect(only(response, 'allow')).toBe(status === 405 ? 'GET' : undefined);
    expect(world.upstream.requests).toHaveLength(0);
  });

  it('has no DELETE, and asks for a token before it says so', async () => {
    await using world = await start();
    const target = '/team/legacy/sse';
    expect((await ask(world.gateway.port, { method: 'DELETE', target })).status).toBe(401);
    const response = await world.ask({ method: 'DELETE', token: world.issuer.token() });
    expect([response.status, only(response, 'allow')]).toEqual([405, 'GET, POST']);
  });

  it.each([
    'http://evil.example/message',
    '//evil.example/message',
    'https://user@localhost/message',
    'javascript:alert(1)',
  ])('that names a foreign address is 502, and the client never sees it: %s (U4)', async (address) => {
    await using world = await start();
    await using client = await openStream(world, `event: endpoint\ndata: ${address}\n\n`);
    const response = await client.response({ withinMs: 3_000 });
    expect(response.status).toBe(502);
    expect(response.body.toString()).not.toContain('evil');
    expect((await world.gateway.auditEvent(() => true)).reason).toBe('garbage');
  });

  it.each(['http://evil.example/message', '/other/mcp'])(
    'that names a second address is ended before the client can take it: %s (U4, C-043)',
    async (address) => {
      await using world = await start();
      const stream = new EventStream();
      world.upstream.answerOnce(stream);
      await using client = await connectRaw({ port: world.gateway.port });
      client.send(
        requestText(world.gateway.port, {
          method: 'GET',
          target: '/team/legacy/sse',
          token: world.issuer.token(),
          headers: accept,
        }),
      );
      await stream.opened();
      await stream.write(endpointEvent);
      await client.received('session=', 2_000);
      await stream.write(`data: ${address}\nevent: endpoint\n\n`);
      await client.closedByPeer(2_000);
      expect(client.pending.toString()).not.toContain('endpoint\n\n');
      expect((await world.gateway.auditEvent(() => true)).reason).toBe('garbage');
      await expect.poll(() => world.upstream.aborted).toBe(1);
    },
  );

  it.each([
    ['is compressed', { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }],
    ['is none', { 'content-type': 'application/json' }],
  ])('that %s is 502 (U4)', async (_what, headers) => {
    await using world = await start();
    world.upstream.answerOnce({ headers, body: endpointEvent });
    expect((await world.ask({ method: 'GET', token: world.issuer.token(), headers: accept })).status).toBe(
      502,
    );
  });

  it('that ends before it named one is 502 (U4)', async () => {
    await using world = await start();
    const stream = new EventStream();
    world.upstream.answer(stream);
    const answer = world.ask({ method: 'GET', token: world.issuer.token(), headers: accept });
    await stream.opened();
    await stream.end();
    expect((await answer).status).toBe(502);
  });
});
