/** Tokens whose signature, key or algorithm is a lie (attack catalogue ). */
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { CompactEncrypt, exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mark, type Reason } from '../support/invariants.ts';
import { startIssuer } from '../support/issuer.ts';
import { closeServer, host, listenOnLoopback } from '../support/loopback.ts';
import { mintKey, signCompact, type SigningAlgorithm, type SigningKey } from '../support/signing-key.ts';
import { expectError, expectInvalidToken } from './answers.ts';
import { ping, startScene, type Scene } from './scene.ts';

let scene: Scene;

beforeAll(async () => {
  const algorithms: readonly SigningAlgorithm[] = ['RS256', 'ES256', 'EdDSA'];
  scene = await startScene({ issuers: [await startIssuer({ algorithms })] });
});

afterAll(() => scene.close());

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

function segments(token: string): [string, string, string] {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return [header, payload, signature];
}

/** Sends each token and expects R401 with this reason, and not a byte at the upstream. */
async function expectRefused(tokens: readonly string[], reasons: readonly Reason[]): Promise<void> {
  const before = await mark(scene);
  for (const token of tokens) expectInvalidToken(await scene.ask({ token }), scene);
  const events = await before.hold({ forwarded: 0 });
  for (const { reason } of events) expect(reasons).toContain(reason);
}

/** The same token, well made, opens the gate: without this a refusal would prove nothing. */
async function expectServed(token: string): Promise<void> {
  const before = await mark(scene);
  expect((await scene.ask({ token })).status).toBe(200);
  await before.hold({ forwarded: 1, reasons: ['ok'] });
}

describe('a token without a signature', () => {
  it('A-001: opens the gate only with the signature that its algorithm asks for', async () => {
    await expectServed(scene.token());
    await expectServed(scene.token({ key: 'ES256' }));
    await expectServed(scene.token({ key: 'EdDSA' }));
  });

  it.each([['none'], ['None'], ['nOnE'], ['NONE'], [''], [null], [['RS256']], [0], [undefined]])(
    'A-001: alg %j is refused, with an empty signature and with a copied one',
    async (alg) => {
      const [, payload, signature] = segments(scene.token());
      const header = encode({ typ: 'at+jwt', kid: scene.issuer.key('RS256').kid, alg });
      await expectRefused([`${header}.${payload}.${signature}`], ['alg_not_allowed']);
      // Three segments are one of them empty: not a JWT at all.
      await expectRefused([`${header}.${payload}.`], ['token_malformed']);
    },
  );

  it('A-001: two segments, one, four and none are refused', async () => {
    const [header, payload, signature] = segments(scene.token());
    const tokens = [`${header}.${payload}`, header, `${header}.${payload}.${signature}.x`, '.', '..', '...'];
    await expectRefused(tokens, ['token_malformed']);
  });
});

describe('a public key as a shared secret', () => {
  it('A-002: no encoding of a published key signs an HMAC token', async () => {
    const key = scene.issuer.key('RS256');
    const pem = createPublicKey({ key: key.publicJwk, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    });
    const der = createPublicKey({ key: key.publicJwk, format: 'jwk' }).export({
      type: 'spki',
      format: 'der',
    });
    const text = String(pem);
    const jwks = JSON.stringify({ keys: scene.issuer.keys.map(({ publicJwk }) => publicJwk) });
    const secrets = [
      text,
      text.trimEnd(),
      text.replaceAll('\n', '\r\n'),
      ` ${text}`,
      der,
      JSON.stringify(key.publicJwk),
      jwks,
      Buffer.from(key.publicJwk.n ?? '', 'base64url'),
      '',
    ];
    const tokens = (['HS256', 'HS384', 'HS512'] as const).flatMap((alg) =>
      secrets.map((secret) => scene.token({ key: { alg, secret, kid: key.kid } })),
    );
    await expectRefused(tokens, ['alg_not_allowed']);
  });
});

