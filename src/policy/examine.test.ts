import { expect, it } from 'vitest';

import type { PolicyRule, Route } from '../config/configuration.ts';
import { examine } from './examine.ts';

const rule = (name: string, over: Partial<PolicyRule>): PolicyRule => ({ name, scopes: [], ...over });

it('every rule is told up to the one that admits, and what each said', () => {
  const rules = [
    rule('prompts', { prompts: ['*'] }),
    rule('never', { tools: ['echo'], when: 'route.name == "other"' }),
    rule('echo', { tools: ['echo'] }),
    rule('later', { tools: ['*'] }),
  ];
  const asker = { principal: null, route: { name: 'tools', access: 'open' } as Route };
  const question = { method: 'tools/call', kind: 'tool', target: 'echo', arguments: undefined } as const;
  const told = examine({ rules, hide: true }, question, asker);
  expect(told.map(({ rule: { name, index }, verdict }) => [name, index, verdict?.outcome])).toEqual([
    ['prompts', 0, undefined],
    ['never', 1, 'denied'],
    ['echo', 2, 'admitted'],
  ]);
  expect(told[1]?.verdict).toMatchObject({ says: "the condition of rule never isn't true" });
});
