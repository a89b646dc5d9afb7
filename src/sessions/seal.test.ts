import { describe, expect, it } from 'vitest';

import type { Route } from '../config/configuration.ts';
import type { Principal } from '../vocabulary/principal.ts';
import { holderOf } from './holder.ts';
import { maximumSealedLength, open, seal } from './seal.ts';
import { sessionKey } from './session-keys.ts';
import type { SessionKeys } from './session-keys.ts';

const keys: SessionKeys = [sessionKey('a'.repeat(32))];
const others: SessionKeys = [sessionKey('b'.repeat(32))];
const route = {
  name: 'github',
  resource: 'https://mcp.example.com/github',
  upstream: { url: 'http://bridge:8000/mcp' },
} as Route;
const principal = { issuer: 'https://login.example.com', subject: 'ada', clientId: 'editor' } as Principal;
const holder = holderOf(principal, route);

describe('a sealed session (A25)', () => {
  it('opens for its holder, on every replica that has the key', () => {
    expect(open(seal('upstream-1', holder, keys), holder, [sessionKey('a'.repeat(32))])).toBe('upstream-1');
  });

  it('has one spelling for one holder, and another for every other id and holder', () => {
    expect(seal('upstream-1', holder, keys)).toBe(seal('upstream-1', holder, keys));
    expect(seal('upstream-2', holder, keys)).not.toBe(seal('upstream-1', holder, keys));
    const foreign = holderOf({ ...principal, subject: 'eve' }, route);
    expect(seal('upstream-1', foreign, keys)).not.toBe(seal('upstream-1', holder, keys));
  });

  it('shows nothing of the id but its length', () => {
    const sealed = seal('upstream-1', holder, keys);
    expect(Buffer.from(sealed, 'base64url').includes('upstream')).toBe(false);
    expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  it.each([
    ['another subject', { ...principal, subject: 'eve' }, route],
    ['another client', { ...principal, clientId: 'other' }, route],
    ['no client', { ...principal, clientId: undefined }, route],
    ['another issuer', { ...principal, issuer: 'https://elsewhere.example.com' }, route],
    ['nobody', null, route],
    ['another route', principal, { ...route, name: 'gitlab' }],
    ['another tenant', principal, { ...route, resource: 'https://mcp.example.com/p2/github' }],
    [
      'another upstream',
      principal,
      { ...route, upstream: { ...route.upstream, url: 'http://other:8000/mcp' } },
    ],
  ])('stays shut for %s', (_who, who, where) => {
    expect(
      open(seal('upstream-1', holder, keys), holderOf(who as Principal | null, where as Route), keys),
    ).toBe(undefined);
  });

  it('opens with the old key while a rotation lasts, and seals with the new one', () => {
    const before = seal('upstream-1', holder, keys);
    const rotating: SessionKeys = [others[0], keys[0]];
    expect(open(before, holder, rotating)).toBe('upstream-1');
    expect(open(seal('upstream-1', holder, rotating), holder, others)).toBe('upstream-1');
    expect(open(before, holder, others)).toBe(undefined);
  });

  it('stays shut when one bit of it is another', () => {
    const bytes = Buffer.from(seal('upstream-1', holder, keys), 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const forged = Buffer.from(bytes);
      forged[at] = (forged[at] ?? 0) ^ 1;
      expect(open(forged.toString('base64url'), holder, keys)).toBe(undefined);
    }
  });

  it.each(['', 'x', 'upstream-1', '='.repeat(80), 'A'.repeat(80), ' '.repeat(80), 'é'.repeat(80)])(
    'isn’t what somebody made up: %j',
    (made) => {
      expect(open(made, holder, keys)).toBe(undefined);
    },
  );

  it('has one spelling only', () => {
    const sealed = seal('upstream-12', holder, keys);
    for (const variant of [`${sealed}=`, `${sealed} `, ` ${sealed}`, sealed.replace(/.$/, (c) => `${c}!`)])
      expect(open(variant, holder, keys)).toBe(undefined);
  });

  it('holds the longest id that an upstream may give within 1 KiB, and nothing longer opens', () => {
    const longest = seal('x'.repeat(512), holder, keys);
    expect(longest.length).toBeLessThanOrEqual(maximumSealedLength);
    expect(open(longest, holder, keys)).toBe('x'.repeat(512));
    expect(open(seal('x'.repeat(1024), holder, keys), holder, keys)).toBe(undefined);
  });
});
