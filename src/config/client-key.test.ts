import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { canSignWith, readClientKey } from './client-key.ts';

const pem = { type: 'pkcs8', format: 'pem' } as const;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ed25519 = generateKeyPairSync('ed25519').privateKey;

describe('a private key of the gateway', () => {
  it.each([
    [rsa, 'RS256'],
    [ec, 'ES256'],
    [ed25519, 'EdDSA'],
  ] as const)('is read as PEM or as JWK, and signs with what fits it %#', (key, algorithm) => {
    const written = key.export(pem).toString();
    const jwk = JSON.stringify({ ...key.export({ format: 'jwk' }), kid: 'k1' });
    expect(readClientKey(written)).toEqual({ pem: written, algorithm, keyId: undefined });
    expect(readClientKey(` ${jwk}\n`)).toEqual({ pem: written, algorithm, keyId: 'k1' });
  });

  it('signs with what its JWK names, where it can', () => {
    const jwk = rsa.export({ format: 'jwk' });
    expect(readClientKey(JSON.stringify({ ...jwk, alg: 'PS384' }))).toMatchObject({ algorithm: 'PS384' });
    expect(readClientKey(JSON.stringify({ ...jwk, alg: 'ES256' }))).toBeUndefined();
    expect(
      readClientKey(JSON.stringify({ ...ed25519.export({ format: 'jwk' }), alg: 'Ed25519' })),
    ).toMatchObject({ algorithm: 'EdDSA' });
  });

  it('knows what it can sign with', () => {
    const key = readClientKey(ec.export(pem).toString());
    if (key === undefined) throw new Error('not read');
    expect(canSignWith(key, 'ES256')).toBe(true);
    expect(canSignWith(key, 'ES384')).toBe(false);
    expect(canSignWith(key, 'RS256')).toBe(false);
  });

  it.each([
    ['a text', 'secret'],
    ['half a JWK', '{"kty":"EC"'],
    ['no key', '{"kty":"EC"}'],
    ['a public key', JSON.stringify(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }))],
    [
      'a curve that no accepted algorithm has',
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey.export(pem).toString(),
    ],
    [
      'too short an RSA key',
      generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export(pem).toString(),
    ],
  ])("isn't %s", (_what, text) => {
    expect(readClientKey(text)).toBeUndefined();
  });
});
