import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileGlob } from './glob.ts';
import { couldFit } from './uri-template.ts';

it.each([
  ['file:///{path}', 'file:///public/*', true],
  ['file:///public/{path}', 'file:///public/*', true],
  ['file:///private/{path}', 'file:///public/*', false],
  ['file:///public{/path*}', 'file:///public/*', true],
  ['{+uri}', 'file:///public/a', true],
  ['db://{table}/rows/{id}', 'db://users/*', true],
  ['db://{table}/rows', 'db://*/columns', false],
  ['db://{table}/rows', 'db://*/rows', true],
  ['a{x}b', 'ab', true],
  ['a{x}b', 'a*c', false],
  ['plain', 'plain', true],
  ['plain', 'plain/', false],
  ['plain', '*', true],
  ['', '*', true],
  ['{', '{', true],
  ['a*', 'ab', false],
  ['a*', 'a*', true],
  ['a{path}rows', 'a*/x/rows', true],
  [`{x}${'a'.repeat(2045)}`, '*', true],
  [`{x}${'a'.repeat(2046)}`, '*', false],
  ['{x}'.repeat(1000), 'file:///*', false],
])('%s could be of %s: %s (P2)', (template, pattern, expected) => {
  expect(couldFit(template, pattern)).toBe(expected);
});

it('no template that expands to a URI of a pattern is told that it could not', () => {
  const piece = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 3 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*'), maxLength: 6 });
  fc.assert(
    fc.property(fc.array(fc.tuple(piece, piece), { maxLength: 3 }), piece, pattern, (parts, last, glob) => {
      const template = `${parts.map(([literal]) => `${literal}{x}`).join('')}${last}`;
      const uri = `${parts.map(([literal, expanded]) => literal + expanded).join('')}${last}`;
      fc.pre(compileGlob(glob)(uri));
      expect(couldFit(template, glob)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

it('a template could be of a pattern exactly where a search of all ways says so', () => {
  const literal = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 3 });
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 });
  fc.assert(
    fc.property(fc.array(literal, { minLength: 1, maxLength: 4 }), glob, (literals, pattern) => {
      const parts = literals.flatMap((each, index) => [...(index === 0 ? [] : [any]), ...each]);
      const signs = [...pattern].map((sign) => (sign === '*' ? any : sign));
      expect(couldFit(literals.join('{x}'), pattern)).toBe(canMeet(parts, signs));
    }),
    { numRuns: 2_000 },
  );
});

const any = null;

/** Whether two rows of characters and of runs of any can be one text. */
function canMeet(one: readonly (string | null)[], other: readonly (string | null)[]): boolean {
  const [first, ...rest] = one;
  const [sign, ...signs] = other;
  if (first === any) return canMeet(rest, other) || (other.length > 0 && canMeet(one, signs));
  if (sign === any) return canMeet(one, signs) || (one.length > 0 && canMeet(rest, other));
  return first === sign && (first === undefined || canMeet(rest, signs));
}

it('a list of long templates holds nobody else up', () => {
  const templates = Array.from({ length: 10_000 }, (_, at) => `file:///${at}${'{a}'.repeat(600)}/end`);
  const before = process.cpuUsage();
  const fits = templates.filter(
    (template) => couldFit(template, 'file:///*/reports/*/x') || couldFit(template, 'file:///public/2026/a'),
  );
  expect(fits).toEqual([]);
  // Each place of the one tried with each of the other took ten seconds, and a minute and a half for a list with 50 rules.
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_500);
});
