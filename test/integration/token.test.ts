/** Who gets in: signature, issuer, audience, times, keys. */
import { describe, expect, it } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { startIssuer } from '../support/issuer.ts';
import { reserveFreePort } from '../support/loopback.ts';
import type { RecordingUpstream } from '../support/recording-upstream.ts';
import { mintKey, type SigningAlgorithm } from '../support/signing-key.ts';
import { ask, json, metric, only, startWorld, type World } from './world.ts';

/** A time that tests move; seconds. */
class Clock {
  seconds = 1_800_000_000;
  readonly read = (): number => this.seconds * 1_000;
  readonly now = (): number => this.seconds;
  pass(seconds: number): void {
    this.seconds += seconds;
  }
}

async function statusOf(world: World, token: string, target?: string): Promise<number> {
  return (await world.ask({ token, ...(target === undefined ? {} : { target }) })).status;
}

describe('A01 every request is checked', () => {
  it('the same token is 200 before its exp and 401 after it, and the upstream sees one request (A01)', async () => {
    const clock = new Clock();
    await using world = await startWorld({ clock: clock.read, issuerOptions: { now: clock.now } });
    const token = world.issuer.token();
    expect(await statusOf(world, token)).toBe(200);
    clock.pass(299);
    expect(await metric(world.gateway, 'portcullis_remembered_signatures')).toBe(1);
    clock.pass(1);
    const expired = await world.ask({ token });
    expect(expired.status).toBe(401);
    expect(only(expired, 'www-authenticate')).toContain('The access token expired');
    expect(world.upstream.requests).toHaveLength(1);
    // Only the clock speaks against it: its signature isn't worth checking again, however often it comes.
    for (let again = 0; again < 3; again += 1) expect((await world.ask({ token })).status).toBe(401);
    const verified = 'portcullis_token_signatures_total{outcome="verified"}';
    expect(await metric(world.gateway, verified)).toBe(1);
  });

  it('a remembered signature gives no way onto another route (A01, A06)', async () => {
    await using world = await startWorld({
      yaml: ({ issuer, upstream }) => `
authorizationServers: [{ issuer: '${issuer.url}' }]
routes:
  - { path: /mcp, upstream: '${upstream.url}' }
  - { path: /other, upstream: '${upstream.url}' }
  - { path: /scoped, scopes: [admin], upstream: '${upstream.url}' }
`,
    });
    const token = world.issuer.token({
      claims: { aud: [world.resource, `${world.gateway.url}/scoped`] },
    });
    expect(await statusOf(world, token)).toBe(200);
    expect(await statusOf(world, token, '/other')).toBe(401);
    expect(await statusOf(world, token, '/scoped')).toBe(403);
    expect(world.upstream.requests).toHaveLength(1);
  });

  it('an Upgrade without a token never reaches the upstream (A01)', async () => {
    await using world = await startWorld();
    const headers = [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAAAA=='],
      ['Sec-WebSocket-Version', '13'],
    ] as const;
    const response = await world.ask({ method: 'GET', headers });
    expect(response.status).toBe(401);
    expect(world.passed).toBe('');
  });
});

