import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fillTenant } from '../../vocabulary/tenant.ts';
import { compilePattern, issuerTemplate, tenantName, tenantPattern } from './tenant.ts';

const hintOf = (schema: typeof tenantPattern, text: string): unknown => {
  const [issue] = schema.safeParse(text).error?.issues ?? [];
  return issue?.code === 'custom' ? issue.params?.['hint'] : undefined;
};

describe('the pattern of tenants', () => {
  it.each([
    ['[a-z0-9-]{1,40}', ['p1', 'a-b'], ['P1', '', 'a/b', 'a'.repeat(41)]],
    ['[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{12}', ['01234567-89ab-0123456789ab'], ['01234567']],
    ['acme|globex', ['acme', 'globex'], ['acmeglobex', 'acme|globex', 'acm']],
    ['[a-z]+-?[0-9]{2}', ['p-01', 'p01'], ['p1']],
    ['[A-Za-z0-9_.-]+', ['a.b_c'], ['a%2fb', 'a b']],
    ['t\\.x', ['t.x'], ['tax']],
  ])('%s takes %j and not %j', (pattern, takes, not) => {
    const compiled = compilePattern(tenantPattern.parse(pattern));
    expect(takes.filter((name) => !compiled.test(name))).toEqual([]);
    expect(not.filter((name) => compiled.test(name))).toEqual([]);
  });

  it.each([
    ['^[a-z]+$', /leave out/],
    ['([a-z]+)+', /no groups/],
    ['(?:a|b)', /no groups/],
    ['\\d+', /such as \[0-9\]/],
    ['a/b', /one segment/],
    ['%2e', /one segment/],
    ['.*', /written as \[\.\]/],
    ['[a-z]+[a-z]+[a-z]+', /long to match/],
    ['a?a?a?aaa', /long to match/],
    ['', undefined],
    ['[^/]+', /one segment/],
    ['[^a]', undefined],
    ['[z-a]', undefined],
    ['a**', undefined],
    ['a|', undefined],
    ['[]', undefined],
    ['é', undefined],
    ['a{1,2,3}', undefined],
  ])('is not %j', (pattern, hint) => {
    expect(tenantPattern.safeParse(pattern).success).toBe(false);
    if (hint !== undefined) expect(hintOf(tenantPattern, pattern)).toMatch(hint);
  });

  it('is matched in a bounded number of steps, whatever is asked for', () => {
    const atoms = fc.constantFrom('a', '[a-z]', '[a-z0-9-]', '-', '[.]');
    const counts = fc.constantFrom('', '*', '+', '?', '{3}', '{1,40}', '{2,}');
    const alternative = fc
      .array(fc.tuple(atoms, counts), { minLength: 1, maxLength: 12 })
      .map((pieces) => pieces.map((piece) => piece.join('')).join(''));
    fc.assert(
      fc.property(fc.array(alternative, { minLength: 1, maxLength: 4 }), (alternatives) => {
        const parsed = tenantPattern.safeParse(alternatives.join('|'));
        if (!parsed.success) return;
        const open = alternatives.map((text) => text.match(/[*+?]|\{[0-9]+,[0-9]*\}/g)?.length ?? 0);
        expect(Math.max(...open)).toBeLessThanOrEqual(2);
      }),
    );
  });
});

describe('the issuer of tenants', () => {
  it.each([
    'https://login.example.com/{tenant}',
    'https://login.example.com/t/{tenant}/v2.0',
    'http://127.0.0.1:9000/{tenant}/',
  ])('is %s as it is written', (template) => {
    expect(issuerTemplate.parse(template)).toBe(template);
  });

  it.each([
    'https://login.example.com',
    'https://{tenant}.example.com',
    'https://{tenant}/x',
    'https://login.example.com/{tenant}/{tenant}',
    'https://login.example.com/t-{tenant}',
    'https://login.example.com/{tenant}x',
    'https://login.example.com/?t={tenant}',
    'https://login.example.com/a?b/{tenant}',
    'https://login.example.com/#/{tenant}',
    'https://user:pw@login.example.com/{tenant}',
    'https://login.example.com/{tenant}/.well-known/openid-configuration',
    'login.example.com/{tenant}',
    '{tenant}',
  ])('is not %s', (template) => {
    expect(issuerTemplate.safeParse(template).success).toBe(false);
  });

  it('stays at its origin and keeps its other segments, whoever the tenant is', () => {
    const template = 'https://login.example.com/t/{tenant}/v2.0';
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'aZ0-_.%/?#{}$&\\ é'), maxLength: 6 }), (name) => {
        if (!tenantName.safeParse(name).success) return;
        const url = new URL(fillTenant(template, name));
        expect(url.href).toBe(`https://login.example.com/t/${name}/v2.0`);
      }),
      { numRuns: 2000 },
    );
  });
});

it.each(['', '.', '..', '.a', 'a.', 'a..b', 'a/b', 'a%2fb', 'a b', 'é', '*', '{tenant}', 'a'.repeat(65)])(
  'a tenant is never %j',
  (name) => {
    expect(tenantName.safeParse(name).success).toBe(false);
  },
);
