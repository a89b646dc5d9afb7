import { describe, expect, it } from 'vitest';

import { claimAt } from './claim.ts';

const claims = {
  email: 'alice@example.com',
  'https://example.com/roles': ['admin'],
  'cognito:groups': ['ops'],
  'realm_access.roles': 'a claim whose name has a dot',
  realm_access: { roles: ['operator'] },
  resource_access: { 'mcp/gateway': { roles: ['caller'] }, 'a~b': 1, '~1': 2 },
  '/root': 'a claim whose name begins with a slash',
  nothing: null,
};

describe('a claim by its name in the configuration', () => {
  it.each([
    ['email', 'alice@example.com'],
    ['https://example.com/roles', ['admin']],
    ['cognito:groups', ['ops']],
    ['realm_access.roles', 'a claim whose name has a dot'],
    ['/realm_access/roles', ['operator']],
    ['/resource_access/mcp~1gateway/roles', ['caller']],
    ['/resource_access/a~0b', 1],
    ['/resource_access/~01', 2],
    ['/~1root', 'a claim whose name begins with a slash'],
    ['nothing', null],
  ])('%s has one reading', (name, value) => {
    expect(claimAt(claims, name)).toEqual(value);
  });

  it.each([
    'missing',
    '/root',
    '/realm_access/missing',
    '/realm_access/roles/0',
    '/realm_access/roles/length',
    '/email/length',
    '/nothing/at',
    'constructor',
    '/constructor/name',
    '/realm_access/__proto__',
  ])('%s is in no token but where it was put', (name) => {
    expect(claimAt(claims, name)).toBeUndefined();
  });
});
