/** A Redis that isn't there, dies, hangs or says no (fault catalogue D-012, as far as used proofs go). */
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../attack/answers.ts';
import { startScene, type Scene } from '../attack/scene.ts';
import { metric } from '../integration/world.ts';
import { mark } from '../support/invariants.ts';
import { eventually, listenOnLoopback } from '../support/loopback.ts';
import { ProofKey, type ProofParts } from '../support/proof-key.ts';
import type { RawResponse } from '../support/raw-response.ts';
import { redisMissing, startRedis, redisNote, type RedisServer } from '../support/redis.ts';
import { Secrets } from '../support/secrets.ts';

const routes = `state: { redis: { url: { env: REDIS_URL } } }
routes:
  - { name: tools, path: /mcp, scopes: [mcp:use], dpop: optional, upstream: '$upstream' }`;

/** A gateway whose state is at this URL; it doesn't wait for it. */
function startOn(url: string): Promise<Scene> {
  return startScene({ routes, environment: { REDIS_URL: url } });
}

const key = new ProofKey();

function bound(scene: Scene): string {
  return scene.token({ key: 'ES256', claims: { cnf: { jkt: key.jkt } } });
}

function linesFor(scene: Scene, token: string, parts: ProofParts = {}): readonly string[] {
  return key.lines({ url: scene.resource(), token }, parts);
}

/** A request with a new proof. */
function prove(scene: Scene, token: string): Promise<RawResponse> {
  return scene.ask({ lines: linesFor(scene, token) });
}

function expectUnavailable(answer: RawResponse): void {
  expect(answer.status).toBe(503);
  expect(Number(answer.header('retry-after')[0])).toBeGreaterThan(0);
  expect(answer.header('www-authenticate')).toEqual([]);
  expectError(answer, { code: 50300, message: 'Used proofs cannot be looked up' });
}

/** Asks until a proof passes; none may be answered in a third way. */
async function expectBackWithin(scene: Scene, token: string, withinMs: number): Promise<void> {
  await eventually(
    'a proof passes again',
    async () => {
      const answer = await prove(scene, token);
      if (answer.status === 200) return true;
      expectUnavailable(answer);
      return false;
    },
    withinMs,
  );
}

