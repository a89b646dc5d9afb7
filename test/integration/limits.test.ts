/** Rates and caps: who asks too much is told to slow down, and nobody else notices (row P5, attack catalogue D-006, D-011). */
import { describe, expect, it } from 'vitest';
import { EventStream } from '../support/event-stream.ts';
import { eventually } from '../support/loopback.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import type { RawResponse } from '../support/raw-response.ts';
import { redisMissing, redisNote, startRedis } from '../support/redis.ts';
import { auditFault } from './audit-schema.ts';
import { json, metric, only, requestText, startWorld, toolCall, type World } from './world.ts';

const limited = (key: string, requests = 10): string =>
  `rateLimit: { requests: ${requests}, per: 1h, key: ${key} }`;

function tokenOf(world: World, sub: string, claims: Readonly<Record<string, unknown>> = {}): string {
  return world.issuer.token({ claims: { sub, ...claims } });
}

/** As many calls as said, one after the other. */
async function call(world: World, token: string, tools: readonly string[]): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (const tool of tools) statuses.push((await world.ask({ token, body: toolCall(1, tool) })).status);
  return statuses;
}

const times = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value);

function expectSlowDown(response: RawResponse, id: unknown, message = 'Too many requests'): void {
  expect(response.status).toBe(429);
  expect(json(response)).toEqual({ jsonrpc: '2.0', id, error: { code: 42900, message } });
  const seconds = Number(only(response, 'retry-after'));
  expect(Number.isInteger(seconds)).toBe(true);
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(3600);
  expect(response.header('www-authenticate')).toEqual([]);
  expect(only(response, 'cache-control')).toBe('no-store');
}

describe('a rate of principals', () => {
  it('answers the 11th call in a window of 10 with 429, and another principal isn’t affected (P5)', async () => {
    await using world = await startWorld({ route: limited('principal') });
    const alice = tokenOf(world, 'alice');
    expect(await call(world, alice, times(10, 'echo'))).toEqual(times(10, 200));
    expectSlowDown(await world.ask({ token: alice, body: toolCall('eleven') }), 'eleven');
    expect(world.upstream.requests).toHaveLength(10);
    expect(await call(world, tokenOf(world, 'bob'), ['echo'])).toEqual([200]);
    const event = await world.gateway.auditEvent(({ status }) => status === 429);
    expect(event).toMatchObject({ decision: 'deny', reason: 'principal_rate', rpcMethod: 'tools/call' });
    expect(event['principal']).toMatchObject({ subject: 'alice' });
    expect(world.gateway.audit.map(auditFault)).toEqual(world.gateway.audit.map(() => undefined));
    const series = 'portcullis_rate_limited_total{route="tools",limit="principal"}';
    expect(await metric(world.gateway, series)).toBe(1);
  });

  it('counts a person by issuer and subject, whatever the token and the client (D-011)', async () => {
    await using world = await startWorld({ route: limited('principal', 2) });
    expect(await call(world, tokenOf(world, 'alice'), ['echo'])).toEqual([200]);
    expect(await call(world, tokenOf(world, 'alice', { client_id: 'other' }), ['echo'])).toEqual([200]);
    expect(await call(world, tokenOf(world, 'alice', { client_id: 'third' }), ['echo'])).toEqual([429]);
  });

  it('begins a new window when the time is over', async () => {
    let now = Date.now();
    const seconds = (): number => Math.floor(now / 1000);
    await using world = await startWorld({
      route: 'rateLimit: { requests: 1, per: 10s }',
      clock: () => now,
      issuerOptions: { now: seconds },
    });
    const token = tokenOf(world, 'alice');
    expect(await call(world, token, ['echo', 'echo'])).toEqual([200, 429]);
    now += 9_000;
    expect(only(await world.ask({ token }), 'retry-after')).toBe('1');
    now += 1_000;
    expect(await call(world, token, ['echo', 'echo'])).toEqual([200, 429]);
  });

  it('counts every message of a batch: it is no way around the limit', async () => {
    await using world = await startWorld({ route: limited('principal') });
    const token = tokenOf(world, 'alice');
    const batch = (size: number): string => `[${times(size, toolCall()).join(',')}]`;
    expect((await world.ask({ token, body: batch(10) })).status).toBe(202);
    expectSlowDown(await world.ask({ token, body: batch(1) }), null);
  });

  it('counts requests without a message too', async () => {
    await using world = await startWorld({ route: limited('principal', 2) });
    world.upstream.answer({ body: {} });
    const token = tokenOf(world, 'alice');
    expect((await world.ask({ method: 'DELETE', token })).status).toBe(200);
    expect((await world.ask({ method: 'DELETE', token })).status).toBe(200);
    expectSlowDown(await world.ask({ method: 'DELETE', token }), null);
  });
});

