/**
 * Key sets that mix up kinds, uses and names of keys (attack catalogue,
 * from the authorization server's side).
 */
import { createHash, generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mark } from '../support/invariants.ts';
import { startIssuer } from '../support/issuer.ts';
import { mintKey, type SigningAlgorithm, type SigningKey } from '../support/signing-key.ts';
import { startScene, type Scene } from './scene.ts';

let scene: Scene;
/** Milliseconds that the gateway's clock is ahead. */
let aheadMs = 0;
const now = (): number => Math.floor((Date.now() + aheadMs) / 1000);

beforeAll(async () => {
  scene = await startScene({
    clock: () => Date.now() + aheadMs,
    issuers: [await startIssuer({ algorithms: ['ES256'], now })],
  });
});

afterAll(() => scene.close());

/** The document from now on; it is fetched for the first token whose kid isn't held. */
function publish(...keys: readonly unknown[]): void {
  aheadMs += 31_000;
  scene.issuer.behave(scene.issuer.paths.jwks, { body: { keys } });
}

/** The tokens that open, and those that don't: 401, or 503 where no fetch has settled yet whether there is such a key. */
interface Verdicts {
  readonly served?: readonly string[];
  readonly refused?: readonly string[];
}

async function expectVerdicts({ served = [], refused = [] }: Verdicts): Promise<void> {
  const before = await mark(scene);
  for (const [at, token] of refused.entries()) {
    const { status } = await scene.ask({ token });
    expect([401, 503], `status of refused token ${at}`).toContain(status);
  }
  for (const [at, token] of served.entries())
    expect((await scene.ask({ token })).status, `status of served token ${at}`).toBe(200);
  for (const [at, token] of refused.entries())
    expect((await scene.ask({ token })).status, `status of refused token ${at}, later`).not.toBe(200);
  await before.hold({ forwarded: served.length });
}

