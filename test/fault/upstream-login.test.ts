/** What can go wrong with a login at an upstream: none of it loses a login that works. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRecords } from '../../src/state/records/open-records.ts';
import { expectError } from '../attack/answers.ts';
import {
  startLoginWorld,
  startUpstreamSide,
  type LoginWorld,
  type UpstreamSide,
} from '../integration/login-world.ts';
import { closeServer, eventually, host, listenOnLoopback } from '../support/loopback.ts';
import { redisMissing, redisNote, startRedis } from '../support/redis.ts';

let side: UpstreamSide;
let world: LoginWorld;
/** What the gateway gets from the token endpoint instead of tokens. */
let tokenAnswer: (() => Promise<Response> | Response) | undefined;
let aheadMs = 0;

beforeAll(async () => {
  side = await startUpstreamSide();
  world = await startLoginWorld(side, {
    clock: () => Date.now() + aheadMs,
    fetch: (url, init) =>
      tokenAnswer === undefined || !url.endsWith('/token')
        ? fetch(url, init)
        : Promise.resolve(tokenAnswer()),
  });
  await world.logIn();
  await world.ask();
});

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await side?.[Symbol.asyncDispose]();
});

const asked = (): number => side.server.requests.filter((request) => request === 'POST /token').length;

function expectUnavailable(answer: Awaited<ReturnType<LoginWorld['ask']>>): void {
  expect([answer.status, answer.header('www-authenticate')]).toEqual([503, []]);
  expect(Number(answer.header('retry-after')[0])).toBeGreaterThan(0);
  expectError(answer, { code: 50300, message: 'Credentials for the MCP server are unavailable' }, 1);
}

/** A server that failed is left alone for five seconds. */
function laterOn(): void {
  aheadMs += 6000;
}

describe('a token store', () => {
  it('that is gone is 503, spends no refresh token, and is used again once it is back (H12)', async () => {
    side.upstream.refuse(world.token);
    const before = asked();
    renameSync(world.folder, `${world.folder}-away`);
    writeFileSync(world.folder, 'no folder');
    try {
      expectUnavailable(await world.ask());
      expect((await world.logIn()).err).toContain(
        'The login failed, and nothing has changed: the token store: ',
      );
    } finally {
      rmSync(world.folder);
      renameSync(`${world.folder}-away`, world.folder);
    }
    expect(asked()).toBe(before);
    expect((await world.ask()).status).toBe(200);
  });
});

describe('a token store that is full', () => {
  it('at the end of a refresh loses nothing, over a reload neither (H04, O1)', async () => {
    let isFull = false;
    await using other = await startLoginWorld(side, {
      state: {
        recordsIn(tokenStore) {
          const records = openRecords(tokenStore);
          return {
            read: (name, known) => records.read(name, known),
            remove: (name) => records.remove(name),
            claim: (name, ttlMs) => records.claim(name, ttlMs),
            write: (name, text) =>
              isFull
                ? Promise.resolve({ is: 'unavailable', detail: 'the token store: ENOSPC' })
                : records.write(name, text),
          };
        },
      },
    });
    await other.logIn();
    await other.ask();
    isFull = true;
    side.upstream.refuse(other.token);
    expect((await other.ask()).status).toBe(200);
    const [renewed, before] = [other.token, asked()];
    expect(await other.gateway.reload(`log: { level: warn }\n${other.yaml}`)).toBe('applied');
    expect((await other.ask()).status).toBe(200);
    expect([other.token, asked()]).toEqual([renewed, before]);
  });
});

describe('a clock that is wrong', () => {
  it('by a day ahead costs a refresh, and where that fails the token is shown all the same', async () => {
    tokenAnswer = () => new Response('', { status: 503 });
    aheadMs = 86_400_000;
    expect((await world.ask()).status).toBe(200);
    tokenAnswer = undefined;
    laterOn();
    const before = asked();
    expect((await world.ask()).status).toBe(200);
    expect(asked() - before).toBe(1);
    aheadMs = 0;
    expect((await world.ask()).status).toBe(200);
  });
});