describe.skipIf(redisMissing !== undefined)(`a Redis that fails${redisNote}`, () => {
  let redis: RedisServer;
  let scene: Scene;
  let token: string;

  beforeAll(async () => {
    redis = await startRedis();
    scene = await startOn(redis.url);
    token = bound(scene);
    await expectBackWithin(scene, token, 5000);
  });

  afterAll(async () => {
    await scene?.close();
    await redis?.close();
  });

  it('D-012: and dies gives every proof 503, bearers nothing, and is used again within 5 s of its return', async () => {
    const replayed = linesFor(scene, token);
    expect((await scene.ask({ lines: replayed })).status).toBe(200);
    await redis.kill();
    const before = await mark(scene);
    for (let index = 0; index < 5; index += 1) expectUnavailable(await prove(scene, token));
    // What was let in before isn't let in again because nobody can look it up.
    expectUnavailable(await scene.ask({ lines: replayed }));
    expect((await scene.ask({ token: scene.token({ key: 'ES256' }) })).status).toBe(200);
    // A broken proof needs no Redis to be refused.
    expect((await scene.ask({ lines: linesFor(scene, token, { claims: { htm: 'GET' } }) })).status).toBe(401);
    await before.hold({
      forwarded: 1,
      reasons: [
        ...Array.from({ length: 6 }, () => 'replay_store_unavailable' as const),
        'ok',
        'proof_method',
      ],
    });
    expect(await metric(scene.gateway, 'portcullis_redis_connected')).toBe(0);
    expect(await metric(scene.gateway, 'portcullis_ready')).toBe(1);
    await redis.start();
    await expectBackWithin(scene, token, 5000);
    expect(await metric(scene.gateway, 'portcullis_redis_connected')).toBe(1);
  });

  it('D-012: and hangs is given up in time, without a queue, and used again when it answers', async () => {
    redis.pause();
    const startedAt = performance.now();
    const answers = await Promise.all(Array.from({ length: 50 }, () => prove(scene, token)));
    answers.forEach(expectUnavailable);
    // 250 ms each, all at once; far from 50 times that, and from Node's or Redis' own time-outs.
    expect(performance.now() - startedAt).toBeLessThan(5000);
    const meanwhile = performance.now();
    expectUnavailable(await prove(scene, token));
    expect(performance.now() - meanwhile).toBeLessThan(1000);
    redis.resume();
    await expectBackWithin(scene, token, 5000);
  });

  it('D-012: and says no to writes is no reason to let a proof pass', async () => {
    for (const [no, yes] of [
      [
        ['CONFIG', 'SET', 'maxmemory', '1'],
        ['CONFIG', 'SET', 'maxmemory', '0'],
      ],
      [
        ['CONFIG', 'SET', 'min-replicas-to-write', '3'],
        ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
      ],
      [
        ['REPLICAOF', '127.0.0.1', '1'],
        ['REPLICAOF', 'NO', 'ONE'],
      ],
    ] as const) {
      await redis.ask(...no);
      for (let index = 0; index < 3; index += 1) expectUnavailable(await prove(scene, token));
      await redis.ask(...yes);
      await expectBackWithin(scene, token, 5000);
    }
  });

  it('D-012: and loses a connection is asked over another one', async () => {
    for (let index = 0; index < 3; index += 1) {
      await redis.ask('CLIENT', 'KILL', 'TYPE', 'normal');
      await expectBackWithin(scene, token, 5000);
    }
  });

  it('D-012: under load never lets one proof pass twice, and is 503 at the worst', async () => {
    const proofs = Array.from({ length: 40 }, () => linesFor(scene, token));
    const passed = new Map<readonly string[], number>();
    const storm = proofs
      .flatMap((lines) => [lines, lines])
      .map(async (lines, index) => {
        if (index === 20) redis.pause();
        if (index === 40) redis.resume();
        if (index === 60) await redis.ask('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => '');
        const { status } = await scene.ask({ lines });
        expect([200, 401, 503]).toContain(status);
        if (status === 200) passed.set(lines, (passed.get(lines) ?? 0) + 1);
      });
    await Promise.all(storm);
    redis.resume();
    expect([...passed.values()].filter((times) => times > 1)).toEqual([]);
    await expectBackWithin(scene, token, 5000);
  });

  it('D-012: and the log says when it went and came, and never how to log in', async () => {
    const told = scene.gateway.log.filter(({ msg }) => String(msg).startsWith('Redis'));
    expect(told.map(({ outcome }) => outcome)).toContain('lost');
    expect(told.at(-1)).toMatchObject({ outcome: 'connected', level: 'info' });
    // It tells of changes, not of each attempt.
    for (const [index, line] of told.entries())
      expect(line['outcome']).not.toBe(told[index - 1]?.['outcome']);
    expectNoPassword(scene, redis.password);
  });
});

describe.skipIf(redisMissing !== undefined)(`a Redis with another password${redisNote}`, () => {
  it('D-012: is as good as none, and neither password is told', async () => {
    await using redis = await startRedis();
    const secrets = new Secrets();
    const wrong = secrets.mint('the wrong password');
    await using scene = await startOn(redis.url.replace(redis.password, wrong));
    expectUnavailable(await prove(scene, bound(scene)));
    await eventually('the reason is told', () => scene.gateway.written.includes('WRONGPASS'));
    await using without = await startOn(redis.url.replace(`:${redis.password}@`, ''));
    await eventually('nothing passes', async () => {
      expectUnavailable(await prove(without, bound(without)));
      return true;
    });
    expect(secrets.leaksIn({ written: scene.gateway.written })).toEqual([]);
    expectNoPassword(scene, redis.password);
  });
});

describe('a Redis that isn’t there', () => {
  it('D-012: at the start keeps nothing from starting, and only proofs from passing', async () => {
    const secrets = new Secrets();
    const password = secrets.mint('the password');
    await using scene = await startOn(`redis://:${password}@localhost:1/0`);
    expectUnavailable(await prove(scene, bound(scene)));
    expect((await scene.ask({ token: scene.token({ key: 'ES256' }) })).status).toBe(200);
    expect((await fetch(`${scene.gateway.opsUrl}/readyz`)).status).toBe(200);
    await eventually('the reason is told', () => scene.gateway.written.includes('ECONNREFUSED'));
    expect(secrets.leaksIn({ written: scene.gateway.written })).toEqual([]);
    const closing = performance.now();
    await scene.gateway.close();
    expect(performance.now() - closing).toBeLessThan(5000);
  });

  it('D-012: and something silent in its place is given up, and connections to it don’t add up', async () => {
    const sockets = new Set<Socket>();
    let opened = 0;
    const silent = createServer((socket) => {
      opened += 1;
      sockets.add(socket);
      socket.resume();
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    });
    const port = await listenOnLoopback(silent as never);
    try {
      await using scene = await startOn(`redis://127.0.0.1:${port}`);
      await eventually('it is tried again', () => opened >= 2, 10_000);
      expectUnavailable(await prove(scene, bound(scene)));
      await eventually('one connection at most', () => sockets.size <= 1);
      await scene.gateway.close();
      await eventually('none is left', () => sockets.size === 0);
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  it('D-012: and something in its place that quotes what it doesn’t understand gets no password into the log', async () => {
    const secrets = new Secrets();
    const password = secrets.mint('the password');
    const parrot = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        const words = chunk.toString('latin1').replaceAll('\r\n', ' ');
        socket.write(`-ERR unknown command, with args beginning with: ${words}\r\n`);
      });
    });
    const port = await listenOnLoopback(parrot as never);
    try {
      await using scene = await startOn(`redis://:${password}@127.0.0.1:${port}`);
      expectUnavailable(await prove(scene, bound(scene)));
      await eventually('the reason is told', () => scene.gateway.written.includes('Redis is gone (ERR)'));
      expect(secrets.leaksIn({ written: scene.gateway.written })).toEqual([]);
    } finally {
      parrot.close();
    }
  });
});

function expectNoPassword(scene: Scene, password: string): void {
  const secrets = new Secrets();
  secrets.watch('the password', password);
  expect(secrets.leaksIn({ written: scene.gateway.written })).toEqual([]);
}
