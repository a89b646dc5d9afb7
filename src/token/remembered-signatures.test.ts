import { describe, expect, it } from 'vitest';

import type { Authority } from '../authorization-servers/authority.ts';
import type { VerifiedSignature } from './remembered-signatures.ts';
import { RememberedSignatures } from './remembered-signatures.ts';
import type { SigningKey } from '../authorization-servers/keys/signing-key.ts';

const keyOf = (): SigningKey =>
  ({ kid: 'k', jwk: {}, identity: 'k', retired: false, imported: new Map() }) as SigningKey;
const authorityOf = (): Authority =>
  ({ keys: { holds: (key: SigningKey) => !key.retired } }) as unknown as Authority;
const signature = (authority: Authority, key = keyOf()): VerifiedSignature =>
  ({ authority, key, type: 'jwt', claims: {} }) as unknown as VerifiedSignature;

describe('remembered signatures (A-047 to A-049)', () => {
  it('are found again over the same connection and over another', () => {
    const remembered = new RememberedSignatures();
    const authority = authorityOf();
    const [one, other] = [{}, {}];
    const verified = remembered.remember('token', signature(authority), {});
    for (const connection of [one, one, other])
      expect(remembered.recall('token', authority, connection)).toBe(verified);
  });

  it('are those of the exact token, whatever the connection presented before', () => {
    const remembered = new RememberedSignatures();
    const authority = authorityOf();
    const connection = {};
    const first = remembered.remember('token-a', signature(authority), {});
    const second = remembered.remember('token-b', signature(authority), {});
    expect(remembered.recall('token-a', authority, connection)).toBe(first);
    expect(remembered.recall('token-b', authority, connection)).toBe(second);
    expect(remembered.recall('token-', authority, connection)).toBeUndefined();
    expect(remembered.recall('token-bb', authority, connection)).toBeUndefined();
    expect(remembered.recall('token-a', authority, connection)).toBe(first);
  });

  it('end with their key, also for the connection that presented the token', () => {
    const remembered = new RememberedSignatures();
    const authority = authorityOf();
    const connection = {};
    const key = keyOf();
    remembered.remember('token', signature(authority, key), {});
    expect(remembered.recall('token', authority, connection)).toBeDefined();
    key.retired = true;
    expect(remembered.recall('token', authority, connection)).toBeUndefined();
  });

  it('come back with another key over the same connection', () => {
    const remembered = new RememberedSignatures();
    const authority = authorityOf();
    const connection = {};
    const retired = keyOf();
    remembered.remember('token', signature(authority, retired), connection);
    retired.retired = true;
    expect(remembered.recall('token', authority, connection)).toBeUndefined();
    const again = remembered.remember('token', signature(authority), connection);
    expect(remembered.recall('token', authority, connection)).toBe(again);
  });

  it('are told by what their connection presented last', () => {
    const remembered = new RememberedSignatures();
    const [connection, other] = [{}, {}];
    expect(remembered.presentedLast(connection)).toBeUndefined();
    remembered.recall('a', authorityOf(), connection);
    remembered.remember('b', signature(authorityOf()), connection);
    remembered.recall('c', authorityOf(), other);
    expect([remembered.presentedLast(connection), remembered.presentedLast(other)]).toEqual(['b', 'c']);
  });

  it('of one authority are one, the last', () => {
    const remembered = new RememberedSignatures();
    const authority = authorityOf();
    remembered.remember('token', signature(authority), {});
    const last = remembered.remember('token', signature(authority), {});
    expect(remembered.recall('token', authority, {})).toBe(last);
    expect(remembered.size).toBe(1);
    remembered.remember('other', signature(authority), {});
    expect(remembered.size).toBe(2);
  });

  it('count for the authority alone whose key was used', () => {
    const remembered = new RememberedSignatures();
    const [one, other] = [authorityOf(), authorityOf()];
    const connection = {};
    remembered.remember('token', signature(one), {});
    expect(remembered.recall('token', one, connection)).toBeDefined();
    expect(remembered.recall('token', other, connection)).toBeUndefined();
    const second = remembered.remember('token', signature(other), {});
    expect(remembered.recall('token', other, connection)).toBe(second);
    expect(remembered.recall('token', one, {})).toBeDefined();
    expect(remembered.recall('token', other, {})).toBe(second);
  });

  it('of a forgotten tenant are gone when it comes back with another authority', () => {
    const remembered = new RememberedSignatures();
    const [forgotten, back] = [authorityOf(), authorityOf()];
    const key = keyOf();
    remembered.remember('token', signature(forgotten, key), {});
    key.retired = true;
    const verified = remembered.remember('token', signature(back), {});
    expect(remembered.recall('token', back, {})).toBe(verified);
    // Were the entry still there, this would bring it to life.
    key.retired = false;
    expect(remembered.recall('token', forgotten, {})).toBeUndefined();
  });
});
