/** Tokens bound to a key, and what passes for a proof of it (attack catalogue ). */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mark, type Reason } from '../support/invariants.ts';
import { startIssuer } from '../support/issuer.ts';
import { ProofKey, type ProofParts } from '../support/proof-key.ts';
import type { RawResponse } from '../support/raw-response.ts';
import { mintKey, signCompact } from '../support/signing-key.ts';
import { expectError, expectInvalidToken, expectNoCredentials } from './answers.ts';
import { startScene, type Ask, type Scene } from './scene.ts';

const algs = 'algs="ES256 ES384 Ed25519 EdDSA RS256 PS256"';

/** A time that a test moves. */
let seconds = 1_800_000_000;
const now = (): number => seconds;

let scene: Scene;
const key = new ProofKey('ES256', now);
/** Bound to `key`, good on every route. */
let bound: string;

beforeAll(async () => {
  scene = await startScene({
    clock: () => seconds * 1000,
    issuers: [await startIssuer({ now, algorithms: ['ES256'] })],
    routes: `routes:
  - { name: tools, path: /mcp, scopes: [mcp:use], default: true, dpop: optional, upstream: '$upstream' }
  - { name: strict, path: /strict, scopes: [mcp:use], dpop: required, upstream: '$upstream' }
  - { name: bare, path: /bare, discovery: off, dpop: required, upstream: '$upstream' }
  - { name: plain, path: /plain, scopes: [mcp:use], upstream: '$upstream' }
  - { name: public, path: /public, resource: 'https://Kube.example.com/MCP?tenant=x', dpop: required, upstream: '$upstream' }`,
  });
  bound = boundTo(key);
});

afterAll(() => scene.close());

/** A token bound to a key. */
function boundTo(holder: ProofKey, claims: Readonly<Record<string, unknown>> = {}): string {
  const audiences = ['/mcp', '/strict', '/bare', '/plain'].map((path) => scene.resource(path));
  const aud = [...audiences, 'https://kube.example.com/MCP?tenant=x'];
  return scene.token({ claims: { aud, exp: seconds + 86_400, cnf: { jkt: holder.jkt }, ...claims } });
}

interface Proved extends Ask {
  readonly path?: string;
  readonly token?: string;
  readonly by?: ProofKey;
  readonly parts?: ProofParts;
}

/** A request with a proof that is good but for `parts`. */
function ask({
  path = '/mcp',
  token = bound,
  by = key,
  parts = {},
  ...others
}: Proved = {}): Promise<RawResponse> {
  const lines = by.lines({ method: others.method ?? 'POST', url: scene.resource(path), token }, parts);
  return scene.ask({ target: path, lines, ...others });
}

function expectChallenges(answer: RawResponse, values: readonly string[]): void {
  expect(answer.status).toBe(401);
  expect(answer.header('www-authenticate')).toEqual(values);
  expect(answer.header('cache-control')).toEqual(['no-store']);
}

const metadata = (path: string): string =>
  `resource_metadata="${scene.gateway.url}/.well-known/oauth-protected-resource${path}"`;

function expectInvalidProof(answer: RawResponse): void {
  expectChallenges(answer, [
    `Bearer scope="mcp:use", ${metadata('/mcp')}`,
    `DPoP ${algs}, error="invalid_dpop_proof"`,
  ]);
  expectError(answer, { code: 40100, message: 'The DPoP proof is invalid' });
}

/** Each of these proofs is refused for this reason, and not a byte goes upstream. */
async function expectRefused(broken: readonly Proved[], reason: Reason): Promise<void> {
  const before = await mark(scene);
  for (const each of broken) expectInvalidProof(await ask(each));
  await before.hold({ forwarded: 0, reasons: [reason] });
}

async function expectServed(good: readonly Proved[]): Promise<void> {
  const before = await mark(scene);
  for (const each of good) expect((await ask(each)).status).toBe(200);
  await before.hold({ forwarded: good.length, reasons: ['ok'] });
}

/** A proof whose header and claims are JSON texts. */
function proofText(header: string, payload: string): string {
  return signCompact({ header, payload }, key.key);
}