const grant = { access_token: 'good', token_type: 'Bearer' };
const garbage: readonly (readonly [string, () => Response | Promise<Response>])[] = [
  ['a page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
  ['no JSON', () => new Response('{"access_token":', { headers: { 'content-type': 'application/json' } })],
  ['an empty object', () => Response.json({})],
  ['a token that is none', () => Response.json({ ...grant, access_token: 7 })],
  ['a token with a line break', () => Response.json({ ...grant, access_token: 'a\r\nX-Evil: 1' })],
  ['a token longer than any header', () => Response.json({ ...grant, access_token: 'a'.repeat(20_000) })],
  ['a DPoP token', () => Response.json({ ...grant, token_type: 'DPoP' })],
  ['a lifetime that is none', () => Response.json({ ...grant, expires_in: 'soon' })],
  ['a 500', () => Response.json({ error: 'server_error' }, { status: 500 })],
  ['a redirect', () => new Response('', { status: 302, headers: { location: 'https://evil.example/' } })],
  ['more than 256 KiB', () => Response.json({ ...grant, more: 'x'.repeat(300_000) })],
  ['no connection', () => Promise.reject(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))],
];

describe('an authorization server that answers a refresh with', () => {
  it.each(garbage)('%s loses no login', async (_what, answer) => {
    tokenAnswer = answer;
    side.upstream.refuse(world.token);
    expectUnavailable(await world.ask());
    tokenAnswer = undefined;
    laterOn();
    expect((await world.ask()).status).toBe(200);
  });
});

describe('an authorization server that answers a login with', () => {
  it.each(garbage)('%s leaves the old one as it was (H09)', async (_what, answer) => {
    const kept = readFileSync(world.file, 'utf8');
    const ran = await world.logIn({
      fetch: (url, init) => (url.endsWith('/token') ? Promise.resolve(answer()) : fetch(url, init)),
    });
    expect(ran.code).toBe(3);
    expect(ran.err).toMatch(/^The login failed, and nothing has changed: \S/);
    expect(ran.err).not.toMatch(/good|evil/i);
    expect(readFileSync(world.file, 'utf8')).toBe(kept);
  });
});

