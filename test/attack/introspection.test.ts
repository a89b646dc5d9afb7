/** Opaque tokens, and authorization servers that answer about them in bad faith or not at all (attack catalogue A, D-010). */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { IntrospectionEndpoint } from '../support/introspection-endpoint.ts';
import { mark } from '../support/invariants.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually } from '../support/loopback.ts';
import type { Behaviour } from '../support/scripted-answer.ts';
import { signCompact } from '../support/signing-key.ts';
import { makeCertificate } from '../integration/certificates.ts';
import { expectError, expectExpiredToken, expectInvalidToken } from './answers.ts';
import { startScene, type Scene } from './scene.ts';

const secret = randomBytes(24).toString('hex');
const environment = { SECRET: secret };
const settings = 'clientId: gateway, clientSecret: { env: SECRET }';

let scene: Scene;
let endpoint: IntrospectionEndpoint;
/** Milliseconds that the gateway's clock is ahead. */
let aheadMs = 0;
const clock = (): number => Date.now() + aheadMs;
const seconds = (): number => Math.floor(clock() / 1000);

beforeAll(async () => {
  const issuer = await startIssuer({ algorithms: ['ES256'], now: seconds });
  endpoint = new IntrospectionEndpoint(issuer);
  scene = await startScene({ issuers: [issuer], servers: serversOf(issuer, settings), environment, clock });
  scene.secrets.add(secret);
  scene.secrets.add(Buffer.from(`gateway:${secret}`).toString('base64'));
});
afterAll(() => scene.close());

/** What a test left behind must not tell on the next: failures in a row, a pause. */
afterEach(async () => {
  endpoint.behaviour = 'normal';
  aheadMs += 61_000;
  await eventually('the server is asked again', async () => (await ask(issue())).status === 200);
});

function serversOf({ url }: Issuer, introspection: string): string {
  return `authorizationServers:\n  - { name: as0, issuer: '${url}', keys: { timeout: 600ms }, introspection: { ${introspection} } }`;
}

function issue(claims: Readonly<Record<string, unknown>> = {}): string {
  return endpoint.issue(scene.resource(), claims);
}

function ask(token: string): ReturnType<Scene['ask']> {
  return scene.ask({ token });
}

function opaque(): string {
  return randomBytes(24).toString('base64url');
}

async function expectUnavailable(token: string): Promise<void> {
  const answer = await ask(token);
  expect(answer.status).toBe(503);
  expect(answer.header('retry-after')[0]).toMatch(/^[1-9][0-9]?$/);
  expect(answer.header('www-authenticate')).toEqual([]);
  expectError(answer, { code: 50300, message: 'The authorization server is unavailable' });
}

describe('a JWT that fails', () => {
  const payload = (): object => ({
    iss: scene.issuer.url,
    sub: 'alice',
    aud: scene.resource(),
    exp: seconds() + 60,
  });
  const written = (header: unknown): string =>
    [header, payload()].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');

  it.each([{ alg: 'none' }, { alg: 'None' }, { alg: '' }, {}, { alg: null }, { alg: ['none'] }, { alg: 1 }])(
    'A-001: is never tried as an opaque token: %j',
    async (header) => {
      const before = await mark(scene);
      const calls = endpoint.calls.length;
      const copied = issueJwt().split('.').at(-1) ?? '';
      // Were it asked about, it would be let in.
      for (const token of [`${written(header)}.`, `${written(header)}.${copied}`, written(header)]) {
        endpoint.activate(token, { sub: 'alice', aud: scene.resource() });
        expectInvalidToken(await ask(token), scene);
      }
      expect(endpoint.calls).toHaveLength(calls);
      await before.hold({ forwarded: 0 });
    },
  );

  it('A-001: nor is one that only looks like one, or is encrypted', async () => {
    const calls = endpoint.calls.length;
    const key = scene.issuer.key('ES256');
    for (const token of [
      signCompact({ header: '{"alg":"ES2', payload: '{}' }, key),
      `${written({ alg: 'dir', enc: 'A256GCM' })}..aXY.Y2lwaGVy.dGFn`,
      `${written({ alg: 'ES256' })}.!`.replace('!', '~'),
    ]) {
      endpoint.activate(token, { sub: 'alice', aud: scene.resource() });
      expectInvalidToken(await ask(token), scene);
    }
    expect(endpoint.calls).toHaveLength(calls);
  });
});

function issueJwt(): string {
  return scene.token();
}

