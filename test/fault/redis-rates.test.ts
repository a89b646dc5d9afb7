/** A Redis that dies or hangs while it counts requests (fault catalogue D-012): the limit goes on, in each process. */
import { describe, expect, it } from 'vitest';
import { startScene, type Scene } from '../attack/scene.ts';
import { metric } from '../integration/world.ts';
import { eventually } from '../support/loopback.ts';
import { redisMissing, redisNote, startRedis } from '../support/redis.ts';

const routes = `state: { redis: { url: { env: REDIS_URL } } }
routes: [{ name: tools, path: /mcp, scopes: [mcp:use], rateLimit: { requests: 10, per: 1h }, upstream: '$upstream' }]`;

function startOn(url: string): Promise<Scene> {
  return startScene({ routes, environment: { REDIS_URL: url } });
}

async function ask(scene: Scene, sub: string, count: number): Promise<readonly number[]> {
  const statuses: number[] = [];
  const token = scene.token({ key: 'ES256', claims: { sub } });
  for (let index = 0; index < count; index += 1) statuses.push((await scene.ask({ token })).status);
  return statuses;
}

const times = (count: number, status: number): readonly number[] =>
  Array.from({ length: count }, () => status);

function connected(scene: Scene, expected: 0 | 1): Promise<void> {
  return eventually(
    'the connection is as expected',
    async () => (await metric(scene.gateway, 'portcullis_redis_connected')) === expected,
    10_000,
  );
}

const alone = (scene: Scene): Promise<number | undefined> =>
  metric(scene.gateway, 'portcullis_rate_counted_alone_total');

describe.skipIf(redisMissing !== undefined)(`a Redis that fails${redisNote}`, () => {
  it('D-012: and dies makes no one’s allowance anew: each process counts on, and says so', async () => {
    await using redis = await startRedis();
    await using scene = await startOn(redis.url);
    await connected(scene, 1);
    expect(await ask(scene, 'alice', 6)).toEqual(times(6, 200));
    expect(await alone(scene)).toBeUndefined();
    await redis.kill();
    expect(await ask(scene, 'alice', 6)).toEqual([...times(4, 200), 429, 429]);
    expect(await ask(scene, 'bob', 11)).toEqual([...times(10, 200), 429]);
    expect(await alone(scene)).toBeGreaterThanOrEqual(14);
    const told = scene.gateway.log.find(({ outcome }) => outcome === 'lost');
    expect(told).toMatchObject({ level: 'warn' });
    expect(told?.['msg']).toContain('rates are counted by this process alone');
    await redis.start();
    await connected(scene, 1);
    const before = await alone(scene);
    expect(await ask(scene, 'carol', 11)).toEqual([...times(10, 200), 429]);
    expect(await alone(scene)).toBe(before);
    expect(await redis.ask('DBSIZE')).toContain(':1');
  });

  it('D-012: and hangs is given up in time, and no request with it', async () => {
    await using redis = await startRedis();
    await using scene = await startOn(redis.url);
    await connected(scene, 1);
    redis.pause();
    const startedAt = performance.now();
    const token = scene.token({ key: 'ES256' });
    const answers = await Promise.all(Array.from({ length: 30 }, () => scene.ask({ token })));
    expect(performance.now() - startedAt).toBeLessThan(5000);
    const statuses = answers.map(({ status }) => status).toSorted((one, other) => one - other);
    expect(statuses).toEqual([...times(10, 200), ...times(20, 429)]);
    redis.resume();
  });

  it('D-012: and says no to writes neither lets everyone pass nor no one', async () => {
    await using redis = await startRedis();
    await using scene = await startOn(redis.url);
    await connected(scene, 1);
    await redis.ask('CONFIG', 'SET', 'maxmemory', '1');
    expect(await ask(scene, 'alice', 11)).toEqual([...times(10, 200), 429]);
  });
});

it('D-012: a Redis that isn’t there at the start leaves the limit of this process', async () => {
  await using scene = await startOn('redis://localhost:1/0');
  expect(await ask(scene, 'alice', 11)).toEqual([...times(10, 200), 429]);
});
