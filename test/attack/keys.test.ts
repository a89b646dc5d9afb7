/** Key sets that are flooded with questions, down, slow or hostile (attack catalogue ). */
import { once } from 'node:events';
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mark } from '../support/invariants.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually } from '../support/loopback.ts';
import type { Behaviour } from '../support/scripted-answer.ts';
import { mintKey } from '../support/signing-key.ts';
import { expectError } from './answers.ts';
import { startScene, type Scene } from './scene.ts';

let scene: Scene;
/** Milliseconds that the gateway's clock is ahead. */
let aheadMs = 0;
const hour = 3_600_000;

beforeAll(async () => {
  const issuers = [await startTimedIssuer(), await startTimedIssuer('/healthy')];
  const listed = issuers.map(
    ({ url }, at) => `  - { name: as${at}, issuer: '${url}', keys: { timeout: 2500ms } }`,
  );
  scene = await startScene({
    clock: () => Date.now() + aheadMs,
    issuers,
    servers: `authorizationServers:\n${listed.join('\n')}`,
  });
});

/** A fetch of the test before that still runs would answer for the key set of this one. */
async function fetchesEnded(): Promise<void> {
  const asked = scene.issuers.reduce((sum, issuer) => sum + issuer.hits(issuer.paths.jwks), 0);
  await eventually('all fetches have ended', async () => {
    const metrics = await (await fetch(`${scene.gateway.opsUrl}/metrics`)).text();
    const ended = [...metrics.matchAll(/^portcullis_key_fetches_total\{.*\} (\d+)$/gm)];
    return ended.reduce((sum, [, count]) => sum + Number(count), 0) >= asked;
  });
}

beforeEach(async () => {
  await fetchesEnded();
  for (const issuer of scene.issuers) issuer.behave(issuer.paths.jwks, 'normal');
  aheadMs += 31_000;
});

afterAll(() => scene.close());

function startTimedIssuer(path = ''): Promise<Issuer> {
  const now = (): number => Math.floor((Date.now() + aheadMs) / 1000);
  return startIssuer({ path, algorithms: ['ES256'], now });
}

/** Well-formed, of the right issuer, with a kid that nobody has. */
function inventedToken(): string {
  const token = scene.token({ header: { kid: randomUUID() } });
  // The signature is never looked at: there is no key to try.
  return token;
}

async function expectServed(issuer: Issuer = scene.issuer): Promise<void> {
  expect((await scene.ask({ token: scene.token({}, issuer) })).status).toBe(200);
}

async function expectUnavailable(of: Scene, token: string): Promise<void> {
  const answer = await of.ask({ token });
  expect(answer.status).toBe(503);
  expect(answer.header('retry-after')[0]).toMatch(/^[1-9][0-9]?$/);
  expect(answer.header('www-authenticate')).toEqual([]);
  expectError(answer, { code: 50300, message: 'The authorization server is unavailable' });
}

describe('a flood of invented kids', () => {
  it('A-060: asks the authorization server once per cool-down and disturbs nobody', async () => {
    const good = scene.token();
    for (let round = 0; round < 3; round += 1) {
      aheadMs += 31_000;
      const before = await mark(scene);
      const hits = scene.issuer.hits(scene.issuer.paths.jwks);
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, at) => scene.ask({ token: at % 10 === 0 ? good : inventedToken() })),
      );
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((_, at) => at % 10 === 0)).toEqual(Array.from({ length: 10 }, () => 200));
      for (const [at, status] of statuses.entries()) if (at % 10 !== 0) expect([401, 503]).toContain(status);
      for (let at = 0; at < 10; at += 1) await expectUnavailable(scene, inventedToken());
      expect(scene.issuer.hits(scene.issuer.paths.jwks) - hits).toBe(1);
      await before.hold({ forwarded: 10 });
    }
  });

  it("A-060: forged signatures under a real kid don't ask more often either", async () => {
    const { kid } = scene.issuer.key('ES256');
    const before = await mark(scene);
    const hits = scene.issuer.hits(scene.issuer.paths.jwks);
    for (let at = 0; at < 20; at += 1) {
      const token = scene.token({ header: { kid } }).split('.').slice(0, 2).join('.');
      expect((await scene.ask({ token: `${token}.${randomBytes(64).toString('base64url')}` })).status).toBe(
        401,
      );
    }
    expect(scene.issuer.hits(scene.issuer.paths.jwks) - hits).toBeLessThanOrEqual(1);
    await before.hold({ forwarded: 0, reasons: ['token_signature'] });
  });

  it("A-060: a new key is accepted with the fetch that a flood can't prevent, and its token never gets 401", async () => {
    const before = await mark(scene);
    await scene.ask({ token: inventedToken() });
    const fresh = scene.issuer.rotate('ES256');
    const token = scene.token({ key: fresh });
    for (let at = 0; at < 5; at += 1) {
      await scene.ask({ token: inventedToken() });
      await expectUnavailable(scene, token);
    }
    aheadMs += 31_000;
    expect((await scene.ask({ token })).status).toBe(200);
    await before.hold({ forwarded: 1 });
  });
});