describe('A04 several authorization servers', () => {
  it('give two principals, all advertised in the order of the route; an unlisted one is 401 and never asked (A04)', async () => {
    await using world = await startWorld();
    await using partner = await startIssuer({ path: '/realms/p', algorithms: ['EdDSA'] });
    await using stranger = await startIssuer({ algorithms: ['ES256'] });
    const port = await reserveFreePort();
    await using gateway = await startGateway(
      `
authorizationServers:
  - { name: corp, issuer: '${world.issuer.url}' }
  - { name: partner, issuer: '${partner.url}' }
routes: [{ path: /mcp, authorizationServers: [partner, corp], upstream: '${world.upstream.url}' }]
`,
      { port },
    );
    const aud = `http://localhost:${port}/mcp`;
    for (const issuer of [world.issuer, partner])
      expect((await ask(port, { token: issuer.token({ claims: { aud } }) })).status).toBe(200);
    expect(world.upstream.requests.map((request) => request.header('x-auth-issuer'))).toEqual([
      [world.issuer.url],
      [partner.url],
    ]);
    const metadata = await ask(port, { method: 'GET', target: '/.well-known/oauth-protected-resource' });
    expect(json(metadata)).toMatchObject({ authorization_servers: [partner.url, world.issuer.url] });
    const unlisted = await ask(port, { token: stranger.token({ claims: { aud } }) });
    expect(unlisted.status).toBe(401);
    expect(stranger.hits()).toBe(0);
    // A listed issuer's name doesn't lend its trust to another server's keys.
    const pretending = stranger.token({ claims: { aud, iss: partner.url } });
    expect((await ask(port, { token: pretending })).status).not.toBe(200);
    expect(world.upstream.requests).toHaveLength(2);
    await gateway.close();
  });

  it('may be two entries of one URL: each with its own audiences (A04)', async () => {
    await using world = await startWorld({
      yaml: ({ issuer, upstream }) => `
authorizationServers:
  - { name: people, issuer: '${issuer.url}', audiences: [people] }
  - { name: machines, issuer: '${issuer.url}', audiences: [machines], claims: { clientId: [sub] } }
routes: [{ path: /mcp, upstream: '${upstream.url}' }]
`,
    });
    expect(await statusOf(world, world.issuer.token({ claims: { aud: 'people' } }))).toBe(200);
    expect(await statusOf(world, world.issuer.token({ claims: { aud: 'machines' } }))).toBe(200);
    expect(await statusOf(world, world.issuer.token({ claims: { aud: 'others' } }))).toBe(401);
    expect(world.upstream.requests.map((request) => request.header('x-auth-client-id'))).toEqual([
      ['test-client'],
      ['alice'],
    ]);
    const metadata = await world.ask({ method: 'GET', target: '/.well-known/oauth-protected-resource' });
    expect(json(metadata)).toMatchObject({ authorization_servers: [world.issuer.url] });
  });
});

describe('A06 audiences', () => {
  const audienceCases = [
    { name: 'of the authorization server', keys: { server: 'audiences: [a, b]' } },
    { name: 'of the route, which win', keys: { server: 'audiences: [c]', route: 'audiences: [a, b]' } },
  ] as const;
  it.each(audienceCases)('$name are any-of, and replace the resource (A06)', async ({ keys }) => {
    await using world = await startWorld(keys);
    const judged = async (aud: unknown) => statusOf(world, world.issuer.token({ claims: { aud } }));
    expect(await judged('b')).toBe(200);
    expect(await judged(['x', 'a'])).toBe(200);
    for (const aud of [world.resource, 'A', 'a ', 'ab', ['x'], [], undefined, 7, [['a']], 'a b', 'c', null])
      expect([aud, await judged(aud)]).toEqual([aud, 401]);
  });

  it('are the resource alone where none are listed, in its own spellings (A06)', async () => {
    await using world = await startWorld({ server: 'audiences: []' });
    const judged = async (aud: unknown) => statusOf(world, world.issuer.token({ claims: { aud } }));
    const { resource } = world;
    const good = [
      resource,
      [resource],
      ['x', resource],
      `${resource}/`,
      resource.replace('http://localhost', 'HTTP://LocalHost'),
    ];
    for (const aud of good) expect([aud, await judged(aud)]).toEqual([aud, 200]);
    const bad = [
      world.gateway.url,
      `${resource}//`,
      `${resource}/x`,
      resource.replace('/mcp', '/MCP'),
      `${resource}?x`,
      `${resource}#`,
      'a',
    ];
    for (const aud of bad) expect([aud, await judged(aud)]).toEqual([aud, 401]);
  });
});