describe('what an answer says', () => {
  it.each([
    ['"true"', { active: 'true' }],
    ['1', { active: 1 }],
    ['"false"', { active: 'false' }],
    ['null', { active: null }],
    ['nothing', {}],
    ['a list', { active: [true] }],
    ['an object', { active: { active: true } }],
    ['an error', { error: 'invalid_request' }],
    ['a list of answers', [{ active: true }]],
  ])('A-054: active as %s is no answer: 503', async (_what, body) => {
    const before = await mark(scene);
    endpoint.behaviour = { body: JSON.stringify({ sub: 'alice', aud: scene.resource(), ...body }) };
    if (Array.isArray(body)) endpoint.behaviour = { body: JSON.stringify(body) };
    await expectUnavailable(opaque());
    await before.hold({ forwarded: 0, reasons: ['introspection_failed'] });
  });

  it.each([
    ['204', { status: 204, body: '' }],
    ['an empty body', { body: '' }],
    ['active twice', { body: '{"active":false,"active":true,"sub":"alice"}' }],
    ['active twice, in another spelling', { body: '{"active":false,"\\u0061ctive":true,"sub":"alice"}' }],
    ['what is no JSON', { body: '{"active":true' }],
    ['what is no UTF-8', { body: Buffer.from([0x7b, 0xff, 0x7d]) }],
  ] as const)('A-054: %s is no answer: 503', async (_what, behaviour) => {
    endpoint.behaviour = behaviour;
    await expectUnavailable(opaque());
  });

  it('A-054: active: false is 401, and true is 200', async () => {
    endpoint.behaviour = { body: { active: false, sub: 'alice', aud: scene.resource() } };
    expectInvalidToken(await ask(opaque()), scene);
    endpoint.behaviour = { body: { active: true, sub: 'alice', aud: scene.resource(), scope: 'mcp:use' } };
    expect((await ask(opaque())).status).toBe(200);
  });

  it.each([
    ['another audience', { aud: 'https://other.example.com' }, 'token_audience'],
    ['no audience', { aud: undefined }, 'token_audience'],
    ['a list without it', { aud: ['a', 'b'] }, 'token_audience'],
    ['an audience that begins with it', { aud: 'http://localhost' }, 'token_audience'],
    ['another issuer', { iss: 'https://evil.example.com' }, 'issuer_not_trusted'],
    ['an issuer that is a list', { iss: ['https://evil.example.com'] }, 'issuer_not_trusted'],
    ['a refresh token by type', { token_type: 'refresh_token' }, 'token_type'],
    ['a refresh token by use', { token_use: 'refresh_token' }, 'token_type'],
    ['a refresh token by typ', { typ: 'Refresh' }, 'token_type'],
    ['an ID token', { nonce: 'n', at_hash: 'h' }, 'token_type'],
    ['another type', { token_type: 'mac' }, 'token_type'],
    ['a type that is no text', { token_type: 1 }, 'token_type'],
    ['no subject', { sub: undefined, username: 'alice' }, 'token_subject'],
    ['an empty subject', { sub: '', username: 'alice' }, 'token_subject'],
    ['a subject with a line break', { sub: 'a\r\nX-Auth-Subject: root' }, 'token_subject'],
    ['a time that is no number', { exp: '4102444800' }, 'token_lifetime'],
    ['a time beyond all time', { exp: 1e308 }, 'token_lifetime'],
  ] as const)('A-055: of an active token with %s is refused', async (_what, claims, reason) => {
    const before = await mark(scene);
    expectInvalidToken(await ask(issue(claims)), scene);
    await before.hold({ forwarded: 0, reasons: [reason] });
  });

  it('A-055: is held to its times, now and later', async () => {
    expectExpiredToken(await ask(issue({ exp: seconds() - 1 })), scene);
    expectInvalidToken(await ask(issue({ nbf: seconds() + 3600 })), scene);
    expectInvalidToken(await ask(issue({ iat: seconds() + 3600 })), scene);
    const soonOver = issue({ exp: seconds() + 20 });
    expect((await ask(soonOver)).status).toBe(200);
    aheadMs += 21_000;
    expectExpiredToken(await ask(soonOver), scene);
  });

  it('A-028: without exp is asked for again after the TTL', async () => {
    const token = issue({ exp: undefined });
    for (let round = 1; round <= 3; round += 1) {
      expect((await ask(token)).status).toBe(200);
      expect((await ask(token)).status).toBe(200);
      expect(endpoint.callsFor(token)).toBe(round);
      aheadMs += 30_000;
    }
    endpoint.revoke(token);
    expectInvalidToken(await ask(token), scene);
  });

  it.each([
    ['a key', { cnf: { jkt: 'A'.repeat(43) } }],
    ['a certificate', { cnf: { 'x5t#S256': 'A'.repeat(43) } }],
    ['nothing, in a cnf', { cnf: {} }],
    ['a key that is not named', { token_type: 'DPoP' }],
    ['a key, and says so', { token_type: 'DPoP', cnf: { jkt: 'A'.repeat(43) } }],
  ])('A-070: bound to %s is refused as Bearer', async (_what, claims) => {
    const before = await mark(scene);
    expectInvalidToken(await ask(issue(claims)), scene);
    await before.hold({ forwarded: 0, reasons: ['token_confirmation'] });
  });
});

