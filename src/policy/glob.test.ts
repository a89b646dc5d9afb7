import { describe, expect, it } from 'vitest';

import { compileGlob } from './glob.ts';

describe('a pattern', () => {
  it.each([
    ['get_*', 'get_', true],
    ['get_*', 'get_issue', true],
    ['get_*', 'Get_issue', false],
    ['get_*', 'forget_issue', false],
    ['*', '', true],
    ['*', 'anything/at all', true],
    ['file:///public/*', 'file:///public/a/b', true],
    ['file:///public/*', 'file:///public', false],
    ['*_read', 'issue_read', true],
    ['*_read', 'issue_reads', false],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'acb', false],
    ['a*a', 'a', false],
    ['aba*aba', 'ababa', false],
    ['*ab*ab*', 'ab', false],
    ['x*ab*bc', 'xabc', false],
    ['x*ab*bc', 'xabbc', true],
    ['a**b', 'ab', true],
    ['echo', 'echo', true],
    ['echo', 'echo ', false],
    ['get.x', 'getAx', false],
    ['[ab]', 'a', false],
    ['[ab]', '[ab]', true],
    ['a?c', 'abc', false],
    ['(a|b)*', 'a', false],
    ['^get$', 'get', false],
    ['constructor', '__proto__', false],
    ['__proto__', '__proto__', true],
  ])('%s says of %j: %s (C-016, C-048)', (pattern, text, expected) => {
    expect(compileGlob(pattern)(text)).toBe(expected);
  });

  it('is of no text beyond 2048 characters', () => {
    expect(compileGlob('*')('a'.repeat(2048))).toBe(true);
    expect(compileGlob('a'.repeat(2048))('a'.repeat(2048))).toBe(true);
    expect(compileGlob('a*b*c')(`a${'b'.repeat(2046)}c`)).toBe(true);
    expect(compileGlob('a*b*c')(`a${'b'.repeat(2047)}c`)).toBe(false);
    for (const pattern of ['*', 'a*', 'a'.repeat(3000)])
      expect(compileGlob(pattern)('a'.repeat(3000))).toBe(false);
  });

  it('is compared in bounded time, whatever stranger text comes', () => {
    const fits = compileGlob(`${'*a'.repeat(100)}*b`);
    const began = performance.now();
    for (let round = 0; round < 100; round += 1) fits('a'.repeat(2048));
    // A pattern that went back would need longer than the universe has.
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