describe('a token that is bound to a key', () => {
  it('A-070: is refused as Bearer wherever it goes, with and without a proof, and says so in both challenges', async () => {
    const before = await mark(scene);
    const failed = 'error="invalid_token", error_description="The access token is invalid"';
    const url = scene.resource();
    for (const lines of [[], [`DPoP: ${key.proof({ url, token: bound })}`]]) {
      expectChallenges(await scene.ask({ token: bound, lines }), [
        `Bearer ${failed}, scope="mcp:use", ${metadata('/mcp')}`,
        `DPoP ${algs}, ${failed}`,
      ]);
      expectChallenges(await scene.ask({ token: bound, lines, target: '/strict' }), [
        `DPoP ${algs}, ${failed}, scope="mcp:use", ${metadata('/strict')}`,
      ]);
      expectInvalidToken(await scene.ask({ token: bound, lines, target: '/plain' }), scene, {
        path: '/plain',
      });
    }
    await before.hold({ forwarded: 0, reasons: ['token_confirmation'] });
  });

  it('A-070: under another scheme than the route takes is no credential', async () => {
    const before = await mark(scene);
    const answer = await ask({ path: '/plain' });
    expectNoCredentials(answer, scene, { path: '/plain' });
    await before.hold({ forwarded: 0, reasons: ['other_scheme'] });
  });

  it('A-070, I3: is refused where something else than one key binds it', async () => {
    const before = await mark(scene);
    const bindings: readonly unknown[] = [
      { jkt: key.jkt, 'x5t#S256': key.jkt },
      { 'x5t#S256': key.jkt },
      { jwk: key.jwk },
      { jkt: [key.jkt] },
      { jkt: `${key.jkt}=` },
      { jkt: key.jkt.slice(1) },
      { JKT: key.jkt },
      {},
      [],
      key.jkt,
      null,
    ];
    for (const cnf of bindings) {
      const token = boundTo(key, { cnf });
      for (const path of ['/mcp', '/strict']) {
        const answer = await ask({ token, path });
        expect(answer.header('www-authenticate').join()).toContain('error="invalid_token"');
      }
      expect((await scene.ask({ token, target: '/plain' })).status).toBe(401);
    }
    await before.hold({ forwarded: 0, reasons: ['token_confirmation'] });
  });

  it('I2: passes with its proof; one that no key binds passes as Bearer where DPoP is optional, and nowhere under DPoP', async () => {
    await expectServed([{}, { path: '/strict' }, { path: '/bare' }]);
    const free = boundTo(key, { cnf: undefined });
    const before = await mark(scene);
    expect((await scene.ask({ token: free })).status).toBe(200);
    // A proof beside a Bearer token is nobody's business.
    expect((await scene.ask({ token: free, lines: ['DPoP: x', 'DPoP: y'] })).status).toBe(200);
    for (const path of ['/mcp', '/strict'])
      expect((await ask({ token: free, path })).header('www-authenticate').join()).toContain(
        '"invalid_token"',
      );
    expect((await scene.ask({ token: free, target: '/strict' })).status).toBe(401);
    await before.hold({
      forwarded: 2,
      reasons: ['ok', 'ok', 'token_confirmation', 'token_confirmation', 'token_confirmation'],
    });
    const { requests } = scene.upstream;
    expect(requests.flatMap((request) => request.header('dpop'))).toEqual([]);
  });

  it('I2: that has expired, or lacks scopes, is refused for that, under the schemes of the route', async () => {
    const expired = boundTo(key, { iat: seconds - 900, exp: seconds - 1 });
    const error = 'error="invalid_token", error_description="The access token expired"';
    expectChallenges(await ask({ token: expired, path: '/strict' }), [
      `DPoP ${algs}, ${error}, scope="mcp:use", ${metadata('/strict')}`,
    ]);
    const narrow = boundTo(key, { scope: 'other' });
    const answer = await ask({ token: narrow });
    expect(answer.status).toBe(403);
    expect(answer.header('www-authenticate')).toEqual([
      `Bearer error="insufficient_scope", scope="mcp:use", ${metadata('/mcp')}`,
      `DPoP ${algs}, error="insufficient_scope"`,
    ]);
    expect((await ask({ token: narrow, path: '/strict' })).header('www-authenticate')).toEqual([
      `DPoP ${algs}, error="insufficient_scope", scope="mcp:use", ${metadata('/strict')}`,
    ]);
  });

  it('I2: is asked for in the first challenge, after Bearer or alone, and in the metadata', async () => {
    expectChallenges(await scene.ask(), [`Bearer scope="mcp:use", ${metadata('/mcp')}`, `DPoP ${algs}`]);
    expectChallenges(await scene.ask({ target: '/strict' }), [
      `DPoP ${algs}, scope="mcp:use", ${metadata('/strict')}`,
    ]);
    expectChallenges(await scene.ask({ target: '/bare' }), [`DPoP ${algs}, realm="bare"`]);
    const documentOf = async (path: string): Promise<unknown> =>
      JSON.parse(
        (
          await scene.ask({ method: 'GET', target: `/.well-known/oauth-protected-resource${path}` })
        ).body.toString(),
      );
    const supported = ['ES256', 'ES384', 'Ed25519', 'EdDSA', 'RS256', 'PS256'];
    const optional = await documentOf('/mcp');
    expect(optional).toMatchObject({ dpop_signing_alg_values_supported: supported });
    expect(optional).not.toHaveProperty('dpop_bound_access_tokens_required');
    expect(await documentOf('/strict')).toMatchObject({
      dpop_signing_alg_values_supported: supported,
      dpop_bound_access_tokens_required: true,
    });
    expect(
      Object.keys((await documentOf('/plain')) as object).filter((name) => name.includes('dpop')),
    ).toEqual([]);
  });

  it('A-042: beside a second Authorization line is ambiguous', async () => {
    const before = await mark(scene);
    const lines = [...key.lines({ url: scene.resource(), token: bound }), `Authorization: Bearer ${bound}`];
    expect((await scene.ask({ lines })).status).toBe(400);
    await before.hold({ forwarded: 0, reasons: ['several_authorization_headers'] });
  });
});