describe('a revocation', () => {
  it('A-053: holds on every replica within the TTL, and a malleated copy was never good', async () => {
    const routes = `routes: [{ path: /mcp, audiences: ['${scene.resource()}'], upstream: '${scene.upstream.url}' }]`;
    await using replica = await startGateway(`${serversOf(scene.issuer, settings)}\n${routes}`, {
      environment,
      clock,
    });
    const token = issue();
    const atReplica = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(`${replica.url}/mcp`, { method: 'DELETE', headers })).status;
    };
    expect((await ask(token)).status).toBe(200);
    expect(await atReplica()).not.toBe(401);
    for (const copy of [`${token}=`, `${token}A`, token.slice(0, -1), token.toUpperCase()])
      expectInvalidToken(await ask(copy), scene);
    endpoint.revoke(token);
    aheadMs += 30_000;
    expectInvalidToken(await ask(token), scene);
    expect(await atReplica()).toBe(401);
  });
});

describe('an authorization server at fault', () => {
  const elsewhere = { location: 'http://127.0.0.1:1/introspect' };
  const json = { 'content-type': 'application/json' };
  /** Were it read to its end, it would let anyone in. */
  const long =
    (bytes: number): Behaviour =>
    (_request, response) => {
      response.writeHead(200, json);
      response.end(longAnswer(bytes));
    };

  it.each<readonly [string, Behaviour, string]>([
    ['refuses our credentials', { status: 401, body: { error: 'invalid_client' } }, 'refused'],
    [
      'challenges us',
      { status: 401, headers: { 'www-authenticate': 'Basic realm="as"' }, body: '' },
      'refused',
    ],
    ['calls us an invalid client', { status: 400, body: { error: 'invalid_client' } }, 'refused'],
    ['forbids us', { status: 403, body: '' }, 'refused'],
    ['calls the request bad', { status: 400, body: { error: 'invalid_request' } }, 'failed'],
    ['slows us down', { status: 429, headers: { 'retry-after': '7' }, body: '' }, 'failed'],
    ['breaks', { status: 500, body: '' }, 'failed'],
    ['is away', { status: 503, body: '' }, 'failed'],
    ['redirects (302)', { status: 302, headers: elsewhere, body: '' }, 'failed'],
    ['redirects (307)', { status: 307, headers: elsewhere, body: '' }, 'failed'],
    [
      'shows a page',
      { headers: { 'content-type': 'text/html' }, body: '<html>{"active":true}</html>' },
      'failed',
    ],
    [
      'signs its answer',
      { headers: { 'content-type': 'application/token-introspection+jwt' }, body: 'e30.e30.e30' },
      'failed',
    ],
    ['does not say what it sends', { headers: { 'content-type': '' }, body: { active: true } }, 'failed'],
    ['sends 65 KiB', long(65 * 1024), 'failed'],
    ['sends 10 MB', long(10 * 1024 * 1024), 'failed'],
    [
      'sends 10 MB packed',
      (_request, response) => {
        response.writeHead(200, { ...json, 'content-encoding': 'gzip' });
        response.end(gzipSync(longAnswer(10 * 1024 * 1024)));
      },
      'failed',
    ],
    ['hangs', 'hang', 'failed'],
    ['hangs in the middle', hangInside, 'failed'],
    ['resets', 'reset', 'failed'],
  ])('A-057: that %s is 503, never 401', async (_what, behaviour, word) => {
    const before = await mark(scene);
    const token = issue();
    endpoint.behaviour = behaviour;
    await expectUnavailable(token);
    await before.hold({ forwarded: 0, reasons: [`introspection_${word}` as 'introspection_failed'] });
    // Nothing of it is remembered.
    endpoint.behaviour = 'normal';
    expect((await ask(token)).status).toBe(200);
  });

  it('A-057: may send an answer of 63 KiB', async () => {
    endpoint.behaviour = { body: longAnswer(63 * 1024) };
    expect((await ask(opaque())).status).toBe(200);
  });

  it('A-057: that asks for a pause is believed, within reason', async () => {
    for (const [written, told] of [
      ['7', '7'],
      ['86400', '60'],
      ['soon', '5'],
      ['-1', '5'],
    ] as const) {
      endpoint.behaviour = { status: 429, headers: { 'retry-after': written }, body: '' };
      expect((await ask(opaque())).header('retry-after')).toEqual([told]);
    }
  });

  it('A-057: is left alone after five failures, while good tokens that are remembered get in', async () => {
    const good = issue();
    expect((await ask(good)).status).toBe(200);
    endpoint.behaviour = { status: 500, body: '' };
    for (let at = 0; at < 5; at += 1) await expectUnavailable(opaque());
    await eventually('a pause', async () => {
      await expectUnavailable(opaque());
      return scene.gateway.audit.at(-1)?.reason === 'introspection_paused';
    });
    const calls = endpoint.calls.length;
    for (let at = 0; at < 30; at += 1) await expectUnavailable(opaque());
    expect((await ask(good)).status).toBe(200);
    expect(endpoint.calls).toHaveLength(calls);
  });

  it('A-057: cannot be made to seem so: where only what a client sends fails, others are served', async () => {
    const poison = randomBytes(4).toString('hex');
    endpoint.behaviour = (_request: IncomingMessage, response: ServerResponse) => {
      const token = endpoint.calls.at(-1)?.token ?? '';
      response.writeHead(token.startsWith(poison) ? 500 : 200, { 'content-type': 'application/json' });
      response.end(
        token.startsWith('opaque.')
          ? JSON.stringify({ active: true, sub: 'alice', aud: scene.resource(), scope: 'mcp:use' })
          : '{"active":false}',
      );
    };
    for (let round = 0; round < 4; round += 1) {
      for (let at = 0; at < 7; at += 1) await expectUnavailable(`${poison}${opaque()}`);
      expect((await ask(`opaque.${opaque()}`)).status).toBe(200);
    }
  });

  it('A-067: that names a private address as its endpoint is not followed there', async () => {
    for (const url of [
      'https://169.254.169.254/introspect',
      'https://[::ffff:10.0.0.1]/introspect',
      'https://0x7f000001/introspect',
      'https://localhost.:1/introspect',
      'http://example.com/introspect',
      'ftp://example.com/introspect',
      'nowhere',
    ]) {
      aheadMs += 301_000;
      scene.issuer.describe({ introspection_endpoint: url });
      await expectUnavailable(opaque());
    }
    scene.issuer.describe({ introspection_endpoint: endpoint.url });
    aheadMs += 301_000;
  });

  it('A-069: whose certificate nobody vouches for gets neither token nor secret', async () => {
    const tls = makeCertificate('localhost');
    await using stranger = await startIssuer({ algorithms: ['ES256'], tls });
    const strange = new IntrospectionEndpoint(stranger);
    const servers = serversOf(scene.issuer, `${settings}, endpoint: '${strange.url}'`);
    await using other = await startScene({ issuers: [await startIssuer()], servers, environment });
    expect((await other.ask({ token: opaque() })).status).toBe(503);
    expect(strange.calls).toEqual([]);
  });
});

