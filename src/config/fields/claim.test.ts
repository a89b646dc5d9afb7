import { expect, it } from 'vitest';

import { claimName } from './claim.ts';

it.each([
  'email',
  'https://example.com/roles',
  'cognito:groups',
  'realm_access.roles',
  'Full Name',
  '/realm_access/roles',
  '/resource_access/mcp~1gateway/roles',
  '/~0',
])('%s names a claim', (text) => {
  expect(claimName.safeParse(text)).toEqual({ success: true, data: text });
});

it.each(['', ' ', 'a\nb', '/', '//', '/a/', '/a//b', '/a~b', '/a~2', '/a\tb', ' email'])(
  '%j names none',
  (text) => {
    expect(claimName.safeParse(text).success).toBe(false);
  },
);
