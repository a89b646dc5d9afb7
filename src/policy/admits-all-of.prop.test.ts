import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { PolicyRule } from '../config/configuration.ts';
import { admitsAllOf } from './admits-all-of.ts';
import { knownMethods } from './methods.ts';
import { compileRule } from './rule.ts';

const rule = (over: Partial<PolicyRule>): PolicyRule => ({ name: 'r', scopes: [], ...over });

const pattern = fc.constantFrom('*', 'a*', '*b', 'a*b', 'ab', 'a', 'b', 'a**b');
const method = fc.constantFrom(
  '*',
  'tools/*',
  'tools/call',
  'prompts/get',
  'tasks/*',
  'tasks/get',
  'vendor/x',
  'vendor/*',
);
const patterns = fc.option(fc.array(pattern, { minLength: 1, maxLength: 3 }), { nil: undefined });
const ruleOf = fc
  .record({
    methods: fc.option(fc.array(method, { minLength: 1, maxLength: 2 }), { nil: undefined }),
    tools: patterns,
    prompts: patterns,
    resources: patterns,
    scopes: fc.subarray(['x', 'y']),
    when: fc.constantFrom(undefined, 'true', 'false'),
  })
  .map((given) => rule(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))));

describe('one rule that admits all of another', () => {
  it('covers every call that the other covers, with no more scopes and no other condition', () => {
    const targets = ['', 'a', 'b', 'ab', 'aab', 'axb', 'ba', 'c'];
    const methods = [...knownMethods.keys(), 'vendor/x', 'vendor/y', 'tasks/new', 'tools/new'];
    let certain = 0;
    fc.assert(
      fc.property(ruleOf, ruleOf, (wide, narrow) => {
        if (!admitsAllOf(wide, narrow)) return;
        certain += 1;
        const [one, other] = [compileRule(wide, 0), compileRule(narrow, 1)];
        expect(wide.scopes.every((scope) => narrow.scopes.includes(scope))).toBe(true);
        expect([undefined, narrow.when]).toContain(wide.when);
        for (const about of methods) {
          const kinds = knownMethods.get(about) ?? [];
          const named =
            kinds.length === 0 || about === 'subscriptions/listen' ? [...kinds, undefined] : kinds;
          for (const kind of named)
            for (const target of kind === undefined ? [''] : targets) {
              const question = { method: about, kind, target, arguments: undefined };
              if (other.covers(question)) expect([question, one.covers(question)]).toEqual([question, true]);
            }
        }
      }),
      { numRuns: 5000 },
    );
    expect(certain).toBeGreaterThan(100);
  });
});