describe('A07 algorithms', () => {
  const all: readonly SigningAlgorithm[] = [
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
  ];

  it('that are listed are all understood, and Ed25519 is EdDSA in token, key and file (A07)', async () => {
    await using world = await startWorld({
      issuerOptions: { algorithms: all },
      server: `algorithms: [${all.join(', ')}]`,
    });
    for (const key of all)
      expect([key, await statusOf(world, world.issuer.token({ key }))]).toEqual([key, 200]);
    for (const listed of ['Ed25519', 'EdDSA']) {
      for (const published of ['Ed25519', 'EdDSA'] as const) {
        await using edwards = await startWorld({
          issuerOptions: { algorithms: [published] },
          server: `algorithms: [${listed}]`,
        });
        for (const alg of ['Ed25519', 'EdDSA'])
          expect(await statusOf(edwards, edwards.issuer.token({ header: { alg } }))).toBe(200);
      }
    }
  });

  it('that are not listed are 401, whatever key the server publishes (A07)', async () => {
    await using world = await startWorld({
      issuerOptions: { algorithms: ['RS256', 'EdDSA'] },
      server: 'algorithms: [Ed25519]',
    });
    expect(await statusOf(world, world.issuer.token({ key: 'RS256' }))).toBe(401);
    expect(await statusOf(world, world.issuer.token({ key: 'EdDSA' }))).toBe(200);
  });

  it('must be those of the key, and none or a shared secret is never one (A07)', async () => {
    await using world = await startWorld({ issuerOptions: { algorithms: ['RS256', 'ES256'] } });
    const { issuer } = world;
    const pem = issuer.key('RS256').privateKey;
    const secret = JSON.stringify(issuer.key('RS256').publicJwk);
    const { kid } = issuer.key('RS256');
    const forged = [
      issuer.token({ key: 'RS256', header: { alg: 'PS256' } }),
      issuer.token({ key: { ...mintKey('PS256', kid), privateKey: pem } }),
      issuer.token({ key: 'ES256', header: { kid } }),
      issuer.token({ key: 'none', header: { kid } }),
      issuer.token({ key: { alg: 'HS256', secret, kid }, header: { kid } }),
      issuer.token({ key: { alg: 'HS256', secret, kid }, header: { alg: 'RS256', kid } }),
      issuer.token({ key: mintKey('ES256', kid) }),
    ];
    for (const [index, token] of forged.entries())
      expect([index, [401, 503].includes(await statusOf(world, token))]).toEqual([index, true]);
    expect(world.passed).toBe('');
  });

  it.each(['none', 'HS256', 'HS512', 'RS1'])('%s in the file fails the start (A07)', async (alg) => {
    const start = startWorld({ server: `algorithms: [ES256, ${alg}]` });
    await expect(start).rejects.toThrow(`authorizationServers[0].algorithms[1]: found "${alg}"`);
  });
});

describe('A08 exp', () => {
  const ago = (seconds: number): Record<string, unknown> => ({
    exp: Math.floor(Date.now() / 1_000) - seconds,
  });
  it.each([
    { server: undefined, claims: ago(30), status: 401 },
    { server: 'leeway: 60s', claims: ago(30), status: 200 },
    { server: 'leeway: 60s', claims: ago(90), status: 401 },
    { server: 'verify: { exp: false }', claims: ago(30), status: 200 },
    { server: undefined, claims: { exp: undefined }, status: 401 },
    { server: 'verify: { exp: false }', claims: { exp: undefined }, status: 401 },
    { server: 'requireExp: false', claims: { exp: undefined }, status: 200 },
    { server: 'requireExp: false', claims: ago(30), status: 401 },
    { server: undefined, claims: { exp: '9999999999' }, status: 401 },
    { server: undefined, claims: { exp: 1e308 }, status: 401 },
    { server: undefined, claims: { exp: -1 }, status: 401 },
  ])('with $server and $claims the answer is $status (A08)', async ({ server, claims, status }) => {
    await using world = await startWorld(server === undefined ? {} : { server });
    expect(await statusOf(world, world.issuer.token({ claims }))).toBe(status);
    expect(world.upstream.requests).toHaveLength(status === 200 ? 1 : 0);
  });
});

describe('A09 nbf and iat', () => {
  it.each(['nbf', 'iat'])(
    '%s an hour ahead is refused unless its check is off; a text never is a time (A09)',
    async (claim) => {
      const ahead = { [claim]: Math.floor(Date.now() / 1_000) + 3_600 };
      await using strict = await startWorld();
      expect(await statusOf(strict, strict.issuer.token({ claims: ahead }))).toBe(401);
      for (const value of ['x', '1', null, {}, [], true, -1]) {
        const response = await strict.ask({ token: strict.issuer.token({ claims: { [claim]: value } }) });
        expect([value, response.status]).toEqual([value, 401]);
        expect(only(response, 'www-authenticate')).toContain('error="invalid_token"');
      }
      expect(await statusOf(strict, strict.issuer.token({ claims: { [claim]: undefined } }))).toBe(200);
      await using lax = await startWorld({ server: `verify: { ${claim}: false }` });
      expect(await statusOf(lax, lax.issuer.token({ claims: ahead }))).toBe(200);
      await using patient = await startWorld({ server: 'leeway: 2h' });
      expect(await statusOf(patient, patient.issuer.token({ claims: ahead }))).toBe(200);
    },
  );
});