it('a rate of a route counts all principals together, and no other route (P5)', async () => {
  await using world = await startWorld({
    yaml: ({ issuer, upstream }) => `
authorizationServers: [{ name: corp, issuer: '${issuer.url}', audiences: [all] }]
routes:
  - { name: tools, path: /mcp, ${limited('route', 2)}, upstream: '${upstream.url}' }
  - { name: other, path: /other, upstream: '${upstream.url}' }
`,
  });
  const [alice, bob] = ['alice', 'bob'].map((sub) => tokenOf(world, sub, { aud: 'all' }));
  if (alice === undefined || bob === undefined) throw new Error('two people');
  expect(await call(world, alice, ['echo', 'echo'])).toEqual([200, 200]);
  expectSlowDown(await world.ask({ token: bob }), 1);
  expect((await world.ask({ target: '/other', token: bob })).status).toBe(200);
});

describe('a rate of tools', () => {
  it('counts each tool of each principal by itself, and all else together (P5)', async () => {
    await using world = await startWorld({ route: limited('tool', 2) });
    const alice = tokenOf(world, 'alice');
    expect(await call(world, alice, ['search', 'search', 'search'])).toEqual([200, 200, 429]);
    expect(await call(world, alice, ['echo'])).toEqual([200]);
    expect(await call(world, tokenOf(world, 'bob'), ['search'])).toEqual([200]);
    const list = (id: number): string => JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/list' });
    const read = JSON.stringify({
      jsonrpc: '2.0',
      id: 3,
      method: 'resources/read',
      params: { uri: 'a://b' },
    });
    const others = [list(1), list(2), read];
    const statuses: number[] = [];
    for (const body of others) statuses.push((await world.ask({ token: alice, body })).status);
    expect(statuses).toEqual([200, 200, 429]);
    const batch = `[${toolCall(1, 'echo')},${toolCall(2, 'search')}]`;
    expectSlowDown(await world.ask({ token: alice, body: batch }), null);
  });

  it('gives who invents names no more than some allowances (D-011)', async () => {
    await using world = await startWorld({ route: limited('tool', 1) });
    const token = tokenOf(world, 'alice');
    const batches = Array.from({ length: 8 }, (_, at) =>
      Array.from({ length: 50 }, (_unused, index) => toolCall(index, `invented-${at * 50 + index}`)),
    );
    const statuses: number[] = [];
    for (const batch of batches)
      statuses.push((await world.ask({ token, body: `[${batch.join(',')}]` })).status);
    expect(statuses).toEqual([...times(5, 202), ...times(3, 429)]);
  });
});

describe('a rate of a rule', () => {
  const policy = `policy: [
    { name: searching, tools: [search], rateLimit: { requests: 2, per: 1h } },
    { name: others, tools: ['*'] }]`;

  it('counts what the rule admits, for each principal by itself (P5)', async () => {
    await using world = await startWorld({ route: policy });
    const alice = tokenOf(world, 'alice');
    expect(await call(world, alice, ['search', 'echo', 'search'])).toEqual([200, 200, 200]);
    expectSlowDown(await world.ask({ token: alice, body: toolCall('three', 'search') }), 'three');
    expect(await call(world, alice, ['echo'])).toEqual([200]);
    expect(await call(world, tokenOf(world, 'bob'), ['search'])).toEqual([200]);
    const event = await world.gateway.auditEvent(({ status }) => status === 429);
    expect(event).toMatchObject({ decision: 'deny', reason: 'rule_rate', rule: 'searching' });
    expect(auditFault(event)).toBeUndefined();
  });

  it('counts every call of a batch', async () => {
    await using world = await startWorld({ route: policy });
    const token = tokenOf(world, 'alice');
    const batch = (tools: readonly string[]): string =>
      `[${tools.map((tool, id) => toolCall(id, tool)).join(',')}]`;
    expect((await world.ask({ token, body: batch(['search', 'echo', 'search']) })).status).toBe(202);
    expectSlowDown(await world.ask({ token, body: batch(['echo', 'search']) }), null);
    expect((await world.ask({ token, body: batch(['echo', 'echo']) })).status).toBe(202);
  });
});

it('on an open route callers are counted by address, as a trusted proxy tells it', async () => {
  await using world = await startWorld({
    yaml: ({ upstream, publicUrl }) => `
listen: { host: 127.0.0.1, port: ${new URL(publicUrl).port}, trustProxy: [127.0.0.1] }
routes: [{ name: tools, path: /mcp, access: open, ${limited('principal', 2)}, upstream: '${upstream.url}' }]
`,
  });
  const from = (addresses: string): Promise<RawResponse> =>
    world.ask({ headers: [['X-Forwarded-For', addresses]] });
  expect((await from('198.51.100.1')).status).toBe(200);
  expect((await from('198.51.100.1')).status).toBe(200);
  expectSlowDown(await from('198.51.100.1'), 1);
  // What a client writes before the proxy's own entry makes it nobody else.
  expectSlowDown(await from('198.51.100.9, 198.51.100.1'), 1);
  expect((await from('198.51.100.2')).status).toBe(200);
});

