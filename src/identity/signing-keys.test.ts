import { generateKeyPairSync } from 'node:crypto';

import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { describe, expect, it } from 'vitest';

import { makeSigningKey, SigningKeys } from './signing-keys.ts';

const ed25519 = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

async function publishedBy(keys: SigningKeys): Promise<JSONWebKeySet> {
  return JSON.parse(await keys.document()) as JSONWebKeySet;
}

describe('signing keys (N3)', () => {
  it.each([
    ['ES256', makeSigningKey()],
    ['EdDSA', ed25519()],
  ])('sign with %s, and are published without their private part', async (alg, key) => {
    const keys = new SigningKeys({ key, others: [] }, makeSigningKey());
    const token = await keys.sign({ sub: 'ada' });
    const published = await publishedBy(keys);
    expect(published.keys).toMatchObject([{ alg, use: 'sig' }]);
    expect(published.keys[0]).not.toHaveProperty('d');
    expect(decodeProtectedHeader(token)).toEqual({ alg, kid: published.keys[0]?.kid, typ: 'JWT' });
    const { payload } = await jwtVerify(token, createLocalJWKSet(published));
    expect(payload).toEqual({ sub: 'ada' });
  });

  it('are the process’s own where none is configured', async () => {
    const made = makeSigningKey();
    const [one, same, other] = [made, made, makeSigningKey()].map(
      (ofProcess) => new SigningKeys({ others: [] }, ofProcess),
    );
    if (one === undefined || same === undefined || other === undefined) throw new Error('three were made');
    expect(await same.document()).toBe(await one.document());
    expect(await other.document()).not.toBe(await one.document());
  });

  it('overlap at a rotation: what the old one signed is verified by the new set, and the other way round', async () => {
    const [old, fresh] = [ed25519(), makeSigningKey()];
    const before = new SigningKeys({ key: old, others: [fresh] }, makeSigningKey());
    const after = new SigningKeys({ key: fresh, others: [old, fresh] }, makeSigningKey());
    for (const [signer, published] of [
      [before, after],
      [after, before],
    ] as const) {
      const set = await publishedBy(published);
      expect(set.keys).toHaveLength(2);
      await expect(jwtVerify(await signer.sign({}), createLocalJWKSet(set))).resolves.toBeDefined();
    }
    const over = await publishedBy(new SigningKeys({ key: fresh, others: [] }, makeSigningKey()));
    await expect(jwtVerify(await before.sign({}), createLocalJWKSet(over))).rejects.toThrow(
      'no applicable key',
    );
  });
});