describe('a proof', () => {
  it('A-071: is there once', async () => {
    const before = await mark(scene);
    const request = { url: scene.resource(), token: bound };
    const [authorization = '', proof = ''] = key.lines(request);
    expectInvalidProof(await scene.ask({ lines: [authorization] }));
    expectInvalidProof(await scene.ask({ lines: [authorization, proof, proof] }));
    expectInvalidProof(await scene.ask({ lines: [authorization, proof, `dpop: ${key.proof(request)}`] }));
    await before.hold({ forwarded: 0, reasons: ['proof_missing', 'proof_repeated', 'proof_repeated'] });
  });

  it('A-071: is a JWS in its one spelling, of a bounded length', async () => {
    const before = await mark(scene);
    const good = key.proof({ url: scene.resource(), token: bound });
    const [header = '', payload = '', signature = ''] = good.split('.');
    const claims = Buffer.from(payload, 'base64url').toString().slice(0, -1);
    const head = Buffer.from(header, 'base64url').toString().slice(0, -1);
    const texts = [
      '',
      'x',
      `${header}.${payload}`,
      `${good}.${good}`,
      `${good}, ${good}`,
      `${good}=`,
      `${header}.${payload}.${signature}AAA`,
      `"${good}"`,
      proofText(`${head},"crit":["exp"]}`, `${claims}}`),
      proofText(`${head},"b64":true}`, `${claims}}`),
      proofText(`${head},"typ":"dpop+jwt"}`, `${claims}}`),
      proofText(`${head}}`, `${claims},"htm":"POST"}`),
      proofText(`${head}}`, `${claims},"\\u0069at":1}`),
      proofText(`${head}}`, '[]'),
      proofText(`${head}}`, 'null'),
      proofText(`${head}}`, `${claims},"deep":${'['.repeat(1000)}${']'.repeat(1000)}}`),
      key.proof({ url: scene.resource(), token: bound }, { claims: { filler: 'x'.repeat(7000) } }),
    ];
    for (const text of texts)
      expectInvalidProof(await scene.ask({ lines: [`Authorization: DPoP ${bound}`, `DPoP: ${text}`] }));
    await before.hold({ forwarded: 0, reasons: ['proof_malformed'] });
  });

  it('A-071: has the type of proofs, and a token of an authorization server is none', async () => {
    await expectRefused(
      ['at+jwt', 'JWT', 'application/dpop+jwt', 'DPOP+JWT', 'dpop+jwt ', '', undefined, null, 7].map(
        (typ) => ({
          parts: { header: { typ } },
        }),
      ),
      'proof_type',
    );
    const before = await mark(scene);
    expectInvalidProof(await scene.ask({ lines: [`Authorization: DPoP ${bound}`, `DPoP: ${bound}`] }));
    await before.hold({ forwarded: 0, reasons: ['proof_type'] });
  });

  it('A-071: is signed with a public key algorithm from the list', async () => {
    const secret = { alg: 'HS256', secret: JSON.stringify(key.jwk) } as const;
    await expectRefused(
      [
        { parts: { header: { alg: 'none' } } },
        { parts: { header: { alg: 'HS256' }, signedBy: secret } },
        { parts: { header: { alg: 'es256' } } },
        { parts: { header: { alg: 'ES512' } } },
        { parts: { header: { alg: ['ES256'] } } },
        { parts: { header: { alg: undefined } } },
      ],
      'proof_algorithm',
    );
  });

  it('A-071: brings one public key of sound size that fits the algorithm', async () => {
    const secret = key.key.privateKey.export({ format: 'jwk' });
    const other = new ProofKey('RS256', now);
    const short = { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(128, 0xff).toString('base64url') };
    const huge = { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(1024, 0xff).toString('base64url') };
    await expectRefused(
      [
        undefined,
        null,
        'x',
        [key.jwk],
        {},
        secret,
        { ...key.jwk, d: '' },
        { ...key.jwk, k: 'AAAA' },
        { kty: 'oct', k: Buffer.from('secret').toString('base64url') },
        { ...key.jwk, kty: 'OKP' },
        { ...key.jwk, crv: 'P-384' },
        { ...key.jwk, crv: 'secp256k1' },
        { ...key.jwk, x: undefined },
        { ...key.jwk, x: [key.jwk['x']] },
        { ...key.jwk, x: key.jwk['y'] },
        { ...key.jwk, x: 'A'.repeat(4000) },
        { ...key.jwk, alg: 'ES384' },
        { ...key.jwk, alg: 7 },
        { ...key.jwk, use: 'enc' },
        other.jwk,
      ].map((jwk) => ({ parts: { header: { jwk } } })),
      'proof_key',
    );
    await expectRefused([{ parts: { header: { alg: 'RS256', jwk: huge } } }], 'proof_key');
    await expectRefused(
      [
        {
          parts: {
            header: { alg: 'RS256', jwk: { ...other.jwk, e: Buffer.alloc(64, 3).toString('base64url') } },
          },
        },
      ],
      'proof_key',
    );
    await expectRefused([{ parts: { header: { alg: 'RS256', jwk: short } } }], 'proof_signature');
  });

  it('A-071: is signed by the key that it brings', async () => {
    await expectRefused([{ parts: { signedBy: mintKey('ES256') } }], 'proof_signature');
    const before = await mark(scene);
    const [header = '', payload = ''] = key.proof({ url: scene.resource(), token: bound }).split('.');
    const foreign = key.proof({ url: scene.resource(), token: bound }).split('.')[2] ?? '';
    const text = `${header}.${payload}.${foreign}`;
    expectInvalidProof(await scene.ask({ lines: [`Authorization: DPoP ${bound}`, `DPoP: ${text}`] }));
    await before.hold({ forwarded: 0, reasons: ['proof_signature'] });
  });

  it('A-071: is made by the key that the token is bound to, whatever else the key says', async () => {
    const thief = new ProofKey('ES256', now);
    await expectRefused(
      [
        { by: thief },
        { by: thief, parts: { header: { kid: key.jkt } } },
        { by: thief, parts: { header: { jwk: { ...thief.jwk, kid: key.jkt, jkt: key.jkt } } } },
      ],
      'proof_binding',
    );
    // RFC 7638 §3.2: only the members that make the key count.
    await expectServed([
      {
        parts: {
          header: { jwk: { ...key.jwk, kid: 'mine', use: 'sig', alg: 'ES256', ext: true, x5u: 'x' } },
        },
      },
    ]);
  });

  it.each(['ES256', 'ES384', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] as const)(
    'A-071: may be signed with %s',
    async (alg) => {
      const by = new ProofKey(alg, now);
      await expectServed([{ by, token: boundTo(by) }]);
    },
  );

  it('A-073: is for this method', async () => {
    await expectRefused(
      ['GET', 'post', 'POST ', '', undefined, null, ['POST']].map((htm) => ({ parts: { claims: { htm } } })),
      'proof_method',
    );
    const before = await mark(scene);
    for (const method of ['GET', 'DELETE']) {
      // The upstream's own answer.
      expect((await ask({ method })).status).not.toBe(401);
      expectInvalidProof(await ask({ method, parts: { claims: { htm: 'POST' } } }));
    }
    await before.hold({ forwarded: 2, reasons: ['ok', 'ok', 'proof_method', 'proof_method'] });
  });

  it('A-073: is for this route by its public URL, whatever Host says', async () => {
    const { port } = scene.gateway;
    const own = scene.resource();
    await expectServed(
      [
        own,
        `${own}?a=b`,
        `${own}#f`,
        `${own}?a=b#f`,
        own.replace('http', 'HTTP'),
        own.replace('localhost', 'LocalHost'),
      ].map((htu) => ({ parts: { claims: { htu } } })),
    );
    const foreign: readonly unknown[] = [
      undefined,
      null,
      '',
      [own],
      `${own}/`,
      `${own}/x`,
      `${own}%20`,
      ` ${own}`,
      own.replace('/mcp', '/MCP'),
      own.replace('/mcp', '/%6dcp'),
      own.replace('/mcp', '/x/../mcp'),
      own.replace('/mcp', '//mcp'),
      scene.resource('/strict'),
      scene.resource('/'),
      scene.gateway.url,
      '/mcp',
      own.replace('http:', 'https:'),
      own.replace(`:${port}`, ''),
      own.replace(`:${port}`, `:0${port}`),
      own.replace('localhost', '127.0.0.1'),
      own.replace('localhost', 'localhost.'),
      own.replace('localhost', 'user@localhost'),
      own.replace('//', '/'),
      own.replace('//', '\\\\'),
      `${own.replace('localhost', 'evil.example')}#${own}`,
      scene.upstream.url,
    ];
    await expectRefused(
      foreign.map((htu) => ({ parts: { claims: { htu } } })),
      'proof_target',
    );
    // What the request calls itself decides nothing.
    await expectRefused(
      [{ host: `127.0.0.1:${port}`, parts: { claims: { htu: own.replace('localhost', '127.0.0.1') } } }],
      'proof_target',
    );
    await expectServed([{ host: `127.0.0.1:${port}` }]);
  });

  it('A-073: may name the configured resource, with its default port or without', async () => {
    const named = (htu: string): Proved => ({ path: '/public', parts: { claims: { htu } } });
    await expectServed(
      [
        scene.resource('/public'),
        'https://kube.example.com/MCP',
        'HTTPS://KUBE.example.com:443/MCP',
        'https://kube.example.com/MCP?tenant=y#f',
      ].map(named),
    );
    const before = await mark(scene);
    for (const htu of [
      'https://kube.example.com/mcp',
      'https://kube.example.com:80/MCP',
      'https://\u212Aube.example.com/MCP',
    ])
      expect((await ask(named(htu))).status).toBe(401);
    await before.hold({ forwarded: 0, reasons: ['proof_target'] });
  });

  it('A-073: is for this token, to the letter', async () => {
    const digest = (text: string, encoding: 'base64' | 'hex' = 'base64'): string =>
      createHash('sha256').update(text).digest(encoding);
    await expectRefused(
      [
        undefined,
        null,
        '',
        digest(bound),
        digest(bound, 'hex'),
        createHash('sha256').update(boundTo(key)).digest('base64url'),
        createHash('sha256').update(`${bound}A`).digest('base64url'),
        createHash('sha512').update(bound).digest('base64url'),
      ].map((ath) => ({ parts: { claims: { ath } } })),
      'proof_token',
    );
  });

  it('A-014, A-073: of a malleated token fails with the token', async () => {
    const last = bound.slice(-1);
    const before = await mark(scene);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const at = alphabet.indexOf(last);
    const from = Math.floor(at / 16) * 16;
    const twins = alphabet
      .slice(from, from + 16)
      .split('')
      .filter((c) => c !== last);
    expect(twins).toHaveLength(15);
    for (const twin of twins) {
      const answer = await ask({ token: `${bound.slice(0, -1)}${twin}` });
      expect(answer.header('www-authenticate').join()).toContain('error="invalid_token"');
    }
    await before.hold({ forwarded: 0, reasons: ['token_malformed'] });
  });

  it('A-072: is young, and not from the future', async () => {
    seconds += 100;
    await expectServed([0, -60, 5, 0.5].map((age) => ({ parts: { claims: { iat: seconds + age } } })));
    await expectRefused(
      [
        undefined,
        null,
        '',
        String(seconds),
        -1,
        0,
        seconds - 61,
        seconds + 6,
        seconds * 1000,
        1e308,
        [seconds],
        true,
      ].map((iat) => ({ parts: { claims: { iat } } })),
      'proof_time',
    );
    await expectRefused(
      [
        { exp: seconds },
        { exp: seconds - 1 },
        { exp: null },
        { exp: 'x' },
        { nbf: seconds + 6 },
        { nbf: {} },
      ].map((claims) => ({ parts: { claims } })),
      'proof_time',
    );
    await expectServed([{ parts: { claims: { exp: seconds + 1, nbf: seconds } } }]);
  });

  it('A-072: has an id of a bounded length', async () => {
    await expectRefused(
      [undefined, null, '', 7, ['x'], 'x'.repeat(257)].map((jti) => ({ parts: { claims: { jti } } })),
      'proof_malformed',
    );
    await expectServed([
      { parts: { claims: { jti: 'x'.repeat(256) } } },
      { parts: { claims: { jti: '\u0000:"|' } } },
    ]);
  });
});

