import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { routePath } from './route-path.ts';

describe('the path of a route', () => {
  it.each([
    ['/mcp', '/mcp'],
    ['/mcp/', '/mcp'],
    ['/', '/'],
    ['/GitHub/v1.2/mcp_x~', '/GitHub/v1.2/mcp_x~'],
  ])('%s is %s', (text, value) => {
    expect(routePath.parse(text)).toBe(value);
  });

  it.each([
    '',
    'mcp',
    '//',
    '/a//b',
    '/./a',
    '/a/..',
    '/a%20b',
    '/a?b',
    '/a#b',
    '/a\\b',
    '/a;b',
    '/:id',
    '/*',
    '/(a)',
    '/é',
    '/a b',
    '/.well-known',
    '/.Well-Known/x',
    '/{id}/mcp',
    '/{tenant}/{tenant}',
    '/x{tenant}',
  ])('is not %j', (text) => {
    expect(routePath.safeParse(text).success).toBe(false);
  });

  it('is one that the URL parser leaves as it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const result = routePath.safeParse(`/${text}`);
        expect(
          !result.success || new URL(result.data.replaceAll('{tenant}', 't'), 'https://h').pathname,
        ).toBe(!result.success || result.data.replaceAll('{tenant}', 't'));
      }),
    );
  });
});
