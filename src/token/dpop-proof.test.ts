import { describe, expect, it } from 'vitest';

import { ProofKey } from '../../test/support/proof-key.ts';
import { type SigningAlgorithm, signCompact } from '../../test/support/signing-key.ts';
import { verifyProof } from './dpop-proof.ts';

const algorithms = ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'] as const;
const request = { url: 'https://mcp.example.com/mcp', token: 't' };
const key = new ProofKey();
const ed25519 = new ProofKey('EdDSA');
const rsa = new ProofKey('RS256');

const judge = (parts: Parameters<ProofKey['proof']>[1], by = key) =>
  verifyProof(by.proof(request, parts), algorithms);
const jwk = (over: Readonly<Record<string, unknown>>, by = key) =>
  judge({ header: { jwk: { ...by.jwk, ...over } } }, by);

describe('a proof (RFC 9449 §4.3)', () => {
  it.each<[SigningAlgorithm, ProofKey]>([
    ['ES256', key],
    ['ES384', new ProofKey('ES384')],
    ['EdDSA', ed25519],
    ['RS256', rsa],
    ['PS256', new ProofKey('PS256')],
  ])('of %s names its key by the thumbprint and says what it was made for', async (_alg, by) => {
    expect(await judge({ claims: { jti: 'j' } }, by)).toMatchObject({
      thumbprint: by.jkt,
      jti: 'j',
      claims: { htm: 'POST', htu: request.url },
    });
  });

  it('may name Ed25519 instead of EdDSA', async () => {
    expect(await judge({ header: { alg: 'Ed25519' } }, ed25519)).toHaveProperty('thumbprint', ed25519.jkt);
    expect(await jwk({ alg: 'Ed25519' }, ed25519)).toHaveProperty('thumbprint', ed25519.jkt);
  });

  it('is a JWT in its one spelling', async () => {
    expect(await verifyProof('x', algorithms)).toEqual({
      reason: 'proof_malformed',
      detail: 'not a JWT of three segments',
    });
    const twice = signCompact({ header: '{"alg":"ES256","alg":"none"}', payload: {} }, key.key);
    expect(await verifyProof(twice, algorithms)).toEqual({
      reason: 'proof_malformed',
      detail: 'token_duplicate_member',
    });
  });

  it.each(['JWT', 'DPOP+JWT', undefined, 7])('of the type %j is none', async (typ) => {
    expect(await judge({ header: { typ } })).toEqual({
      reason: 'proof_type',
      detail: `typ ${typ === undefined ? 'nothing' : JSON.stringify(typ)}`,
    });
  });

  it.each([{ crit: ['b64'] }, { b64: false }])('with %j in its header is none', async (header) => {
    expect(await judge({ header })).toEqual({ reason: 'proof_malformed', detail: 'crit or b64' });
  });

  it.each(['none', 'HS256', 'ES512', 'toString', undefined, 7])(
    'of the algorithm %j is none',
    async (alg) => {
      expect(await judge({ header: { alg } })).toEqual({
        reason: 'proof_algorithm',
        detail: `alg ${alg === undefined ? 'nothing' : JSON.stringify(alg)}, accepted: ${algorithms.join(', ')}`,
      });
    },
  );

  it('of an algorithm that the route doesn’t take is none', async () => {
    expect(await verifyProof(key.proof(request), ['EdDSA', 'RS256'])).toEqual({
      reason: 'proof_algorithm',
      detail: 'alg "ES256", accepted: EdDSA, RS256',
    });
  });

  it.each([
    ['', 'jti of 0'],
    ['x'.repeat(257), 'jti of 257'],
    [7, 'no jti'],
    [undefined, 'no jti'],
  ])('has an id of its own, and not %j', async (jti, detail) => {
    expect(await judge({ claims: { jti } })).toEqual({ reason: 'proof_malformed', detail });
  });

  it('may have an id of 256 characters', async () => {
    const jti = 'x'.repeat(256);
    expect(await judge({ claims: { jti } })).toMatchObject({ jti });
  });

  it('is signed by the key that it names', async () => {
    expect(await judge({ signedBy: new ProofKey().key })).toEqual({ reason: 'proof_signature' });
  });
});

describe('the key in a proof', () => {
  it.each([undefined, null, 'x', 7, [key.jwk]])('is there as an object, not %j', async (given) => {
    expect(await judge({ header: { jwk: given } })).toEqual({ reason: 'proof_key', detail: 'no jwk' });
  });

  it.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'])(
    'is public: with %s it is given away',
    async (member) => {
      expect(await jwk({ [member]: 'AQ' })).toEqual({ reason: 'proof_key', detail: 'jwk is not public' });
    },
  );

  it.each<[Readonly<Record<string, unknown>>, string]>([
    [{ kty: 'RSA' }, 'jwk is no key for ES256'],
    [{ crv: 'P-384' }, 'jwk is no key for ES256'],
    [{ crv: undefined }, 'jwk is no key for ES256'],
    [{ alg: 'ES384' }, 'jwk is for another alg'],
    [{ alg: 'x' }, 'jwk is for another alg'],
    [{ alg: 7 }, 'jwk is for another alg'],
    [{ use: 'enc' }, 'jwk is for another use'],
    [{ use: null }, 'jwk is for another use'],
    [{ x: undefined }, 'jwk has no usable x'],
    [{ y: 7 }, 'jwk has no usable y'],
    [{ x: 'A'.repeat(44) }, 'jwk has no usable x'],
    [{ y: '' }, 'jwk has no usable y'],
    [{ x: `${'A'.repeat(42)}=` }, 'jwk has no usable x'],
    [{ x: `=${'A'.repeat(42)}` }, 'jwk has no usable x'],
    [{ x: 'A'.repeat(43) }, 'jwk is no usable key'],
  ])('is one for the algorithm: %j', async (over, detail) => {
    expect(await jwk(over)).toEqual({ reason: 'proof_key', detail });
  });

  it.each<[Readonly<Record<string, unknown>>, string]>([
    [{ n: 'A'.repeat(684) }, 'jwk has no usable n'],
    [{ e: 'A'.repeat(7) }, 'jwk has no usable e'],
    [{ e: undefined }, 'jwk has no usable e'],
  ])('of RSA has 4096 bits at the most, and a small exponent: %j', async (over, detail) => {
    expect(await jwk(over, rsa)).toEqual({ reason: 'proof_key', detail });
  });

  it('of RSA may say what means nothing there, and is the same key', async () => {
    expect(await jwk({ crv: 'P-256' }, rsa)).toHaveProperty('thumbprint', rsa.jkt);
  });

  it('of Ed25519 has its curve', async () => {
    expect(await jwk({ crv: 'Ed448' }, ed25519)).toEqual({
      reason: 'proof_key',
      detail: 'jwk is no key for EdDSA',
    });
    expect(await jwk({ x: undefined }, ed25519)).toEqual({
      reason: 'proof_key',
      detail: 'jwk has no usable x',
    });
  });

  it.each([{ alg: 'ES256' }, { use: 'sig' }, { kid: 'k', x5c: ['x'], key_ops: ['verify'] }])(
    'may say %j, and is the same key',
    async (over) => {
      expect(await jwk(over)).toHaveProperty('thumbprint', key.jkt);
    },
  );
});