describe('what one principal has under way', () => {
  const route = 'limits: { perPrincipal: { calls: 2, streams: 1 } }';

  async function open(world: World, request: Parameters<typeof requestText>[1]): Promise<RawClient> {
    const client = await connectRaw({ port: world.gateway.port });
    client.send(requestText(world.gateway.port, request));
    return client;
  }

  it('is bounded for calls: 429 for the one, nothing for the others, and room again when a call ends', async () => {
    await using world = await startWorld({ route });
    world.upstream.answer({ body: {} });
    const alice = tokenOf(world, 'alice');
    world.upstream.answerOnce('hang');
    world.upstream.answerOnce('hang');
    const clients = [await open(world, { token: alice }), await open(world, { token: alice })];
    await world.upstream.request(2);
    expectSlowDown(await world.ask({ token: alice }), null, 'Too many requests under way');
    expect((await world.ask({ token: tokenOf(world, 'bob') })).status).toBe(200);
    // The stream on which the server speaks has a room of its own.
    expect((await world.ask({ method: 'GET', token: alice })).status).toBe(200);
    clients[0]?.reset();
    await eventually('there is room', async () => (await world.ask({ token: alice })).status === 200);
    await Promise.all(clients.map((client) => client.close()));
    const event = await world.gateway.auditEvent(({ status }) => status === 429);
    expect(event).toMatchObject({ decision: 'deny', reason: 'principal_calls' });
    expect(auditFault(event)).toBeUndefined();
    expect(
      await metric(world.gateway, 'portcullis_rate_limited_total{route="tools",limit="principal_calls"}'),
    ).toBeGreaterThan(0);
  });

  it('is bounded for streams, whatever token opened them, and ends with them (D-006)', async () => {
    await using world = await startWorld({ route });
    world.upstream.answer({ body: {} });
    const stream = new EventStream();
    world.upstream.answerOnce(stream);
    const client = await open(world, { method: 'GET', token: tokenOf(world, 'alice') });
    await stream.opened();
    expectSlowDown(
      await world.ask({ method: 'GET', token: tokenOf(world, 'alice') }),
      null,
      'Too many requests under way',
    );
    expect((await world.ask({ token: tokenOf(world, 'alice') })).status).toBe(200);
    client.reset();
    await eventually(
      'there is room',
      async () => (await world.ask({ method: 'GET', token: tokenOf(world, 'alice') })).status === 200,
    );
  });

  it('begins before the body has come, and ends with every answer', async () => {
    await using world = await startWorld({ route });
    world.upstream.answer({ body: {} });
    const alice = tokenOf(world, 'alice');
    const header = `POST /mcp HTTP/1.1\r\nHost: localhost:${world.gateway.port}\r\nAuthorization: Bearer ${alice}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`;
    const uploads = await Promise.all([1, 2].map(() => connectRaw({ port: world.gateway.port })));
    for (const upload of uploads) upload.send(header);
    await eventually('both count', async () => (await world.ask({ token: alice })).status === 429);
    for (const upload of uploads) upload.reset();
    await eventually('there is room', async () => (await world.ask({ token: alice })).status === 200);
    // Refused ones leave their place too.
    for (let index = 0; index < 5; index += 1)
      expect((await world.ask({ token: alice, body: 'no json' })).status).toBe(400);
    expect((await world.ask({ token: alice })).status).toBe(200);
  });
});

describe.skipIf(redisMissing !== undefined)(`a rate in Redis${redisNote}`, () => {
  it('is one for all replicas (D-011)', async () => {
    await using redis = await startRedis();
    const options = {
      route: limited('principal'),
      top: 'state: { redis: { url: { env: REDIS_URL } } }',
      environment: { REDIS_URL: redis.url },
    };
    await using one = await startWorld(options);
    await using other = await startWorld({
      ...options,
      yaml: ({ upstream, publicUrl }) => `
state: { redis: { url: { env: REDIS_URL } } }
authorizationServers: [{ name: corp, issuer: '${one.issuer.url}', audiences: ['${one.resource}'] }]
routes: [{ name: tools, path: /mcp, resource: '${publicUrl}/mcp', ${limited('principal')}, upstream: '${upstream.url}' }]
`,
    });
    for (const { gateway } of [one, other])
      await eventually(
        'Redis is there',
        async () => (await metric(gateway, 'portcullis_redis_connected')) === 1,
      );
    const token = tokenOf(one, 'alice');
    expect(await call(one, token, times(6, 'echo'))).toEqual(times(6, 200));
    expect(await call(other, token, times(6, 'echo'))).toEqual([...times(4, 200), 429, 429]);
    expectSlowDown(await one.ask({ token }), 1);
    expect(await metric(one.gateway, 'portcullis_rate_counted_alone_total')).toBeUndefined();
    // Names of people and tools stay out of it.
    const keys = await redis.ask('KEYS', '*');
    expect(keys).toContain('portcullis:rate:');
    expect(keys).not.toContain('alice');
  });
});
