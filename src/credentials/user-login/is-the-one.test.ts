import { describe, expect, it } from 'vitest';

import { isTheOne } from './is-the-one.ts';

const issuer = 'https://login.example.com';
const link = { person: { issuer, subject: 'alice' }, proof: 'a1' };
const sub = { idTokenClaim: 'sub', accessTokenClaim: 'sub' };
const oid = { idTokenClaim: 'oid', accessTokenClaim: 'oid' };
const okta = { idTokenClaim: 'sub', accessTokenClaim: 'uid' };

describe('a visitor is whom the link is for', () => {
  it.each([
    ['with the same subject of the same issuer', { issuer, proof: 'a1' }, sub],
    ['with the same value of an own claim, of either issuer', { issuer: 'https://v1', proof: 'a1' }, oid],
    ['with the same value of two claims', { issuer, proof: 'a1' }, okta],
  ])('%s', (_how, visitor, claims) => expect(isTheOne(visitor, link, claims)).toBe(true));
});

describe('a visitor is someone else', () => {
  it.each([
    ['with another subject', { issuer, proof: 'a2' }, sub],
    ['with the subject in another case', { issuer, proof: 'A1' }, sub],
    ['with the same subject of another issuer', { issuer: 'https://v1', proof: 'a1' }, sub],
    [
      'with the same subject of another issuer, whatever it is compared with',
      { issuer: 'https://v1', proof: 'a1' },
      okta,
    ],
    ['without the claim', { issuer, proof: undefined }, sub],
    ['with another value', { issuer, proof: 'a2' }, oid],
  ])('%s', (_how, visitor, claims) => expect(isTheOne(visitor, link, claims)).toBe(false));
});
