import { describe, expect, it } from 'vitest';

import type { PolicyRule } from '../config/configuration.ts';
import { admitsAllOf } from './admits-all-of.ts';

const rule = (over: Partial<PolicyRule>): PolicyRule => ({ name: 'r', scopes: [], ...over });

describe('one rule that admits all of another', () => {
  it.each<[string, Partial<PolicyRule>, Partial<PolicyRule>, boolean]>([
    ['everything before anything', {}, { tools: ['x'], scopes: ['a'], when: 'false' }, true],
    ['everything of MCP before a method of one’s own', {}, { methods: ['vendor/x'] }, false],
    ['every method before a method of one’s own', { methods: ['*'] }, { methods: ['vendor/x'] }, true],
    ['a wider pattern', { tools: ['get_*'] }, { tools: ['get_a', 'get_b*'] }, true],
    ['a narrower pattern', { tools: ['get_a*'] }, { tools: ['get_*'] }, false],
    ['one of two patterns', { tools: ['a'] }, { tools: ['a', 'b'] }, false],
    ['tools before the same with prompts', { tools: ['*'] }, { tools: ['a'], prompts: ['b'] }, false],
    ['all tools before all of their method', { tools: ['*'] }, { methods: ['tools/call'] }, true],
    ['the method before tools', { methods: ['tools/call'] }, { tools: ['a'] }, true],
    ['one more scope', { scopes: ['a'] }, { tools: ['x'] }, false],
    ['the same scope', { scopes: ['a'] }, { tools: ['x'], scopes: ['b', 'a'] }, true],
    ['a condition', { when: 'call.tool == "x"' }, { tools: ['x'] }, false],
    ['the same condition', { when: 'true' }, { tools: ['x'], when: 'true' }, true],
    ['no condition', {}, { tools: ['x'], when: 'true' }, true],
    ['one of two scopes', { scopes: ['a', 'b'] }, { scopes: ['a'] }, false],
    ['a pattern of methods of one’s own', { methods: ['vendor/*'] }, { methods: ['vendor/x'] }, true],
    ['known methods by name', { methods: ['tools/call'] }, { methods: ['tools/call'], tools: ['a'] }, true],
    ['another known method', { methods: ['tasks/get'] }, { methods: ['tasks/list'] }, false],
    ['all of a kind before its pattern of methods', { methods: ['tasks/*'] }, { methods: ['tasks/*'] }, true],
    ['a pattern of methods', {}, { methods: ['tasks/*'] }, false],
    [
      'resources before a subscription to them',
      { resources: ['*'] },
      { methods: ['subscriptions/listen'] },
      false,
    ],
    [
      'a subscription and its resources',
      { methods: ['subscriptions/listen'], resources: ['*'] },
      { methods: ['subscriptions/listen'] },
      true,
    ],
    [
      'a subscription to some',
      { methods: ['subscriptions/listen'], resources: ['a*'] },
      { methods: ['subscriptions/listen'], resources: ['ab'] },
      true,
    ],
    [
      'one of two methods',
      { methods: ['tools/call', 'tasks/get'] },
      { methods: ['tools/call'], tools: ['a'] },
      true,
    ],
    ['prompts before a tool', { prompts: ['*'] }, { tools: ['a'] }, false],
    ['prompts', { prompts: ['a*'] }, { prompts: ['ab'] }, true],
    ['resources', { resources: ['a*'] }, { resources: ['b'] }, false],
    ['a star by a star alone', { tools: ['a*c'] }, { tools: ['a*b*c'] }, true],
    ['a star by no name', { tools: ['a'] }, { tools: ['a*'] }, false],
  ])('is told right of %s', (_name, wide, narrow, expected) => {
    expect(admitsAllOf(rule(wide), rule(narrow))).toBe(expected);
  });
});