describe('a logout', () => {
  it('in the middle of a refresh ends what comes of that too (H09)', async () => {
    const [begun, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let isRefreshing = false;
    await using other = await startLoginWorld(side, {
      async fetch(url, init) {
        const response = await fetch(url, init);
        if (isRefreshing && url.endsWith('/token')) {
          begun.resolve();
          await answered.promise;
        }
        return response;
      },
    });
    await other.logIn();
    await other.ask();
    isRefreshing = true;
    side.upstream.refuse(other.token);
    const asking = other.ask();
    await begun.promise;
    const leaving = other.logOut();
    // A logout that waits for nothing is over by then.
    await Promise.race([leaving, sleep(500)]);
    answered.resolve();
    expect([(await asking).status, await leaving]).toEqual([
      200,
      {
        code: 0,
        out: 'Logged out of route tools; the authorization server has revoked the tokens.\n',
        err: '',
      },
    ]);
    expect((await other.ask()).status).toBe(502);
    expect(() => other.file).toThrow('nobody has logged in');
  });
});

describe('an upstream that leads elsewhere', () => {
  const reached: string[] = [];
  const stranger = createServer((request, response) => {
    reached.push(request.url ?? '');
    response.end('{}');
  });
  let foreign: string;

  beforeAll(async () => {
    foreign = `http://${host}:${await listenOnLoopback(stranger)}`;
  });
  afterAll(() => closeServer(stranger));

  it.each<[string, () => UpstreamSide['upstream']['says'], string]>([
    [
      'its challenge to metadata',
      () => ({ challengeUrl: `${foreign}/metadata?secret` }),
      'at no origin of the configuration',
    ],
    [
      'its challenge to no web address',
      () => ({ challengeUrl: 'file:///etc/passwd' }),
      'at no origin of the configuration',
    ],
    [
      'its metadata to an authorization server',
      () => ({ authorization_servers: [foreign] }),
      'list the one that you trust',
    ],
    [
      'its metadata to escape sequences',
      () => ({ authorization_servers: ['\u009b31m\u001b[2J'] }),
      String.raw`"\u009b31m\u001b[2J"`,
    ],
    ['its metadata to none', () => ({ authorization_servers: [] }), 'names no authorization server'],
    ['its metadata to another resource', () => ({ resource: `${foreign}/mcp` }), 'is of another resource'],
    [
      'its metadata to a part of it',
      () => ({ resource: `${side.upstream.url}/part` }),
      'is of another resource',
    ],
  ])('by %s is not followed, and no login is lost', async (_what, says, detail) => {
    const kept = readFileSync(world.file, 'utf8');
    Object.assign(side.upstream.says, says());
    try {
      const ran = await world.logIn();
      expect(ran.code).toBe(3);
      expect(ran.err).toContain(detail);
      expect(ran.err).not.toContain('secret');
    } finally {
      for (const key of Object.keys(side.upstream.says))
        delete side.upstream.says[key as keyof typeof side.upstream.says];
    }
    expect(reached).toEqual([]);
    expect(readFileSync(world.file, 'utf8')).toBe(kept);
  });

  it.each(['token_endpoint', 'authorization_endpoint', 'registration_endpoint', 'revocation_endpoint'])(
    'by the %s of its authorization server is not followed',
    async (endpoint) => {
      const ran = await world.logIn({
        async fetch(url, init) {
          const response = await fetch(url, init);
          if (!url.includes('/.well-known/oauth-authorization-server')) return response;
          return Response.json({ ...((await response.json()) as object), [endpoint]: `${foreign}/x` });
        },
      });
      expect(ran.code).toBe(3);
      expect(ran.err).toContain(
        `names ${endpoint} "${foreign}/x", which is at no origin of the configuration`,
      );
      expect(reached).toEqual([]);
    },
  );

  it.each([
    [{ code_challenge_methods_supported: ['plain'] }],
    [{ code_challenge_methods_supported: undefined }],
  ])('and one whose authorization server knows no PKCE is not logged in at: %j', async (changed) => {
    const ran = await world.logIn({
      async fetch(url, init) {
        const response = await fetch(url, init);
        if (!url.includes('/.well-known/oauth-authorization-server')) return response;
        return Response.json({ ...((await response.json()) as object), ...changed });
      },
    });
    expect(ran).toMatchObject({ code: 3, err: expect.stringContaining('PKCE') });
  });
});

describe.skipIf(redisMissing !== undefined)(`a token store in Redis${redisNote}`, () => {
  it('serves logins, shows nothing of them, and fails their requests with 503 while it is gone (H12)', async () => {
    await using redis = await startRedis();
    await using other = await startLoginWorld(side, {
      store: '{ key: { env: TOKEN_KEY } }',
      top: 'state: { redis: { url: { env: REDIS_URL } } }',
      environment: { REDIS_URL: redis.url },
    });
    await eventually('Redis is there', async () => (await other.ask()).status === 502);
    expect(await other.logIn()).toMatchObject({ code: 0, err: '' });
    expect((await other.ask()).status).toBe(200);
    side.upstream.refuse(other.token);
    const before = asked();
    const answers = await Promise.all(Array.from({ length: 5 }, () => other.ask()));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(asked() - before).toBe(1);
    const keys = [...(await redis.ask('KEYS', 'portcullis:record:*')).matchAll(/portcullis:\S+/g)].map(
      String,
    );
    // The login and the registered client; no claim is left.
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(await redis.ask('GET', key)).not.toContain(other.token.slice(0, 16));
    await redis.kill();
    await eventually('the loss is noticed', async () => (await other.ask()).status === 503);
    expectUnavailable(await other.ask());
    expect((await other.logIn()).code).toBe(3);
  });
});
