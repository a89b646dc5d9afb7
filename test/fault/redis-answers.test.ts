/** Gateways that tell each other over Redis what an authorization server said of tokens (D-012, row I1). */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, exposition, metric } from '../integration/world.ts';
import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { IntrospectionEndpoint } from '../support/introspection-endpoint.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually, reserveFreePort } from '../support/loopback.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { redisMissing, redisNote, startRedis, type RedisServer } from '../support/redis.ts';
import { Secrets } from '../support/secrets.ts';

const sessionKey = randomBytes(32).toString('base64');
const otherKey = randomBytes(32).toString('base64');
const audience = 'tools';

describe.skipIf(redisMissing !== undefined)(`gateways that share a Redis${redisNote}`, () => {
  let redis: RedisServer;
  let issuer: Issuer;
  let endpoint: IntrospectionEndpoint;
  let upstream: RecordingUpstream;
  let aheadMs = 0;
  let one: RunningGateway;
  let two: RunningGateway;

  interface Shape {
    /** Of `sessions`, in YAML's flow style. */
    readonly sessions?: string;
    readonly client?: string;
  }

  function text({ sessions = '{ key: { env: KEY } }', client = 'gateway' }: Shape = {}): string {
    return `state: { redis: { url: { env: REDIS_URL } } }
${sessions === '' ? '' : `sessions: ${sessions}`}
authorizationServers: [{ name: corp, issuer: '${issuer.url}', audiences: [${audience}], introspection: { clientId: ${client}, clientSecret: { env: SECRET } } }]
routes: [{ name: tools, path: /mcp, upstream: '${upstream.url}' }]`;
  }

  async function start(shape: Shape = {}): Promise<RunningGateway> {
    const gateway = await startGateway(text(shape), {
      environment: { REDIS_URL: redis.url, KEY: sessionKey, OTHER: otherKey, SECRET: 'x'.repeat(20) },
      port: await reserveFreePort(),
      clock: () => Date.now() + aheadMs,
    });
    await connected(gateway);
    return gateway;
  }

  const connected = (gateway: RunningGateway): Promise<void> =>
    eventually(
      'Redis is connected',
      async () => (await metric(gateway, 'portcullis_redis_connected')) === 1,
      10_000,
    );
  const status = async (gateway: RunningGateway, token: string): Promise<number> =>
    (await ask(gateway.port, { token })).status;
  const keys = async (): Promise<readonly string[]> =>
    [...(await redis.ask('KEYS', '*')).matchAll(/^portcullis:answer:[A-Za-z0-9_-]{43}/gm)].map(
      ([name]) => name,
    );
  /** The answer is kept after the client has its own. */
  const kept = (count: number): Promise<void> =>
    eventually('the answer is kept', async () => (await keys()).length === count);

  beforeAll(async () => {
    redis = await startRedis();
    issuer = await startIssuer({ algorithms: ['ES256'] });
    endpoint = new IntrospectionEndpoint(issuer);
    upstream = await startRecordingUpstream();
    one = await start();
    two = await start();
  });
  afterAll(async () => {
    await Promise.all([one, two, issuer, upstream, redis].map((part) => part?.close()));
  });

  it('ask once about a token for all of them, and keep nothing that can be read (I1, D-012)', async () => {
    const token = endpoint.issue(audience, { sub: 'alice', email: 'alice@example.com' });
    expect(await status(one, token)).toBe(200);
    await kept(1);
    expect(await status(two, token)).toBe(200);
    expect(endpoint.callsFor(token)).toBe(1);
    expect(upstream.requests.at(-1)?.header('x-auth-subject')).toEqual(['alice']);
    const counted = await exposition(two);
    expect(counted).toContain(
      'portcullis_introspections_total{authorization_server="corp",outcome="shared"} 1',
    );
    const [name = ''] = await keys();
    const held = await redis.ask('GET', name);
    const secrets = new Secrets();
    secrets.watch('the token', token);
    secrets.watch('an address', 'alice@example.com');
    expect(secrets.leaksIn({ name, held })).toEqual([]);
    expect(held).not.toContain('alice');
    const remaining = Number(/:(\d+)/.exec(await redis.ask('PTTL', name))?.[1]);
    expect(remaining).toBeGreaterThan(0);
    expect(remaining).toBeLessThanOrEqual(30_000);
  });

  it('hold an answer no longer than each of them would by itself, and a revocation for all (I1)', async () => {
    const token = endpoint.issue(audience);
    expect(await status(one, token)).toBe(200);
    await eventually('the answer is kept', async () => (await keys()).length > 0);
    expect(await status(two, token)).toBe(200);
    endpoint.revoke(token);
    aheadMs += 31_000;
    // Redis has it still, by its own clock; it is too old by theirs.
    expect(await status(two, token)).toBe(401);
    await eventually('nobody is told that it is good', async () => (await status(one, token)) === 401);
    expect(endpoint.callsFor(token)).toBeGreaterThanOrEqual(2);
  });

  it('believe no answer but their own, for the token and the client that it was given for (D-012)', async () => {
    await redis.ask('FLUSHALL');
    const token = endpoint.issue(audience, { sub: 'alice' });
    expect(await status(one, token)).toBe(200);
    await kept(1);
    const [name = ''] = await keys();
    const sealed = /\r\n([\w-]+)\r\n/.exec(await redis.ask('GET', name))?.[1] ?? '';
    // Someone who can write to Redis gives a token that nobody issued the place of alice's, and words of his own.
    const invented = 'opaque.invented';
    expect(await status(one, invented)).toBe(401);
    await redis.ask('FLUSHALL');
    const probe = endpoint.issue(audience, { sub: 'mallory' });
    expect(await status(one, probe)).toBe(200);
    await kept(1);
    const [probeName = ''] = await keys();
    for (const forged of [
      sealed,
      `${sealed.slice(0, -3)}AAA`,
      '',
      JSON.stringify({ claims: { sub: 'alice' }, askedAt: Date.now() }),
      'x'.repeat(1_000_000),
    ]) {
      await redis.ask('SET', probeName, forged);
      await using fresh = await start();
      const before = endpoint.callsFor(probe);
      expect(await status(fresh, probe)).toBe(200);
      expect(upstream.requests.at(-1)?.header('x-auth-subject')).toEqual(['mallory']);
      expect(endpoint.callsFor(probe)).toBe(before + 1);
    }
    await using stranger = await start({ client: 'another' });
    await using rotated = await start({ sessions: '{ key: { env: OTHER } }' });
    await using keyless = await start({ sessions: '' });
    for (const gateway of [stranger, rotated, keyless]) {
      const before = endpoint.callsFor(probe);
      expect(await status(gateway, probe)).toBe(200);
      expect(endpoint.callsFor(probe)).toBe(before + 1);
    }
  });

  it('seal with the key that a reload brought, and open what those before it sealed (D-012)', async () => {
    const sessions = '{ key: { env: OTHER }, previous: [{ env: KEY }] }';
    await using rotated = await start();
    await redis.ask('FLUSHALL');
    const token = endpoint.issue(audience);
    expect(await status(two, token)).toBe(200);
    await kept(1);
    expect(await rotated.reload(text({ sessions }))).toBe('applied');
    expect(await status(rotated, token)).toBe(200);
    expect(endpoint.callsFor(token)).toBe(1);
    const later = endpoint.issue(audience);
    expect(await status(rotated, later)).toBe(200);
    await kept(2);
    await using restarted = await start({ sessions });
    expect(await status(restarted, later)).toBe(200);
    expect(endpoint.callsFor(later)).toBe(1);
    // It has the old key alone.
    expect(await status(two, later)).toBe(200);
    expect(endpoint.callsFor(later)).toBe(2);
  });

  it('put nothing into Redis for tokens that aren’t active: strangers cannot fill it (D-012)', async () => {
    await redis.ask('FLUSHALL');
    await Promise.all(Array.from({ length: 20 }, (_, index) => status(one, `opaque.invented-${index}`)));
    const token = endpoint.issue(audience);
    expect(await status(one, token)).toBe(200);
    await kept(1);
  });

  it('each ask by themselves while Redis is gone or full, and no request waits for more than it is given (D-012)', async () => {
    const token = endpoint.issue(audience);
    await redis.ask('CONFIG', 'SET', 'maxmemory', '1');
    expect(await status(one, token)).toBe(200);
    await redis.ask('CONFIG', 'SET', 'maxmemory', '0');
    await connected(two);
    redis.pause();
    const startedAt = performance.now();
    expect(await status(two, token)).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    redis.resume();
    await redis.kill();
    const another = endpoint.issue(audience);
    expect([await status(one, another), await status(two, another)]).toEqual([200, 200]);
    expect(endpoint.callsFor(another)).toBe(2);
    await redis.start();
    await connected(one);
    await connected(two);
    const third = endpoint.issue(audience);
    expect(await status(one, third)).toBe(200);
    await kept(1);
    expect(await status(two, third)).toBe(200);
    expect(endpoint.callsFor(third)).toBe(1);
  });
});
