import { describe, expect, it } from 'vitest';

import type { PolicyRule } from '../config/configuration.ts';
import type { Question } from './question.ts';
import { compileRule } from './rule.ts';
import { RuleIndex } from './rule-index.ts';

type RuleText = Partial<PolicyRule> & { readonly name: string };

const texts: readonly RuleText[] = [
  { name: 'patterns', tools: ['a*', 'b*', 'c'] },
  { name: 'mixed', tools: ['a1', '*x'] },
  { name: 'tasks', methods: ['tasks/*'], tools: ['a1'] },
  { name: 'prompts', prompts: ['p*'] },
  { name: 'resources', resources: ['x:*', 'y:1'] },
  { name: 'vendor', methods: ['vendor/*'] },
  { name: 'three', tools: ['d*', 'e*', 'f*'] },
  { name: 'all' },
];
const rules = texts.map((text, index) => compileRule({ scopes: [], ...text }, index));

const call = (target: string): Question => ({
  method: 'tools/call',
  kind: 'tool',
  target,
  arguments: undefined,
});
const nameless = (method: string): Question => ({
  method,
  kind: undefined,
  target: '',
  arguments: undefined,
});

function namesFor(question: Question, index = new RuleIndex(rules)): string {
  const found = index.covering(question).map(({ name }) => name);
  expect(rules.filter((rule) => rule.covers(question)).map(({ name }) => name)).toEqual(found);
  return found.join(' ');
}

describe('the rules that are about a call', () => {
  it.each<[Question, string]>([
    [call('a1'), 'patterns mixed all'],
    [call('a2'), 'patterns all'],
    [call('b'), 'patterns all'],
    [call('c'), 'patterns all'],
    [call('cx'), 'mixed all'],
    [call('ax'), 'patterns mixed all'],
    [call('q'), 'all'],
    [call('d1'), 'three all'],
    [call('e1'), 'three all'],
    [call('f1'), 'three all'],
    [call('*'), 'all'],
    [call('a*'), 'patterns all'],
    [{ ...call('p1'), method: 'prompts/get', kind: 'prompt' }, 'prompts all'],
    [{ ...call('p1'), method: 'completion/complete', kind: 'prompt' }, 'prompts all'],
    [{ ...call('x:1'), method: 'completion/complete', kind: 'resource' }, 'resources all'],
    [{ ...call('y:1'), method: 'resources/read', kind: 'resource' }, 'resources all'],
    [{ ...call('y:2'), method: 'resources/read', kind: 'resource' }, 'all'],
    [
      { ...call('y:{n}'), method: 'resources/read', kind: 'resource', unknown: 'call.resource' },
      'resources all',
    ],
    [{ ...call('z:{n}'), method: 'resources/read', kind: 'resource', unknown: 'call.resource' }, 'all'],
    [nameless('tasks/get'), 'tasks all'],
    [nameless('tasks/new'), 'tasks'],
    [nameless('logging/setLevel'), 'all'],
    [nameless('subscriptions/listen'), 'all'],
    [nameless('vendor/x'), 'vendor'],
    [nameless('other/x'), ''],
  ])('%j: %s', (question, names) => {
    expect(namesFor(question)).toBe(names);
    const index = new RuleIndex(rules);
    expect([namesFor(question, index), namesFor(question, index)]).toEqual([names, names]);
  });

  it('are looked up once for names of up to 128 characters, of which 500 are kept', () => {
    const index = new RuleIndex(rules);
    const isKept = (name: string): boolean => index.covering(call(name)) === index.covering(call(name));
    expect(isKept('c')).toBe(true);
    expect(isKept('a'.repeat(128))).toBe(true);
    expect(isKept('a'.repeat(129))).toBe(false);
    for (let count = 1; count < 500; count += 1) expect(isKept(`q${count}`)).toBe(true);
    expect([isKept('q500'), isKept('q1'), isKept('c'), isKept('a1')]).toEqual([false, true, true, true]);
    expect(namesFor(call('a500'), index)).toBe('patterns all');
  });
});