describe('A10 iss', () => {
  it('may be the second of a list, with one check of the signature (A10)', async () => {
    const second = 'https://sts.example/v1';
    await using world = await startWorld({
      yaml: ({ issuer, upstream }) => `
authorizationServers: [{ name: corp, issuer: ['${issuer.url}', '${second}'] }]
routes: [{ path: /mcp, upstream: '${upstream.url}' }]
`,
    });
    const token = world.issuer.token({ claims: { iss: second } });
    expect(await statusOf(world, token)).toBe(200);
    expect(await statusOf(world, token)).toBe(200);
    expect(world.upstream.requests[0]?.header('x-auth-issuer')).toEqual([second]);
    expect(await metric(world.gateway, 'portcullis_token_signatures_total{outcome="verified"}')).toBe(1);
    expect(
      await metric(world.gateway, 'portcullis_token_signatures_total{outcome="failed"}'),
    ).toBeUndefined();
    for (const iss of [`${second}/`, second.toUpperCase(), undefined, [second], ''])
      expect([iss, await statusOf(world, world.issuer.token({ claims: { iss } }))]).toEqual([iss, 401]);
  });

  it('may go unchecked, and audience and signature still are (A10)', async () => {
    await using world = await startWorld({ server: 'verify: { iss: false }' });
    const { issuer } = world;
    const claims = { iss: 'https://whoever.example' };
    expect(await statusOf(world, issuer.token({ claims }))).toBe(200);
    expect(await statusOf(world, issuer.token({ claims: { ...claims, aud: 'x' } }))).toBe(401);
    const forged = issuer.token({ claims, key: mintKey('ES256', issuer.keys[0]?.kid) });
    expect(await statusOf(world, forged)).toBe(401);
    expect(world.upstream.requests).toHaveLength(1);
  });
});

describe('A11 what can not be switched off', () => {
  it.each(['aud', 'signature', 'sub'])(
    'verify: { %s: false } is a fault that names the key (A11)',
    async (key) => {
      const start = startWorld({ server: `verify: { ${key}: false }` });
      await expect(start).rejects.toThrow(`authorizationServers[0].verify.${key}`);
    },
  );

  it('a signed token without a usable sub is 401 (A11)', async () => {
    await using world = await startWorld({
      server: 'verify: { exp: false, nbf: false, iat: false, iss: false }',
    });
    for (const sub of [undefined, '', ' ', 7, null, ['alice'], { a: 1 }, 'a\nb', '\ud800'])
      expect([sub, await statusOf(world, world.issuer.token({ claims: { sub } }))]).toEqual([sub, 401]);
    expect(world.passed).toBe('');
  });
});