const broken: readonly (readonly [string, Behaviour])[] = [
  ['500', { status: 500 }],
  ['an HTML page', { headers: { 'content-type': 'text/html' }, body: '<html>sign in</html>' }],
  ['a redirect', { status: 302, headers: { location: '/healthy/jwks' } }],
  ['a list', { body: '[]' }],
  ['null', { body: 'null' }],
  ['no keys', { body: { keys: [] } }],
  ['keys that are no list', { body: { keys: { 0: {} } } }],
  [
    'only keys of other uses',
    {
      body: {
        keys: [
          { kty: 'oct', k: 'AAAA' },
          { kty: 'RSA', use: 'enc' },
        ],
      },
    },
  ],
  ['half a document', { body: '{"keys":[{"kty":"EC"' }],
  ['nothing', { status: 204 }],
  ['a reset', 'reset'],
];

describe('a key set that is down', () => {
  it.each(broken)(
    'A-061: that answers %s from the start gives 503, never 401, and hurts no other',
    async (_name, behaviour) => {
      const down = await startTimedIssuer();
      const healthy = await startTimedIssuer('/healthy');
      down.behave(down.paths.jwks, behaviour);
      await using world = await startScene({ clock: () => Date.now() + aheadMs, issuers: [down, healthy] });
      const before = await mark(world);
      for (let at = 0; at < 5; at += 1) await expectUnavailable(world, world.token());
      expect((await world.ask({ token: world.token({}, healthy) })).status).toBe(200);
      expect(down.hits(down.paths.jwks)).toBe(1);
      await before.hold({ forwarded: 1 });
      down.behave(down.paths.jwks, 'normal');
      aheadMs += 31_000;
      expect((await world.ask({ token: world.token() })).status).toBe(200);
    },
  );

  it('A-061: keeps its last keys for ttl and maxStale, then gives 503, and comes back', async () => {
    await expectServed();
    for (const [, behaviour] of broken) {
      scene.issuer.behave(scene.issuer.paths.jwks, behaviour);
      aheadMs += 31_000;
      await scene.ask({ token: inventedToken() });
      await expectServed();
    }
    aheadMs += 1.5 * hour;
    const before = await mark(scene);
    await expectServed();
    await expectServed(scene.issuers[1]);
    const remembered = scene.token();
    expect((await scene.ask({ token: remembered })).status).toBe(200);
    aheadMs += 0.6 * hour;
    await expectUnavailable(scene, scene.token());
    await expectServed(scene.issuers[1]);
    await before.hold({ forwarded: 4 });
    scene.issuer.behave(scene.issuer.paths.jwks, 'normal');
    aheadMs += 31_000;
    await expectServed();
  });

  it('A-061: what was remembered dies with the keys', async () => {
    const now = (): number => Math.floor((Date.now() + aheadMs) / 1000);
    const token = scene.token({ claims: { exp: now() + 30_000 } });
    expect((await scene.ask({ token })).status).toBe(200);
    scene.issuer.behave(scene.issuer.paths.jwks, { status: 500 });
    aheadMs += 2.1 * hour;
    await expectUnavailable(scene, token);
    scene.issuer.behave(scene.issuer.paths.jwks, 'normal');
    aheadMs += 31_000;
    expect((await scene.ask({ token })).status).toBe(200);
    // And with the one key: it is dropped from the set.
    scene.issuer.rotate('ES256');
    aheadMs += 31_000;
    expect((await scene.ask({ token: scene.token() })).status).toBe(200);
    expect((await scene.ask({ token })).status).not.toBe(200);
  });
});

