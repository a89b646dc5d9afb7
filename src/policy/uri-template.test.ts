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
