import { describe, expect, it } from 'vitest';

import { parseJwt } from './parse-jwt.ts';

const encode = (text: string): string => Buffer.from(text).toString('base64url');
const token = (header: string, claims = '{"sub":"bob"}', signature = 'c2ln'): string =>
  `${encode(header)}.${encode(claims)}.${signature}`;
const reason = (text: string): string => {
  const parsed = parseJwt(text);
  return 'reason' in parsed ? parsed.reason : 'ok';
};

describe('a JWT', () => {
  it('is read without being trusted', () => {
    expect(parseJwt(token('{"alg":"RS256","kid":"k","typ":"application/AT+JWT"}'))).toEqual({
      header: { alg: 'RS256', kid: 'k', type: 'at+jwt' },
      claims: { sub: 'bob' },
    });
    expect(parseJwt(token('{"alg":"RS256"}'))).toMatchObject({ header: { kid: undefined, type: 'none' } });
  });

  it.each([
    ['two segments', `${encode('{}')}.${encode('{}')}`, 'token_malformed'],
    ['an empty signature (A-001)', `${encode('{"alg":"none"}')}.${encode('{}')}.`, 'token_malformed'],
    ['five segments (A-012)', 'a.b.c.d.e', 'token_malformed'],
    ['no alg', token('{}'), 'alg_not_allowed'],
    ['alg null', token('{"alg":null}'), 'alg_not_allowed'],
    ['alg in a list', token('{"alg":["RS256"]}'), 'alg_not_allowed'],
    ['crit (A-007)', token('{"alg":"RS256","crit":["x"]}'), 'critical_header'],
    ['an empty crit', token('{"alg":"RS256","crit":[]}'), 'critical_header'],
    ['b64 (A-008)', token('{"alg":"RS256","b64":false}'), 'critical_header'],
    ['a kid that is a number (A-006)', token('{"alg":"RS256","kid":1}'), 'key_unknown'],
    ['a kid without end', token(`{"alg":"RS256","kid":"${'k'.repeat(300)}"}`), 'key_unknown'],
    ['a typ that is a number', token('{"alg":"RS256","typ":1}'), 'token_type'],
    [
      'a header that says alg twice (A-027)',
      token('{"alg":"RS256","\\u0061lg":"none"}'),
      'token_duplicate_member',
    ],
    [
      'claims that say sub twice (A-027)',
      token('{"alg":"RS256"}', '{"sub":"bob","sub":"admin"}'),
      'token_duplicate_member',
    ],
    ['claims that are a list', token('{"alg":"RS256"}', '[]'), 'token_malformed'],
    [
      'claims that nest without end (A-038)',
      token('{"alg":"RS256"}', `{"a":${'['.repeat(500)}`),
      'token_malformed',
    ],
    ['padding', `${token('{"alg":"RS256"}')}=`, 'token_malformed'],
    ['white space', token('{"alg":"RS256"}').replace('.', ' .'), 'token_malformed'],
    ['more than 8 KiB', token('{"alg":"RS256"}', `{"a":"${'x'.repeat(8192)}"}`), 'token_too_long'],
  ])('is refused for %s', (_title, text, expected) => {
    expect(reason(text)).toBe(expected);
  });

  it('has one spelling: none of the signatures that decode alike passes (A-014)', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const base = token('{"alg":"RS256"}', '{}', Buffer.alloc(256, 7).toString('base64url'));
    const accepted = [...alphabet].filter(
      (last) =>
        reason(base.slice(0, -1) + last) === 'ok' &&
        Buffer.from(base.slice(-342, -1) + last, 'base64url').equals(Buffer.alloc(256, 7)),
    );
    expect(accepted).toEqual([base.at(-1)]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'takes of %d characters exactly those spellings that an encoder writes (A-014)',
    (length) => {
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      for (const last of alphabet) {
        const signature = 'x'.repeat(length - 1) + last;
        const written = Buffer.from(signature, 'base64url').toString('base64url');
        expect([signature, reason(token('{"alg":"RS256"}', '{}', signature))]).toEqual([
          signature,
          written === signature ? 'ok' : 'token_malformed',
        ]);
      }
    },
  );
});