describe('a slow key set', () => {
  it('A-062: holds up only who needs a new key, at most 2 seconds, and is asked once', async () => {
    await expectServed();
    scene.issuer.behave(scene.issuer.paths.jwks, 'hang');
    aheadMs += 31_000;
    const hits = scene.issuer.hits(scene.issuer.paths.jwks);
    const before = await mark(scene);
    const startedAt = performance.now();
    const waiting = Promise.all(Array.from({ length: 30 }, () => expectUnavailable(scene, inventedToken())));
    let slowest = 0;
    for (let at = 0; at < 20; at += 1) {
      const askedAt = performance.now();
      await expectServed();
      slowest = Math.max(slowest, performance.now() - askedAt);
    }
    expect(slowest).toBeLessThan(1000);
    await waiting;
    expect(performance.now() - startedAt).toBeLessThan(4000);
    expect(scene.issuer.hits(scene.issuer.paths.jwks) - hits).toBe(1);
    await before.hold({ forwarded: 20 });
  });
});

describe('a hostile key set', () => {
  /** Sends without end and counts what was taken. */
  function endless(sent: { bytes: number }): Behaviour {
    return async (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const chunk = Buffer.alloc(64 * 1024, ' ');
      const left = once(response, 'close');
      while (!response.destroyed && sent.bytes < 200 * 1024 * 1024) {
        sent.bytes += chunk.length;
        if (!response.write(chunk)) await Promise.race([once(response, 'drain'), left]);
      }
      response.end();
    };
  }

  it('A-063: without an end is left at once, and the old keys stay', async () => {
    const sent = { bytes: 0 };
    scene.issuer.behave(scene.issuer.paths.jwks, endless(sent));
    const before = await mark(scene);
    await expectUnavailable(scene, inventedToken());
    // What the sockets hold besides the 256 KB.
    expect(sent.bytes).toBeLessThan(16 * 1024 * 1024);
    await expectServed();
    await before.hold({ forwarded: 1 });
  });

  const many = Array.from({ length: 101 }, () => ({ kty: 'oct', k: 'A' }));
  const hostile: readonly (readonly [string, Behaviour])[] = [
    [
      'that is a bomb',
      { headers: { 'content-encoding': 'gzip' }, body: gzipSync(Buffer.alloc(64 * 1024 * 1024, ' ')) },
    ],
    ['with more than 100 keys', { body: { keys: many } }],
    ['of 300 KB', { body: `${' '.repeat(300 * 1024)}{"keys":[]}` }],
    ['nested 50,000 deep', { body: `{"keys":${'['.repeat(50_000)}${']'.repeat(50_000)}}` }],
    ['of half a body', { headers: { 'content-length': '100000' }, body: '{"keys":[' }],
    ['in broken UTF-8', { body: Buffer.from('{"keys":[],"x":"\xff"}', 'latin1') }],
  ];

  it.each(hostile)('A-063: %s is refused, and the old keys stay', async (_name, behaviour) => {
    const rssBefore = process.memoryUsage.rss();
    const before = await mark(scene);
    scene.issuer.behave(scene.issuer.paths.jwks, behaviour);
    await expectUnavailable(scene, inventedToken());
    await expectServed();
    await before.hold({ forwarded: 1 });
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(64 * 1024 * 1024);
  });

  it("A-063: keys that are no keys don't spoil the good one beside them", async () => {
    const good = scene.issuer.keys.map(({ publicJwk }) => publicJwk);
    const weird = [
      null,
      7,
      'x',
      [],
      {},
      { kty: 'EC' },
      { kty: 'RSA', n: 'AA', e: 'AA' },
      { kty: 'EC', crv: 'P-256', x: '', y: '' },
      { kid: 7, kty: 'EC' },
      { ...mintKey('ES256').publicJwk, use: 'enc' },
    ];
    scene.issuer.behave(scene.issuer.paths.jwks, { body: { keys: [...weird, ...good] } });
    const before = await mark(scene);
    await scene.ask({ token: inventedToken() });
    await eventually('the set is fetched', () => scene.issuer.hits() > 0);
    await expectServed();
    // Without a kid two keys fit now, one of them broken: neither is guessed.
    const none = scene.token({ header: { kid: undefined } });
    await expectUnavailable(scene, none);
    await before.hold({ forwarded: 1 });
  });
});