/** An active token's, with white space after it. */
function longAnswer(bytes: number): string {
  return JSON.stringify({ active: true, sub: 'alice', aud: scene.resource(), scope: 'mcp:use' }).padEnd(
    bytes,
  );
}

async function hangInside(_request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"active":');
}

describe('a flood of invented tokens', () => {
  it('D-010: costs the server a bounded number of calls, and shuts out nobody who is known', async () => {
    // A scene of its own: the short patience of the others would judge the speed of this machine, and so would a clock that runs.
    let now = Date.now();
    const issuer = await startIssuer({ algorithms: ['ES256'], now: () => Math.floor(now / 1000) });
    const asked = new IntrospectionEndpoint(issuer);
    const servers = `authorizationServers:\n  - { name: as0, issuer: '${issuer.url}', introspection: { ${settings} } }`;
    await using flooded = await startScene({ issuers: [issuer], servers, environment, clock: () => now });
    const known = asked.issue(flooded.resource(), {});
    expect((await flooded.ask({ token: known })).status).toBe(200);
    const before = await mark(flooded);
    const calls = asked.calls.length;
    asked.behaviour = { delayMs: 1 };
    const flood = async (): Promise<void> => {
      for (let turn = 0; turn < 12; turn += 1) {
        const answers = await Promise.all(Array.from({ length: 10 }, () => flooded.ask({ token: opaque() })));
        for (const { status } of answers) expect([401, 503]).toContain(status);
      }
    };
    await flood();
    // A hundred in one second, the first of the known token with them, however long the flood lasts.
    expect(asked.calls.length - calls).toBe(99);
    // The answer for the known token is no longer fresh: the server is asked again, past the flood.
    now += 31_000;
    const [served] = await Promise.all([
      Promise.all(Array.from({ length: 5 }, () => flooded.ask({ token: known }))),
      flood(),
    ]);
    expect(served.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(asked.calls.length - calls).toBe(99 + 100 + 1);
    await before.hold({ forwarded: 5 });
  });
});
