/** What is between the gateway and its Redis: latency, refusals, TLS, a user with few rights (fault catalogue D-012). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { RedisConnection, type RedisReport } from '../../src/state/redis-connection.ts';
import { startScene, type Scene } from '../attack/scene.ts';
import { makeCertificate } from '../integration/certificates.ts';
import { metric } from '../integration/world.ts';
import { eventually, listenOnLoopback, reserveFreePort } from '../support/loopback.ts';
import { ProofKey } from '../support/proof-key.ts';
import { redisMissing, redisNote, startRedis, type RedisServer } from '../support/redis.ts';
import { startSlowRelay } from '../support/slow-relay.ts';

const key = new ProofKey();

function startOn(url: string, redis = ''): Promise<Scene> {
  const routes = `state: { redis: { url: { env: REDIS_URL }${redis} } }
routes:
  - { name: tools, path: /mcp, dpop: optional, upstream: '$upstream' }
  - { name: counted, path: /counted, rateLimit: { requests: 3, per: 1h }, upstream: '$upstream' }`;
  return startScene({ routes, environment: { REDIS_URL: url } });
}

async function prove(scene: Scene): Promise<number> {
  const token = scene.token({ key: 'ES256', claims: { cnf: { jkt: key.jkt } } });
  return (await scene.ask({ lines: key.lines({ url: scene.resource(), token }) })).status;
}

async function count(scene: Scene, sub: string, times: number): Promise<readonly number[]> {
  const statuses: number[] = [];
  const token = scene.token({ key: 'ES256', claims: { sub, aud: scene.resource('/counted') } });
  for (let index = 0; index < times; index += 1)
    statuses.push((await scene.ask({ target: '/counted', token })).status);
  return statuses;
}

function connected(scene: Scene): Promise<void> {
  return eventually(
    'Redis is connected',
    async () => (await metric(scene.gateway, 'portcullis_redis_connected')) === 1,
    10_000,
  );
}

describe.skipIf(redisMissing !== undefined)(`a Redis that is slow${redisNote}`, () => {
  it('D-012: never answers one question with the reply to another, however late replies are', async () => {
    await using redis = await startRedis();
    await using relay = await startSlowRelay(redis.port);
    for (let index = 0; index < 50; index += 1) await redis.ask('SET', `k${index}`, `value of k${index}`);
    const reports: RedisReport[] = [];
    const connection = new RedisConnection({
      url: redis.url.replace(String(redis.port), String(relay.port)),
      prefix: '',
      report: (report) => reports.push(report),
    });
    connection.open();
    try {
      await eventually('it is connected', () => connection.isConnected);
      // Around the time that a command is given: some replies are in time, some come when nobody waits any more.
      let turn = 0;
      relay.delayMs = () => [0, 20, 240, 0, 260, 400, 5][(turn += 1) % 7] ?? 0;
      const replies = { inTime: 0, late: 0 };
      const endsAt = performance.now() + 2_500;
      const isEnough = (): boolean => replies.inTime > 0 && replies.late > 0;
      while (performance.now() < (isEnough() ? endsAt : endsAt + 12_000)) {
        await Promise.all(
          Array.from({ length: 10 }, async () => {
            const asked = `k${Math.floor(Math.random() * 50)}`;
            const reply = await connection.ask((client) => client.get(asked));
            if (reply === undefined) replies.late += 1;
            else replies.inTime += 1;
            if (reply !== undefined) expect(reply.answer).toBe(`value of ${asked}`);
          }),
        );
        await sleep(5);
      }
      expect([replies.inTime > 0, replies.late > 0, relay.connections > 1]).toEqual([true, true, true]);
    } finally {
      connection.close();
    }
  });

  it('D-012: by 5 s is one that is gone to each use, and is used again within 5 s once it is quick', async () => {
    await using redis = await startRedis();
    await using relay = await startSlowRelay(redis.port);
    await using scene = await startOn(redis.url.replace(String(redis.port), String(relay.port)));
    await connected(scene);
    expect(await prove(scene)).toBe(200);
    expect(await count(scene, 'alice', 2)).toEqual([200, 200]);
    relay.delayMs = () => 5_000;
    const startedAt = performance.now();
    expect(await prove(scene)).toBe(503);
    // What was counted together before counts on alone.
    expect(await count(scene, 'alice', 2)).toEqual([200, 429]);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    relay.delayMs = () => 0;
    const quickAt = performance.now();
    await eventually('a proof passes again', async () => (await prove(scene)) === 200, 10_000);
    expect(performance.now() - quickAt).toBeLessThan(5_000);
    expect(await metric(scene.gateway, 'portcullis_redis_connected')).toBe(1);
  });
});

/** Something that lets everyone log in, and answers all commands after that as the test says. */
async function startRefusing(): Promise<{ port: number; says: string; close: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      for (const [, name = ''] of chunk.toString('latin1').matchAll(/\*\d+\r\n\$\d+\r\n([A-Za-z]+)\r\n/g)) {
        if (/^ping$/i.test(name)) socket.write('+PONG\r\n');
        else if (/^(?:auth|client|select)$/i.test(name)) socket.write('+OK\r\n');
        else socket.write(refusing.says);
      }
    });
  });
  const port = await listenOnLoopback(server as never);
  const refusing = {
    port,
    says: '',
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return refusing;
}

