import { describe, expect, it } from 'vitest';

import type { PolicyRule, Route } from '../config/configuration.ts';
import { neverHolds } from './never-holds.ts';

function judge(
  when: string | undefined,
  over: Partial<Pick<Route, 'access' | 'tenant'>> = {},
  scopes: readonly string[] = [],
): string | undefined {
  const rule = { name: 'r', scopes, ...(when === undefined ? {} : { when }) } as PolicyRule;
  return neverHolds(rule, { name: 'tools', access: 'required', ...over });
}

const tenant = { name: 'acme' } as NonNullable<Route['tenant']>;

describe('a condition that can hold of nobody', () => {
  it.each([
    ['false', "isn't true"],
    ['route.name == "other"', "isn't true"],
    ['principal == null', "isn't true"],
    ['has(route.tenant)', "isn't true"],
    ['route.tenant == "acme"', "can't be worked out at column 6: there is no tenant"],
  ])('%s: %s, where everyone shows a token', (when, says) => {
    expect(judge(when)).toBe(says);
  });

  it.each([
    undefined,
    'true',
    'not a condition',
    'route.name == "tools"',
    'principal != null',
    'principal.subject == "ada"',
    'call.tool == "x"',
    'route.name == "other" || call.method == "x"',
  ])('%s may hold', (when) => {
    expect(judge(when)).toBeUndefined();
  });

  it('may hold of a tenant where the path names one', () => {
    expect(judge('route.tenant == "globex"', { tenant })).toBeUndefined();
    expect(judge('route.name == "other"', { tenant })).toBe("isn't true");
  });

  it('is asked of nobody alone on an open route', () => {
    expect(judge('principal != null', { access: 'open' })).toBe("isn't true");
    expect(judge('principal.subject == "ada"', { access: 'open' })).toMatch(/^can't be worked out/);
    expect(judge('principal == null', { access: 'open' })).toBeUndefined();
    expect(judge('call.tool == "x"', { access: 'open' })).toBeUndefined();
    // Scopes that nobody can have are another finding.
    expect(judge('false', { access: 'open' }, ['a'])).toBeUndefined();
  });

  it('is asked of both where a token is optional, and of nobody only where no scopes are needed', () => {
    const access = 'optional';
    expect(judge('principal == null', { access })).toBeUndefined();
    expect(judge('principal != null', { access })).toBeUndefined();
    expect(judge('principal == null', { access }, ['a'])).toBe("isn't true");
    expect(judge('false', { access })).toBe("isn't true");
  });
});
