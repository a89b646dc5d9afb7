import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { isOpaque } from './opaque-token.ts';

const encode = (text: string): string => Buffer.from(text).toString('base64url');
const header = encode('{"alg":"RS256"}');
const claims = encode('{"sub":"alice"}');

describe('an opaque token', () => {
  it.each([
    'c3VwZXJzZWNyZXQ',
    'gho_16C7e42F292c6912E7710c838347Ae178B4a',
    'ory_at_Jq8tqF0g3yYh7qPpDkz0T5yE.b7cKx1c4LQ0aTzTjvU2v5Q',
    '2YotnFZFEjr1zCsicMWpAA==',
    header,
    'a.b.c',
    '.',
    `.${claims}.sig`,
    '.....',
    `${encode('[1]')}.${claims}.sig`,
    `${encode('"alg"')}.${claims}.sig`,
  ])('%s is one', (token) => {
    expect(isOpaque(token)).toBe(true);
  });

  it.each([
    ['signed', `${header}.${claims}.c2ln`],
    ['without a signature (A-001)', `${encode('{"alg":"none"}')}.${claims}.`],
    ['of two segments (A-001)', `${encode('{"alg":"none"}')}.${claims}`],
    ['without alg', `${encode('{}')}.${claims}.c2ln`],
    ['encrypted', `${encode('{"alg":"dir","enc":"A256GCM"}')}..aXY.Y2lwaGVy.dGFn`],
    ['of half a header', `${encode('{"alg":"RS2')}.${claims}.c2ln`],
    ['with space before its header', `${encode('\n\t {"alg":"RS256"}')}.${claims}.c2ln`],
    ['with a byte order mark', `${encode('\ufeff{"alg":"RS256"}')}.${claims}.c2ln`],
    ['with padding', `${header}=.${claims}.c2ln`],
    ['in the other alphabet', `${Buffer.from('{"a":"?>~?>~"}').toString('base64')}.${claims}.c2ln`],
    ['with something between its characters', `${header.slice(0, 4)}~${header.slice(4)}.${claims}.c2ln`],
  ])('a JWT %s is none', (_what, token) => {
    expect(isOpaque(token)).toBe(false);
  });

  it('with dots is hardly ever taken for a JWT', () => {
    for (let at = 0; at < 20_000; at += 1)
      expect(isOpaque(`${randomBytes(24).toString('base64url')}.${at}`)).toBe(true);
  });
});