describe('a proof that comes again', () => {
  it('A-072, I2: is refused for as long as it could be taken, on every route; the same id from another key passes', async () => {
    const request = { url: scene.resource(), token: bound };
    const lines = key.lines(request, { claims: { jti: 'same' } });
    const before = await mark(scene);
    expect((await scene.ask({ lines })).status).toBe(200);
    expectInvalidProof(await scene.ask({ lines }));
    // Another proof with its id, for another token, too.
    expectInvalidProof(await ask({ token: boundTo(key), parts: { claims: { jti: 'same' } } }));
    const other = new ProofKey('ES256', now);
    expect((await ask({ by: other, token: boundTo(other), parts: { claims: { jti: 'same' } } })).status).toBe(
      200,
    );
    seconds += 60;
    expectInvalidProof(await scene.ask({ lines }));
    seconds += 1;
    expectInvalidProof(await scene.ask({ lines }));
    await before.hold({
      forwarded: 2,
      reasons: ['ok', 'proof_replayed', 'proof_replayed', 'ok', 'proof_replayed', 'proof_time'],
    });
  });

  it('A-072: sent many times at once is served once', async () => {
    const lines = key.lines({ url: scene.resource(), token: bound });
    const before = await mark(scene);
    const answers = await Promise.all(Array.from({ length: 20 }, () => scene.ask({ lines })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    await before.hold({
      forwarded: 1,
      reasons: ['ok', ...Array.from({ length: 19 }, () => 'proof_replayed' as const)],
    });
  });

  it('A-072: counts as used only once everything else of it held', async () => {
    const jti = 'not burnt';
    const thief = new ProofKey('ES256', now);
    await expectRefused([{ by: thief, parts: { claims: { jti } } }], 'proof_binding');
    await expectRefused([{ parts: { claims: { jti, htm: 'GET' } } }], 'proof_method');
    await expectRefused([{ parts: { claims: { jti }, signedBy: thief.key } }], 'proof_signature');
    await expectServed([{ parts: { claims: { jti } } }]);
  });

  it('A-072: from before this process began to remember is refused', async () => {
    const issuer = await startIssuer({ now, algorithms: ['ES256'] });
    const before = seconds;
    seconds += 10;
    await using young = await startScene({
      clock: () => seconds * 1000,
      issuers: [issuer],
      routes: `routes: [{ path: /mcp, scopes: [mcp:use], dpop: optional, upstream: '$upstream' }]`,
    });
    const url = young.resource();
    const token = young.token({ claims: { cnf: { jkt: key.jkt }, exp: seconds + 60, iat: before } });
    const from = await mark(young);
    for (const iat of [before, seconds - 1])
      expect((await young.ask({ lines: key.lines({ url, token }, { claims: { iat } }) })).status).toBe(401);
    expect((await young.ask({ lines: key.lines({ url, token }) })).status).toBe(200);
    await from.hold({ forwarded: 1, reasons: ['proof_time', 'proof_time', 'ok'] });
  });

  it('A-072: no token and no proof shows in an output', () => {
    const { written } = scene.gateway;
    expect(written).toContain('proof_replayed');
    expect(written).not.toContain(bound.split('.')[2]);
    expect(written).not.toContain('not burnt');
  });
});
