import { createHmac, randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { ProofNonces } from './dpop-nonce.ts';

const key = randomBytes(32).toString('base64');
const slotMs = 120_000;
const startMs = 15_000_000 * slotMs;

describe('nonces of DPoP (RFC 9449 §9)', () => {
  it('are good in their slot of time and in the next, and unknown before', () => {
    const nonces = new ProofNonces(key);
    const nonce = nonces.current(startMs);
    expect(nonce).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(nonces.current(startMs + slotMs - 1)).toBe(nonce);
    expect(nonces.current(startMs + slotMs)).not.toBe(nonce);
    for (const at of [startMs, startMs + slotMs - 1, startMs + slotMs, startMs + 2 * slotMs - 1])
      expect(nonces.accepts(nonce, at)).toBe(true);
    expect(nonces.accepts(nonce, startMs + 2 * slotMs)).toBe(false);
    expect(nonces.accepts(nonce, startMs - 1)).toBe(false);
  });

  it('are made by a key of their own, out of the one of sessions', () => {
    const own = createHmac('sha256', key).update('portcullis dpop nonce').digest();
    const slot = String(startMs / slotMs);
    expect(new ProofNonces(key).current(startMs)).toBe(
      createHmac('sha256', own).update(slot).digest('base64url'),
    );
  });

  it('of replicas with one key are the same; without a key each process has its own', () => {
    expect(new ProofNonces(key).accepts(new ProofNonces(key).current(startMs), startMs)).toBe(true);
    for (const other of [undefined, randomBytes(32).toString('base64')])
      expect(new ProofNonces(other).accepts(new ProofNonces(key).current(startMs), startMs)).toBe(false);
    const [one, two] = [new ProofNonces(undefined), new ProofNonces(undefined)];
    expect(one.accepts(two.current(startMs), startMs)).toBe(false);
  });

  it('of the key before are taken while it is rotated, so that replicas of both ages agree (W15)', () => {
    const other = randomBytes(32).toString('base64');
    const rotated = new ProofNonces(other, [key]);
    expect(rotated.accepts(new ProofNonces(key).current(startMs), startMs)).toBe(true);
    expect(rotated.accepts(new ProofNonces(key).current(startMs), startMs + 2 * slotMs)).toBe(false);
    expect(rotated.current(startMs)).toBe(new ProofNonces(other).current(startMs));
    expect(new ProofNonces(key).accepts(rotated.current(startMs), startMs)).toBe(false);
  });

  it.each([undefined, null, '', 7, {}, 'x'])('are not %j', (nonce) => {
    expect(new ProofNonces(key).accepts(nonce, startMs)).toBe(false);
  });
});
