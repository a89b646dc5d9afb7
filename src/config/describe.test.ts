import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { describeFound, quote } from './describe.ts';

describe('a value in a fault', () => {
  it.each([
    [null, 'nothing'],
    [undefined, 'nothing'],
    [[], 'an empty list'],
    [[1], 'a list'],
    [{}, 'an empty mapping'],
    [{ a: 1 }, 'a mapping'],
    [5, '5'],
    ['5', '"5"'],
  ])('%j is %s', (value, words) => {
    expect(describeFound(value)).toBe(words);
  });

  it('shows no password of a URL, whatever characters it has', () => {
    for (const url of [
      'https://user:hunter2@h.example/p',
      'https://u:hun/ter2@h',
      'https://hunter2@h',
      'redis://:hunter2@h?a@b',
    ]) {
      expect(quote(url)).not.toMatch(/hun/);
    }
  });

  it('is one printable line, whatever the value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(quote(text)).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u);
        expect(quote(text).length).toBeLessThan(1000);
      }),
    );
  });
});