describe('a Redis that answers something else', () => {
  it.each([
    ['another node has the key', '-MOVED 3999 127.0.0.1:6381\r\n'],
    ['its password changed', '-NOAUTH Authentication required.\r\n'],
    ['it became a replica', "-READONLY You can't write against a read only replica.\r\n"],
    ['it is full', "-OOM command not allowed when used memory > 'maxmemory'.\r\n"],
    ['it is loading', '-LOADING Redis is loading the dataset in memory\r\n'],
    ['the user may not do that', "-NOPERM this user has no permissions to run the 'set' command\r\n"],
    ['it speaks no RESP', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['it answers with a number', ':1\r\n'],
    ['it answers with a list', '*2\r\n+OK\r\n+OK\r\n'],
  ])('D-012: because %s is no reason to let a proof pass or a limit be over', async (_why, says) => {
    const redis = await startRefusing();
    redis.says = says;
    try {
      await using scene = await startOn(`redis://:password@127.0.0.1:${redis.port}`);
      await connected(scene);
      expect(await prove(scene)).toBe(503);
      expect(await count(scene, 'alice', 4)).toEqual([200, 200, 200, 429]);
      expect((await scene.ask({ token: scene.token({ key: 'ES256' }) })).status).toBe(200);
    } finally {
      redis.close();
    }
  });
});

describe.skipIf(redisMissing !== undefined)(`a Redis with TLS and users${redisNote}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-redis-tls-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const authority = makeCertificate('authority.example');
  const server = makeCertificate('localhost', authority);
  const client = makeCertificate('gateway', authority);
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const caFile = file('ca.pem', authority.cert);
  const clientFiles = `certFile: ${file('client.pem', client.cert)}, keyFile: ${file('client-key.pem', client.key)}`;

  async function startWithTls(): Promise<{ redis: RedisServer; tlsPort: number }> {
    const tlsPort = await reserveFreePort();
    const redis = await startRedis({
      'tls-port': String(tlsPort),
      'tls-cert-file': file('server.pem', server.cert),
      'tls-key-file': file('server-key.pem', server.key),
      'tls-ca-cert-file': caFile,
      'tls-auth-clients': 'yes',
    });
    return { redis, tlsPort };
  }

  it('D-012: is used over TLS by both certificates, by a user who may do no more than the guide says, under the prefix alone', async () => {
    const { redis, tlsPort } = await startWithTls();
    await using _ = redis;
    const guide = readFileSync(new URL('../../docs/guides/redis.md', import.meta.url), 'utf8');
    const [, rights = ''] = /^ACL SETUSER portcullis on >PASSWORD (~portcullis:\* .+)$/m.exec(guide) ?? [];
    await redis.ask(
      'ACL',
      'SETUSER',
      'gateway',
      'on',
      '>its password',
      ...rights.replace('portcullis:', 'mcp:').split(' '),
    );
    await using scene = await startOn(
      `rediss://gateway:its%20password@localhost:${tlsPort}`,
      `, prefix: 'mcp:', tls: { caFile: ${caFile}, ${clientFiles} }`,
    );
    await connected(scene);
    expect(await prove(scene)).toBe(200);
    expect(await count(scene, 'alice', 4)).toEqual([200, 200, 200, 429]);
    expect(await metric(scene.gateway, 'portcullis_rate_counted_alone_total')).toBeUndefined();
    const keys = [...(await redis.ask('KEYS', '*')).matchAll(/^[^$*\r\n]+/gm)].map(([name]) => name);
    expect(keys.map((name) => name.replace(/[A-Za-z0-9_-]{43}$/, '')).toSorted()).toEqual([
      'mcp:rate:',
      'mcp:use:',
    ]);
  });

  it.each([
    ['an authority that it doesn’t know', () => '', 'CERT|SELF_SIGNED|UNABLE_TO'],
    ['no certificate of its own', () => `, tls: { caFile: ${caFile} }`, 'ERR_|ECONN|SSL|Socket'],
  ])('D-012: is as good as none to a gateway with %s', async (_why, settings, word) => {
    const { redis, tlsPort } = await startWithTls();
    await using _ = redis;
    await using scene = await startOn(`rediss://:${redis.password}@localhost:${tlsPort}`, settings());
    expect(await prove(scene)).toBe(503);
    await eventually('the reason is told', () =>
      new RegExp(`Redis is gone \\([A-Za-z_]*(?:${word})`).test(scene.gateway.written),
    );
    expect(scene.gateway.written).not.toContain(redis.password);
  });

  it('D-012: is none either where its certificate is for another name', async () => {
    const { redis, tlsPort } = await startWithTls();
    await using _ = redis;
    await using scene = await startOn(
      `rediss://:${redis.password}@127.0.0.1:${tlsPort}`,
      `, tls: { caFile: ${caFile}, ${clientFiles} }`,
    );
    expect(await prove(scene)).toBe(503);
    await eventually('the reason is told', () =>
      scene.gateway.written.includes('Redis is gone (ERR_TLS_CERT_ALTNAME_INVALID)'),
    );
  });
});