describe('A12 keys', () => {
  const clocked = async (server?: string): Promise<{ world: World; clock: Clock }> => {
    const clock = new Clock();
    const world = await startWorld({
      clock: clock.read,
      issuerOptions: { now: clock.now },
      ...(server === undefined ? {} : { server }),
    });
    return { world, clock };
  };

  it('50 cold requests cause one fetch (A12)', async () => {
    const clock = new Clock();
    await using world = await startWorld({ clock: clock.read, issuerOptions: { now: clock.now } });
    const { issuer } = world;
    // The keys that came with the start are too old to be used.
    clock.pass(2 * 3_600 + 1);
    issuer.behave(issuer.paths.jwks, { delayMs: 200 });
    const before = issuer.hits(issuer.paths.jwks);
    const statuses = await Promise.all(Array.from({ length: 50 }, () => statusOf(world, issuer.token())));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(issuer.hits(issuer.paths.jwks) - before).toBe(1);
  });

  it('a rotated key works at the latest after the cool-down, and its tokens never get 401 (A12)', async () => {
    const { world, clock } = await clocked();
    await using running = world;
    const { issuer } = running;
    const old = issuer.token();
    expect(await statusOf(world, old)).toBe(200);
    clock.pass(5);
    issuer.rotate('ES256');
    const cooling = await world.ask({ token: issuer.token() });
    expect([cooling.status, only(cooling, 'retry-after')]).toEqual([503, '25']);
    clock.pass(25);
    expect(await statusOf(world, issuer.token())).toBe(200);
    // What the old key had signed ends with it.
    expect(await statusOf(world, old)).toBe(401);
  });

  it('a key that came back under the same kid works after the cool-down (A12)', async () => {
    const { world, clock } = await clocked();
    await using running = world;
    const { issuer } = running;
    clock.pass(31);
    issuer.rotate('ES256', issuer.keys[0]?.kid);
    expect(await statusOf(world, issuer.token())).toBe(200);
  });

  it('100 invented kids cause at most one more fetch (A12)', async () => {
    const { world, clock } = await clocked();
    await using running = world;
    const { issuer } = running;
    clock.pass(31);
    const before = issuer.hits(issuer.paths.jwks);
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        statusOf(world, issuer.token({ header: { kid: `invented-${index}` } })),
      ),
    );
    expect(issuer.hits(issuer.paths.jwks) - before).toBe(1);
    for (let index = 0; index < 20; index += 1)
      await statusOf(world, issuer.token({ header: { kid: `later-${index}` } }));
    expect(issuer.hits(issuer.paths.jwks) - before).toBe(1);
    expect(await statusOf(world, issuer.token())).toBe(200);
  });

  it('go on serving through an outage, for a bounded time (A12)', async () => {
    const { world, clock } = await clocked('keys: { ttl: 10m, maxStale: 5m }');
    await using running = world;
    const { issuer } = running;
    issuer.behave(issuer.paths.oauth, 'reset');
    issuer.behave(issuer.paths.openid, 'reset');
    issuer.behave(issuer.paths.jwks, { status: 500 });
    clock.pass(14 * 60);
    expect(await statusOf(world, issuer.token())).toBe(200);
    clock.pass(61);
    const late = await world.ask({ token: issuer.token() });
    expect(late.status).toBe(503);
    expect(Number(only(late, 'retry-after'))).toBeGreaterThan(0);
    issuer.behave(issuer.paths.oauth, 'normal');
    issuer.behave(issuer.paths.jwks, 'normal');
    clock.pass(31);
    expect(await statusOf(world, issuer.token())).toBe(200);
  });

  it('are fetched again once they are as old as the TTL, without a request that waits for it (A12)', async () => {
    const { world, clock } = await clocked('keys: { ttl: 10m }');
    await using running = world;
    const { issuer } = running;
    const before = issuer.hits(issuer.paths.jwks);
    expect(await statusOf(world, issuer.token())).toBe(200);
    expect(issuer.hits(issuer.paths.jwks)).toBe(before);
    clock.pass(601);
    issuer.behave(issuer.paths.jwks, { delayMs: 1_000 });
    const began = performance.now();
    expect(await statusOf(world, issuer.token())).toBe(200);
    expect(performance.now() - began).toBeLessThan(700);
    await expect.poll(() => issuer.hits(issuer.paths.jwks)).toBe(before + 1);
  });

  it.each([
    [
      '101 keys',
      {
        keys: Array.from({ length: 101 }, (_, kid) => ({
          kty: 'OKP',
          crv: 'Ed25519',
          x: 'AA',
          kid: `${kid}`,
        })),
      },
    ],
    ['more than 256 KiB', `{"keys":[],"padding":"${'x'.repeat(300_000)}"}`],
    ['no key set', { keys: 'many' }],
    ['no usable key', { keys: [] }],
    ['no JSON', '<html>'],
  ])('that are %s make the server unusable, with 503 and a warning (A12)', async (_name, body) => {
    await using issuer = await startIssuer({ algorithms: ['ES256'] });
    issuer.behave(issuer.paths.jwks, { body });
    const port = await reserveFreePort();
    await using gateway = await startGateway(
      `
authorizationServers: [{ name: corp, issuer: '${issuer.url}' }]
routes: [{ path: /mcp, upstream: 'http://localhost:1/mcp' }]
`,
      { port },
    );
    const token = issuer.token({ claims: { aud: `http://localhost:${port}/mcp` } });
    expect((await ask(port, { token })).status).toBe(503);
    expect(gateway.log).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: expect.stringContaining('corp') as string }),
    );
  });
});

it('a hanging authorization server gives its tokens 503 with Retry-After in about its time-out, and the other’s 200 (A13)', async () => {
  await using world = await startWorld();
  await using slow = await startIssuer({ algorithms: ['ES256'] });
  for (const path of Object.values(slow.paths)) slow.behave(path, 'hang');
  const port = await reserveFreePort();
  await using gateway = await startGateway(
    `
authorizationServers:
  - { name: slow, issuer: '${slow.url}', keys: { timeout: 1500ms, cooldown: 1s } }
  - { name: corp, issuer: '${world.issuer.url}' }
routes: [{ path: /mcp, upstream: '${world.upstream.url}' }]
`,
    { port, when: 'listening' },
  );
  await expect
    .poll(async () => (await fetch(`${gateway.opsUrl}/readyz`)).status, { timeout: 5_000 })
    .toBe(200);
  const aud = `http://localhost:${port}/mcp`;
  const began = performance.now();
  let hangingMs = 0;
  const [hanging, healthy] = await Promise.all([
    ask(port, { token: slow.token({ claims: { aud } }) }).finally(() => {
      hangingMs = performance.now() - began;
    }),
    ask(port, { token: world.issuer.token({ claims: { aud } }) }).then((response) => ({
      status: response.status,
      afterMs: performance.now() - began,
    })),
  ]);
  expect(hanging.status).toBe(503);
  expect(Number(only(hanging, 'retry-after'))).toBeGreaterThan(0);
  expect(hanging.header('www-authenticate')).toEqual([]);
  // All documents together take the time-out; a request waits 2 s at most.
  expect(performance.now() - began).toBeLessThan(2_800);
  expect(healthy.status).toBe(200);
  // Judged in one run, not by the clock of a busy machine: the other's tokens don't wait for the one that hangs.
  expect(healthy.afterMs).toBeLessThan(hangingMs / 2);
});

