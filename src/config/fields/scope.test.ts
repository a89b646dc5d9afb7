import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { scope } from './scope.ts';

describe('a scope (A17)', () => {
  it.each([
    '',
    ' ',
    'a b',
    'a\tb',
    'a\nb',
    'é',
    '読む',
    '"',
    'a"b',
    '\\',
    'a\\b',
    '\u0007',
    '\u0000',
    '\u007f',
  ])('is not %j', (text) => {
    expect(scope.safeParse(text).success).toBe(false);
  });

  it.each([
    'a',
    '!',
    '~',
    '#',
    '[',
    ']',
    'https://graph.example.com/.default',
    'api://mcp/read',
    'github:use',
  ])('may be %s', (text) => {
    expect(scope.parse(text)).toBe(text);
  });

  it('may hold every character of RFC 6749 §3.3 and no other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x2ff }), (code) => {
        const isAllowed = code === 0x21 || (code >= 0x23 && code <= 0x5b) || (code >= 0x5d && code <= 0x7e);
        expect(scope.safeParse(`a${String.fromCodePoint(code)}`).success).toBe(isAllowed);
      }),
    );
  });

  it('is never offline_access, which clients ask for by themselves', () => {
    expect(scope.safeParse('offline_access').success).toBe(false);
  });
});
