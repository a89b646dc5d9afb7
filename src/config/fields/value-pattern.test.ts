import { describe, expect, it } from 'vitest';

import { compileValuePattern, valuePattern } from './value-pattern.ts';

function read(pattern: string): string | undefined {
  const reading = valuePattern.safeParse(pattern);
  return reading.success ? reading.data : undefined;
}

describe('a pattern for values that clients send (S03)', () => {
  it.each([
    ['[a-z]+', 'abc', 'ab1'],
    ['^[a-z]+$', 'abc', 'abc\n'],
    ['ghp_[A-Za-z0-9]{36}', `ghp_${'x'.repeat(36)}`, `ghp_${'x'.repeat(37)}`],
    ['Bearer [A-Za-z0-9._~+/-]+=*', 'Bearer a.b==', 'Bearer a b'],
    ['[\\w-]+\\.[\\w-]+\\.[\\w-]+', 'a.b-.c', 'a.b'],
    ['\\d{4}-\\d{4}', '1234-5678', '12345678'],
    ['key:[^"; ,]+', undefined, undefined],
    ['a|b+', 'bbb', 'ab'],
    ['\\$[0-9]+', '$1', '1'],
  ])('takes %s for what it says', (pattern, fits, not) => {
    const whole = read(pattern);
    if (fits === undefined) return expect(whole).toBeUndefined();
    expect(compileValuePattern(whole ?? '').test(fits)).toBe(true);
    expect(compileValuePattern(whole ?? '').test(not ?? '')).toBe(false);
  });

  it.each(['(a+)+', 'a(?=b)', '(?:a)', '[a', 'a{2', '\\p{L}', 'a**', '', '|', 'a||b', 'a|', 'é'])(
    'refuses %s, which has another form',
    (pattern) => {
      expect(read(pattern)).toBeUndefined();
    },
  );

  it.each(['a*a*b', '[a-z]+[a-z0-9]+', '.*x', '\\w+b?_', 'a+b*a', 'a{1,40}a', 'x|a?a'])(
    'refuses %s, which could match in two ways and take long',
    (pattern) => {
      expect(read(pattern)).toBeUndefined();
    },
  );
});
