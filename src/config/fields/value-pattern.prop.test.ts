import fc from 'fast-check';
import { expect, it } from 'vitest';

import { compileValuePattern, valuePattern } from './value-pattern.ts';

const atom = fc.constantFrom('a', 'b', '[ab]', '[a-c]', '.', '\\w', '\\d', '-', 'x|y', '|');
const quantifier = fc.constantFrom('', '', '*', '+', '?', '{2}', '{0,9}', '{1,}');
const pattern = fc
  .array(fc.tuple(atom, quantifier), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.flat().join(''));

/** Longer than any header: a pattern that tries again for each character would take seconds. */
const values = ['a', 'ab', 'a-', 'abc'].map((unit) => unit.repeat(60_000).slice(0, 60_000));

it('a pattern that is taken is matched in a time that grows with the value alone (S03, D-021)', () => {
  let taken = 0;
  fc.assert(
    fc.property(pattern, (text) => {
      const reading = valuePattern.safeParse(text);
      if (!reading.success) return;
      taken += 1;
      const compiled = compileValuePattern(reading.data);
      const startedAt = performance.now();
      for (const value of values) compiled.test(`${value}!`);
      expect(performance.now() - startedAt).toBeLessThan(2000);
    }),
    { numRuns: 300 },
  );
  expect(taken).toBeGreaterThan(20);
});
