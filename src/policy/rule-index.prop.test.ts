import fc from 'fast-check';
import { expect, it } from 'vitest';

import type { PolicyRule } from '../config/configuration.ts';
import { knownMethods } from './methods.ts';
import type { TargetKind } from './methods.ts';
import { RuleIndex } from './rule-index.ts';
import { compileRule } from './rule.ts';

const name = fc.constantFrom('a', 'ab', 'b', 'ba', '__proto__', 'x', '');
const patterns = fc.array(fc.constantFrom('a', 'ab', '*', 'a*', '*b', 'b*a', '__proto__'), {
  minLength: 1,
  maxLength: 3,
});
const methods = fc.array(
  fc.constantFrom('tools/call', 'tools/*', '*', 'prompts/get', 'tasks/*', 'vendor/x'),
  {
    minLength: 1,
    maxLength: 2,
  },
);
const rule: fc.Arbitrary<Partial<PolicyRule>> = fc.record(
  { methods, tools: patterns, prompts: patterns, resources: patterns },
  { requiredKeys: [] },
);
const asked = fc.constantFrom(
  ...[...knownMethods, ['vendor/x', []] as const].flatMap(([method, kinds]) =>
    [undefined, ...kinds].map((kind: TargetKind | undefined) => ({ method, kind })),
  ),
);

it('the index finds the rules that one would find by asking each of them, in their order', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 8 }), asked, name, (given, { method, kind }, target) => {
      const rules = given.map((each, index) =>
        compileRule({ name: `r${index}`, scopes: [], ...each }, index),
      );
      const question = { method, kind, target: kind === undefined ? '' : target, arguments: undefined };
      const index = new RuleIndex(rules);
      const asking = rules.filter((each) => each.covers(question)).map((each) => each.name);
      for (const time of ['the first time', 'and once more'])
        expect([time, index.covering(question).map((each) => each.name)]).toEqual([time, asking]);
    }),
    { numRuns: 5_000 },
  );
});

it('more names than the index remembers are found all the same, and long ones', () => {
  const rules = [{ tools: ['a*'] }, { tools: ['*1'] }].map((each, index) =>
    compileRule({ name: `r${index}`, scopes: [], ...each }, index),
  );
  const index = new RuleIndex(rules);
  const found = (target: string): string =>
    index
      .covering({ method: 'tools/call', kind: 'tool', target, arguments: undefined })
      .map(({ name: one }) => one)
      .join(' ');
  for (let at = 0; at < 2_000; at += 1)
    expect(found(`a${at}`)).toBe(String(at).endsWith('1') ? 'r0 r1' : 'r0');
  expect([found('a7'), found('b1'), found('b2'), found(`a${'x'.repeat(500)}1`)]).toEqual([
    'r0',
    'r1',
    '',
    'r0 r1',
  ]);
});