describe('a key that the token brings along', () => {
  it('A-003: an embedded jwk is never consulted, with and without a real kid', async () => {
    const attacker = mintKey('RS256', 'attacker');
    const jwk = attacker.publicJwk;
    const real = scene.issuer.key('RS256').kid;
    await expectRefused([scene.token({ key: attacker, header: { jwk, kid: real } })], ['token_signature']);
    const before = await mark(scene);
    const unknown = scene.token({ key: attacker, header: { jwk } });
    expectCoolingDown(await scene.ask({ token: unknown }));
    await before.hold({ forwarded: 0, reasons: ['key_lookup_cooling_down'] });
    // Without a kid the one key that fits the algorithm is asked, and it didn't sign.
    await expectRefused(
      [scene.token({ key: attacker, header: { jwk, kid: undefined } })],
      ['token_signature'],
    );
  });

  it('A-004: jku, x5u and x5c are never fetched or believed', async () => {
    let hits = 0;
    const attacker = mintKey('RS256', 'attacker');
    const canary = createServer((_request, response) => {
      hits += 1;
      response.end(JSON.stringify({ keys: [attacker.publicJwk] }));
    });
    canary.on('connection', () => (hits += 1));
    const port = await listenOnLoopback(canary);
    const asked = scene.issuer.hits();
    const urls = [
      `http://${host}:${port}/jwks`,
      `${scene.issuer.url}/redirect?to=http://${host}:${port}/jwks`,
      'file:///etc/passwd',
      `data:application/json,${JSON.stringify({ keys: [attacker.publicJwk] })}`,
    ];
    const kid = scene.issuer.key('RS256').kid;
    const tokens = urls.flatMap((url) =>
      [{ jku: url }, { x5u: url }, { jku: url, x5u: url, x5c: ['AAAA'] }].map((header) =>
        scene.token({ key: attacker, header: { ...header, kid } }),
      ),
    );
    await expectRefused(tokens, ['token_signature']);
    await closeServer(canary);
    expect(hits).toBe(0);
    expect(scene.issuer.hits()).toBe(asked);
  });
});

describe("a key id that isn't one", () => {
  const hostile: readonly (readonly [string, unknown])[] = [
    ['a path', '../../../../dev/null'],
    ['SQL', "' OR 1=1--"],
    ['NUL', 'a\u0000b'],
    ['CRLF', 'a\r\nX-Injected: 1'],
    ['a prototype', '__proto__'],
    ['a constructor', 'constructor'],
    ['an empty text', ''],
    ['a URL', 'http://127.0.0.1:1/key'],
    ['a number', 1],
    ['null', null],
    ['a list', ['a']],
    ['an object', { toString: 'a' }],
    ['true', true],
    ['2,000 characters', 'k'.repeat(2000)],
  ];

  it.each(hostile)('A-006: %s as kid gives 401 or 503 and one line of log', async (_name, kid) => {
    const before = await mark(scene);
    const lines = scene.gateway.log.length;
    const answer = await scene.ask({ token: scene.token({ key: 'RS256', header: { kid } }) });
    if (answer.status === 503) expectCoolingDown(answer);
    else expectInvalidToken(answer, scene);
    const [event] = await before.hold({ forwarded: 0 });
    expect(['key_unknown', 'key_lookup_cooling_down']).toContain(event?.reason);
    expect(scene.gateway.log).toHaveLength(lines + 1);
    if (typeof kid === 'string' && kid.length > 3) expect(scene.gateway.written).not.toContain(kid);
  });

  it('A-006: kids are compared letter for letter', async () => {
    const { kid } = scene.issuer.key('RS256');
    const before = await mark(scene);
    const spellings = [kid.toUpperCase(), ` ${kid}`, `${kid} `, `${kid}\u0000`, kid.replace('-', '\u2010')];
    const others = spellings.filter((spelling) => spelling !== kid);
    for (const other of others) {
      const answer = await scene.ask({ token: scene.token({ header: { kid: other } }) });
      expectCoolingDown(answer);
    }
    await before.hold({ forwarded: 0, reasons: ['key_lookup_cooling_down'] });
  });

  it('A-006: a kid of 64 KB is more than a header may hold', async () => {
    const token = scene.issuer.token({ header: { kid: 'k'.repeat(64 * 1024) } });
    const { answer, client } = await scene.unparsed(scene.request({ token }));
    expect(answer.status).toBe(431);
    await client.closedByPeer();
    await client.close();
  });
});

