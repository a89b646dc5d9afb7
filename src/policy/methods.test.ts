import { expect, it } from 'vitest';

import { knownMethods } from './methods.ts';

it('the methods of MCP that need a rule are these, each about what its parameters name', () => {
  expect(Object.fromEntries(knownMethods)).toEqual({
    'tools/call': ['tool'],
    'prompts/get': ['prompt'],
    'resources/read': ['resource'],
    'resources/subscribe': ['resource'],
    'resources/unsubscribe': ['resource'],
    'subscriptions/listen': ['resource'],
    'completion/complete': ['prompt', 'resource'],
    'logging/setLevel': [],
    'tasks/get': [],
    'tasks/list': [],
    'tasks/result': [],
    'tasks/cancel': [],
    'tasks/update': [],
  });
});