const jwk = (
  key: SigningKey,
  over: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> => ({
  ...key.publicJwk,
  ...over,
});

/** Signs with `key`, and says `alg`. */
function saying(alg: string, key: SigningKey): string {
  return scene.token({ key, header: { alg } });
}

describe('keys that share a name', () => {
  it('A-009: of different kinds each serve their own algorithm', async () => {
    const kid = 'shared';
    const [rsa, ec, ed] = (['RS256', 'ES256', 'EdDSA'] as const).map((alg) => mintKey(alg, kid));
    if (rsa === undefined || ec === undefined || ed === undefined) throw new Error('three keys are made');
    publish(jwk(rsa), jwk(ec), jwk(ed), { kty: 'oct', k: 'c2VjcmV0', kid, alg: 'HS256' });
    await expectVerdicts({
      served: [scene.token({ key: rsa }), scene.token({ key: ec }), scene.token({ key: ed })],
      refused: [
        saying('RS256', ec),
        saying('ES256', rsa),
        saying('ES256', ed),
        saying('EdDSA', ec),
        scene.token({ key: { alg: 'HS256', secret: 'secret', kid } }),
      ],
    });
  });

  it('A-009: of one kind may both have signed', async () => {
    const [first, second, other] = [1, 2, 3].map(() => mintKey('ES256', 'twice'));
    if (first === undefined || second === undefined || other === undefined)
      throw new Error('three keys are made');
    publish(jwk(first), jwk(second));
    await expectVerdicts({
      served: [scene.token({ key: first }), scene.token({ key: second })],
      refused: [scene.token({ key: other })],
    });
  });

  it('A-006: names are compared letter for letter, and names of prototypes are names', async () => {
    const kids = ['__proto__', 'constructor', 'toString', 'k', 'K', ' k', 'jos\u00e9', 'jose\u0301', '', '0'];
    const keys = kids.map((kid) => mintKey('ES256', kid));
    publish(...keys.map((key) => jwk(key)));
    await expectVerdicts({
      served: keys.map((key) => scene.token({ key })),
      refused: keys.map((key, at) => scene.token({ key, header: { kid: kids[(at + 1) % kids.length] } })),
    });
  });
});

describe('a key without an algorithm', () => {
  it('A-009: serves those of its kind that the configuration lists, and no other', async () => {
    const rsa = mintKey('RS256');
    const ec = mintKey('ES256');
    publish(jwk(rsa, { alg: undefined }), jwk(ec, { alg: undefined }));
    await expectVerdicts({
      served: [
        scene.token({ key: rsa }),
        scene.token({ key: { ...rsa, alg: 'PS256' } }),
        scene.token({ key: ec }),
      ],
      refused: [
        scene.token({ key: { ...rsa, alg: 'RS512' } }),
        saying('PS256', rsa),
        saying('ES256', rsa),
        saying('RS256', ec),
      ],
    });
    // ES384 is accepted, but this curve isn't its.
    await expectVerdicts({ refused: [saying('ES384', ec)] });
  });

  it.each(['none', 'HS256', 'RSA-OAEP', 'dir', 'ES256K', 'es256', 'ES256 ', '', 'constructor'])(
    'A-009: a key that says alg %j serves nothing',
    async (alg) => {
      const good = mintKey('ES256');
      const odd = mintKey('ES256');
      publish(jwk(good), jwk(odd, { alg }));
      await expectVerdicts({ served: [scene.token({ key: good })], refused: [scene.token({ key: odd })] });
    },
  );
});

describe("keys that aren't for signatures", () => {
  const unfit: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['encryption', { use: 'enc' }],
    ['a use of a list', { use: ['sig'] }],
    ['signing only', { key_ops: ['sign'] }],
    ['no operation', { key_ops: [] }],
    ['an operation that is no list', { key_ops: 'verify' }],
    ['another kind', { kty: 'oct', k: 'c2VjcmV0' }],
    ['no kind', { kty: undefined }],
    ['a kind of a list', { kty: ['EC'] }],
    ['another curve', { crv: 'secp256k1' }],
    ['no curve', { crv: undefined }],
    ['a point that is nowhere', { x: 'AAAA', y: 'AAAA' }],
    ['half a point', { y: undefined }],
    ['a point of numbers', { x: 1, y: 2 }],
    ['a name that is a number', { kid: 7 }],
  ];

  it.each(unfit)(
    'A-063: %s: the key is passed over, and the good one beside it serves',
    async (_name, over) => {
      const good = mintKey('ES256');
      const bad = mintKey('ES256');
      publish(jwk(bad, over), jwk(good));
      await expectVerdicts({ served: [scene.token({ key: good })], refused: [scene.token({ key: bad })] });
    },
  );

  it("A-063: RSA keys that are too short, and curves for exchange, don't sign", async () => {
    const good = mintKey('ES256');
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const weak = { kid: 'weak', alg: 'RS256' as const, privateKey };
    const exchange = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' });
    publish(
      { ...publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256' },
      { ...exchange, kid: 'exchange', alg: 'EdDSA' },
      jwk(good),
    );
    const ed = mintKey('EdDSA', 'exchange');
    await expectVerdicts({
      served: [scene.token({ key: good })],
      refused: [scene.token({ key: { ...weak, publicJwk: { kid: 'weak' } } }), scene.token({ key: ed })],
    });
  });

  it('A-063: an RSA key whose exponent is 1 lets nobody in by writing down what he signs', async () => {
    const rsa = mintKey('RS256');
    publish(jwk(rsa, { e: 'AQ' }), jwk(mintKey('ES256')));
    const [header = '', payload = ''] = scene.token({ key: rsa }).split('.');
    const digest = createHash('sha256').update(`${header}.${payload}`).digest();
    // RFC 8017 §9.2: EMSA-PKCS1-v1_5 of a SHA-256 digest.
    const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), digest]);
    const padding = Buffer.alloc(256 - info.length - 3, 0xff);
    const forged = Buffer.concat([Buffer.of(0, 1), padding, Buffer.of(0), info]);
    await expectVerdicts({ refused: [`${header}.${payload}.${forged.toString('base64url')}`] });
  });
});