describe('an extension that must be understood', () => {
  const headers: readonly Readonly<Record<string, unknown>>[] = [
    { crit: ['x'], x: 1 },
    { crit: [] },
    { crit: 'exp' },
    { crit: ['alg', 'kid'] },
    { crit: ['absent'] },
    { crit: ['x', 'x'], x: 1 },
    { crit: ['b64'], b64: true },
    { crit: null },
    { b64: false },
    { b64: false, crit: ['b64'] },
    { b64: true },
  ];

  it.each(headers)('A-007 and A-008: the header %j is refused', async (header) => {
    await expectRefused([scene.token({ header })], ['critical_header']);
  });

  it('A-007: crit among the claims is only a claim', async () => {
    await expectServed(scene.token({ claims: { crit: ['x'] } }));
  });

  it("A-008: a payload that wasn't encoded is no token", async () => {
    const key = scene.issuer.key('RS256');
    const [header, , signature] = segments(
      scene.token({ header: { b64: false, crit: ['b64'], kid: key.kid } }),
    );
    await expectRefused(
      [`${header}.a.b.c.${signature}`, `${header}.abc.${signature}`],
      ['token_malformed', 'critical_header'],
    );
  });
});

describe("an algorithm that isn't the key's", () => {
  it('A-009: a key that says PS256 or ES256 serves no other algorithm of its family', async () => {
    const rsa = scene.issuer.key('RS256');
    const ec = scene.issuer.key('ES256');
    await expectKeyRefused({ ...rsa, alg: 'PS256' });
    await expectKeyRefused({ ...rsa, alg: 'RS512' });
    await expectKeyRefused({ ...ec, alg: 'ES384' });
  });

  it("A-009: an algorithm that one authorization server may use isn't granted to another", async () => {
    const [first, second] = [await startIssuer(), await startIssuer({ path: '/b' })];
    await using both = await startScene({
      issuers: [first, second],
      servers: `authorizationServers:
  - { name: a, issuer: '${first.url}', algorithms: [ES256] }
  - { name: b, issuer: '${second.url}', algorithms: [RS256] }`,
    });
    const before = await mark(both);
    expectInvalidToken(await both.ask({ token: both.token({ key: 'RS256' }, first) }), both);
    expectInvalidToken(await both.ask({ token: both.token({ key: 'ES256' }, second) }), both);
    expect((await both.ask({ token: both.token({ key: 'ES256' }, first) })).status).toBe(200);
    expect((await both.ask({ token: both.token({ key: 'RS256' }, second) })).status).toBe(200);
    await before.hold({ forwarded: 2, reasons: ['alg_not_allowed', 'alg_not_allowed', 'ok', 'ok'] });
  });
});

/** No key of that name serves the algorithm: 401, or 503 while the key set can't be asked again. */
async function expectKeyRefused(key: SigningKey): Promise<void> {
  const before = await mark(scene);
  const answer = await scene.ask({ token: scene.token({ key }) });
  if (answer.status === 503) expectCoolingDown(answer);
  else expectInvalidToken(answer, scene);
  const [event] = await before.hold({ forwarded: 0 });
  expect(['alg_not_allowed', 'key_unknown', 'key_lookup_cooling_down']).toContain(event?.reason);
}

function expectCoolingDown(answer: Awaited<ReturnType<Scene['ask']>>): void {
  expect(answer.status).toBe(503);
  expect(answer.header('www-authenticate')).toEqual([]);
  const [seconds = ''] = answer.header('retry-after');
  expect(seconds).toMatch(/^([1-9]|[12][0-9]|30)$/);
  expectError(answer, { code: 50300, message: 'The authorization server is unavailable' });
}

describe('a degenerate signature', () => {
  // The order of the curve P-256 (SEC 2 §2.4.2).
  const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
  const zero = Buffer.alloc(32);
  const one = Buffer.concat([Buffer.alloc(31), Buffer.of(1)]);

  it("A-011: zero, the order, DER and wrong lengths aren't ES256 signatures", async () => {
    const [header, payload, signature] = segments(scene.token({ key: 'ES256' }));
    const good = Buffer.from(signature, 'base64url');
    const der = Buffer.concat([
      Buffer.of(0x30, 0x44, 2, 32),
      good.subarray(0, 32),
      Buffer.of(2, 32),
      good.subarray(32),
    ]);
    const forged = [
      Buffer.concat([zero, zero]),
      Buffer.concat([order, order]),
      Buffer.concat([order, one]),
      Buffer.concat([one, order]),
      Buffer.concat([zero, one]),
      Buffer.concat([one, zero]),
      der,
      good.subarray(0, 63),
      Buffer.concat([good, Buffer.of(0)]),
      Buffer.concat([Buffer.of(0), good]),
    ];
    await expectRefused(
      forged.map((bytes) => `${header}.${payload}.${bytes.toString('base64url')}`),
      ['token_signature'],
    );
  });

  it("A-011: zero and small-order points aren't Ed25519 signatures", async () => {
    const [header, payload, signature] = segments(scene.token({ key: 'EdDSA' }));
    const good = Buffer.from(signature, 'base64url');
    const forged = [
      Buffer.alloc(64),
      Buffer.concat([one, zero]),
      Buffer.concat([Buffer.of(1), Buffer.alloc(63)]),
      Buffer.concat([good.subarray(0, 32), zero]),
      good.subarray(0, 63),
      randomBytes(64),
    ];
    await expectRefused(
      forged.map((bytes) => `${header}.${payload}.${bytes.toString('base64url')}`),
      ['token_signature'],
    );
  });
});

