import { describe, expect, it } from 'vitest';

import { algorithm, tokenType } from './token.ts';

describe('an algorithm (A07)', () => {
  it.each(['none', 'None', 'HS256', 'HS384', 'HS512', 'RS1', 'ES256K', 'RSA-OAEP', 'rs256', ''])(
    'is not %j',
    (text) => {
      expect(algorithm.safeParse(text).success).toBe(false);
    },
  );

  it.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'may be %s',
    (text) => {
      expect(algorithm.parse(text)).toBe(text);
    },
  );

  it('has two names for Edwards curves', () => {
    expect(algorithm.parse('Ed25519')).toBe('EdDSA');
  });
});

describe('a token type', () => {
  it.each([
    ['at+jwt', 'at+jwt'],
    ['application/at+jwt', 'at+jwt'],
    ['JWT', 'jwt'],
    ['none', 'none'],
  ])('%s is %s', (text, value) => {
    expect(tokenType.parse(text)).toBe(value);
  });

  it.each(['logout+jwt', 'secevent+jwt', 'application/dpop+jwt', 'OAuth-Authz-Req+JWT', '', 'a b'])(
    'is never %j',
    (text) => {
      expect(tokenType.safeParse(text).success).toBe(false);
    },
  );
});
