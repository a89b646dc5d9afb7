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
      expect(new RuleIndex(rules).covering(question).map((each) => each.name)).toEqual(
        rules.filter((each) => each.covers(question)).map((each) => each.name),
      );
    }),
    { numRuns: 5_000 },
  );
});