describe('a key set that says too much', () => {
  it('A-063: private parts are left out, whoever published them', async () => {
    const leaked = mintKey('ES256');
    const { d } = leaked.privateKey.export({ format: 'jwk' }) as JsonWebKey;
    if (d === undefined) throw new Error('a private key has a d');
    scene.secrets.add(d);
    publish(jwk(leaked, { d }));
    await expectVerdicts({ served: [scene.token({ key: leaked })] });
  });

  it("A-003: a certificate or an address beside a key isn't looked at", async () => {
    const good = mintKey('ES256');
    publish(
      jwk(good, { x5c: ['AAAA'], x5t: 'x', x5u: 'http://127.0.0.1:1/x', jku: 'http://127.0.0.1:1/jwks' }),
    );
    await expectVerdicts({ served: [scene.token({ key: good })] });
  });

  it('A-063: what stands under a prototype is no key set and no key', async () => {
    const attacker = mintKey('ES256', 'attacker');
    const text = JSON.stringify(attacker.publicJwk);
    const good = mintKey('ES256');
    for (const body of [
      `{"__proto__":{"keys":[${text}]},"keys":[${JSON.stringify(good.publicJwk)}]}`,
      `{"keys":[{"__proto__":${text}},${JSON.stringify(good.publicJwk)}]}`,
    ]) {
      publish();
      scene.issuer.behave(scene.issuer.paths.jwks, { body });
      await expectVerdicts({
        served: [scene.token({ key: good })],
        refused: [scene.token({ key: attacker })],
      });
    }
  });

  it('A-022: a key that names another issuer speaks only for the one that publishes it', async () => {
    const good = mintKey('ES256');
    publish(jwk(good, { issuer: 'https://login.example.evil', iss: 'https://login.example.evil' }));
    await expectVerdicts({
      served: [scene.token({ key: good })],
      refused: [scene.token({ key: good, claims: { iss: 'https://login.example.evil' } })],
    });
  });
});

describe('what is no key', () => {
  /** Deeper than whoever writes it down again has stack for. */
  const deep = `${'['.repeat(60_000)}${']'.repeat(60_000)}`;

  it.each(['x', 'crv', 'kid', 'use', 'alg', 'y', 'n', 'e', 'kty'])(
    'A-063: %s as a tree of lists is passed over, and ends nothing',
    async (member) => {
      const good = mintKey('ES256');
      const { [member]: _, ...hostile } = good.publicJwk as Readonly<Record<string, unknown>>;
      const written = JSON.stringify({ ...hostile, kid: member === 'kid' ? undefined : 'hostile' });
      aheadMs += 31_000;
      scene.issuer.behave(scene.issuer.paths.jwks, {
        body: `{"keys":[${written.slice(0, -1)},"${member}":${deep}},${JSON.stringify(good.publicJwk)}]}`,
      });
      await expectVerdicts({
        served: [scene.token({ key: good })],
        refused: [scene.token({ key: mintKey('ES256', 'hostile') })],
      });
    },
  );
});

describe('a token without a kid', () => {
  const withoutKid = (key: SigningKey): string => scene.token({ key, header: { kid: undefined } });

  it('A-022: is tried with the only key that fits, and with none where two do', async () => {
    const algorithms: readonly SigningAlgorithm[] = ['ES256', 'EdDSA', 'EdDSA'];
    const [ec, ed, other] = algorithms.map((alg) => mintKey(alg));
    if (ec === undefined || ed === undefined || other === undefined) throw new Error('three keys are made');
    publish(jwk(ec), jwk(ed), jwk(other));
    await expectVerdicts({
      served: [scene.token({ key: ec }), withoutKid(ec)],
      refused: [withoutKid(mintKey('ES256'))],
    });
    await expectVerdicts({ refused: [withoutKid(ed), withoutKid(other)] });
  });

  it('A-006: and a key without one fit each other; a kid of null and an empty one are others', async () => {
    const unnamed = mintKey('ES256');
    publish(jwk(unnamed, { kid: undefined }));
    await expectVerdicts({
      served: [withoutKid(unnamed)],
      refused: [
        withoutKid(mintKey('ES256')),
        ...['some', '', null].map((kid) => scene.token({ key: unnamed, header: { kid } })),
      ],
    });
  });
});
