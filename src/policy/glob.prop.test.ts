import fc from 'fast-check';
import { expect, it } from 'vitest';

import { compileGlob } from './glob.ts';

/** As the definition has it: a star is nothing, or one character and a star. */
function reference(pattern: string, text: string): boolean {
  const fits = (p: number, t: number): boolean => {
    if (p === pattern.length) return t === text.length;
    if (pattern[p] !== '*') return pattern[p] === text[t] && t < text.length && fits(p + 1, t + 1);
    return fits(p + 1, t) || (t < text.length && fits(p, t + 1));
  };
  return fits(0, 0);
}

it('a pattern says of any text what its definition says', () => {
  const letters = (more: string): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom('a', 'b', '/', ...more), maxLength: 9 });
  fc.assert(
    fc.property(letters('**'), letters(''), (pattern, text) => {
      expect(compileGlob(pattern)(text)).toBe(reference(pattern, text));
    }),
    { numRuns: 20_000 },
  );
});

it('a text is of every pattern that replaces a part of it by a star', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), fc.nat(40), fc.nat(40), (text, one, other) => {
      fc.pre(!text.includes('*'));
      const [from, to] = [Math.min(one, other), Math.max(one, other)];
      expect(compileGlob(`${text.slice(0, from)}*${text.slice(to)}`)(text)).toBe(true);
    }),
  );
});