describe('an encrypted token', () => {
  it('A-012: JWE in every form is refused without being opened', async () => {
    const claims = Buffer.from(
      JSON.stringify({ iss: scene.issuer.url, sub: 'alice', aud: scene.resource() }),
    );
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const dir = await new CompactEncrypt(claims)
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(randomBytes(32));
    const rsa = await new CompactEncrypt(Buffer.from(scene.token()))
      .setProtectedHeader({
        alg: 'RSA-OAEP-256',
        enc: 'A256GCM',
        cty: 'JWT',
        jwk: await exportJWK(publicKey),
      })
      .encrypt(publicKey);
    const [, ...rest] = rsa.split('.');
    const pbes2 = [
      encode({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31, p2s: 'c2FsdA' }),
      ...rest,
    ];
    const bomb = [encode({ alg: 'dir', enc: 'A128GCM', zip: 'DEF' }), ...rest];
    const renamed = [encode({ alg: 'RS256', kid: scene.issuer.key('RS256').kid }), ...rest];
    const startedAt = performance.now();
    await expectRefused([dir, rsa, pbes2.join('.'), bomb.join('.'), renamed.join('.')], ['token_malformed']);
    // A PBES2 of that count takes minutes.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  it('A-012: a nested JWT is no claims set', async () => {
    const inner = scene.token();
    const header = { alg: 'RS256', kid: scene.issuer.key('RS256').kid, cty: 'JWT' };
    await expectRefused(
      [signCompact({ header, payload: inner }, scene.issuer.key('RS256'))],
      ['token_malformed'],
    );
    const zipped = signCompact(
      { header: { ...header, zip: 'DEF' }, payload: randomBytes(40).toString('latin1') },
      scene.issuer.key('RS256'),
    );
    await expectRefused([zipped], ['token_malformed']);
  });
});

describe('a token in another spelling', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

  it('A-014: none of the other last characters of a signature is taken, before and after the good one was', async () => {
    // An RS256 signature of 256 bytes leaves four spare bits in its last character.
    const token = scene.token({ key: 'RS256' });
    const at = alphabet.indexOf(token.slice(-1));
    const variants = Array.from(alphabet.slice(at + 1, at + 16), (last) => token.slice(0, -1) + last);
    const same = variants.filter((variant) =>
      Buffer.from(segments(variant)[2], 'base64url').equals(Buffer.from(segments(token)[2], 'base64url')),
    );
    expect(same).toHaveLength(15);
    await expectRefused(variants, ['token_malformed']);
    await expectServed(token);
    await expectRefused(variants, ['token_malformed']);
  });

  it("A-014: padding and the other base64 alphabet aren't taken in any segment", async () => {
    const [header, payload, signature] = segments(scene.token());
    await expectRefused(
      [
        `${header}.${payload}.${signature}==`,
        `${header}.${payload}.${signature.replace(/^../, '+/')}`,
        `${header}~.${payload}.${signature}`,
      ],
      ['token_malformed'],
    );
    await expectRefused([`${header}.${payload}.${signature}A`], ['token_signature']);
    const before = await mark(scene);
    // A space makes it no token at all, so no credentials were presented.
    const spaced = await scene.ask({
      lines: [`Authorization: Bearer ${header}.${payload}. ${signature}`],
      body: ping,
    });
    expect(spaced.status).toBe(401);
    await before.hold({ forwarded: 0, reasons: ['malformed_credentials'] });
  });
});