async function headersOf(upstream: RecordingUpstream, n: number, names: readonly string[]): Promise<unknown> {
  const request = await upstream.request(n);
  return Object.fromEntries(names.map((name) => [name, request.header(name)]));
}

describe('A14 the principal', () => {
  const names = ['x-auth-subject', 'x-auth-client-id', 'x-auth-email', 'x-auth-groups'];
  it.each([
    [{ client_id: 'c', azp: 'z' }, ['c'], []],
    [{ client_id: undefined, azp: 'z' }, ['z'], []],
    [{ client_id: '', azp: 'z' }, ['z'], []],
    [{ client_id: 7, azp: undefined }, [], []],
    [{ client_id: undefined, azp: undefined, email: 'a@example.com' }, [], ['a@example.com']],
    [{ client_id: undefined, azp: undefined, email: ['a@example.com'] }, [], []],
  ])(
    'of %o has the client %o and the email %o, and nothing that is made up (A14)',
    async (claims, client, email) => {
      await using world = await startWorld({ route: 'identity: { claims: { X-Auth-Groups: groups } }' });
      expect(
        await statusOf(world, world.issuer.token({ claims: { ...claims, groups: ['eng', 'ops'] } })),
      ).toBe(200);
      expect(await headersOf(world.upstream, 1, names)).toEqual({
        'x-auth-subject': ['alice'],
        'x-auth-client-id': client,
        'x-auth-email': email,
        'x-auth-groups': ['eng,ops'],
      });
    },
  );

  it('is read from the claims that the configuration names (A14)', async () => {
    await using world = await startWorld({
      server: `claims: { clientId: ['https://example.com/app.id'], email: upn }`,
    });
    const claims = { 'https://example.com/app.id': 'app', upn: 'a@corp.example', email: 'other@example.com' };
    expect(await statusOf(world, world.issuer.token({ claims }))).toBe(200);
    expect(await headersOf(world.upstream, 1, names)).toMatchObject({
      'x-auth-client-id': ['app'],
      'x-auth-email': ['a@corp.example'],
    });
  });
});

describe('A15 granted scopes', () => {
  it.each([
    [{ scope: 'a b' }, 'a b'],
    [{ scope: undefined, scp: ['a', 'b'] }, 'a b'],
    [{ scope: 'a', scp: ['b'] }, 'a'],
    [{ scope: undefined }, undefined],
    [{ scope: '  a   b ' }, 'a b'],
    [{ scope: 7 }, undefined],
    [{ scope: undefined, scp: 'a b' }, 'a b'],
    [{ scope: 'a "b' }, 'a'],
    [{ scope: undefined, scp: ['a', '', ' '] }, 'a'],
    [{ scope: 'a é' }, 'a'],
  ])('of %o are %s (A15)', async (claims, expected) => {
    await using world = await startWorld();
    expect(await statusOf(world, world.issuer.token({ claims }))).toBe(200);
    expect((await world.upstream.request()).header('x-auth-scopes')).toEqual(
      expected === undefined ? [] : [expected],
    );
  });

  it('decide whether the route’s scopes are there (A15)', async () => {
    await using world = await startWorld({ route: 'scopes: [a, b]' });
    expect(await statusOf(world, world.issuer.token({ claims: { scope: 'b x a' } }))).toBe(200);
    const few = await world.ask({ token: world.issuer.token({ claims: { scope: 'a' } }) });
    expect(few.status).toBe(403);
    expect(only(few, 'www-authenticate')).toMatch(/error="insufficient_scope".*scope="a b"/);
    expect(world.upstream.requests).toHaveLength(1);
  });
});
