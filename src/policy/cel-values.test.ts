import { describe, expect, it } from 'vitest';

import type { Principal } from '../vocabulary/principal.ts';
import { argumentsValue, namesOf, principalValue } from './cel-values.ts';
import { readCondition } from './condition.ts';

const principal = (claims: Readonly<Record<string, unknown>>, over: Partial<Principal> = {}): Principal =>
  ({ issuer: 'https://a.example', subject: 'ada', scopes: ['s'], claims, ...over }) as Principal;

function ask(
  text: string,
  bindings: { readonly principal?: unknown; readonly call?: unknown },
): boolean | string {
  const reading = readCondition(text);
  if (!reading.ok) throw new Error(reading.says);
  const held = reading.condition.evaluate({ principal: null, call: null, route: null, ...bindings } as never);
  return held.holds || held.says;
}

const asked = (text: string, claims: Readonly<Record<string, unknown>>, over?: Partial<Principal>) =>
  ask(text, { principal: principalValue(principal(claims, over)) });
const faultOf = (given: unknown, names: readonly string[] = []): string => {
  const read = argumentsValue(given, namesOf(names));
  return 'fault' in read ? read.fault : 'ok';
};
const given = (text: string, value: unknown): boolean | string => {
  const read = argumentsValue(value, namesOf([]));
  if ('fault' in read) return read.fault;
  return ask(text, { call: new Map(Object.entries({ arguments: read.value })) });
};

describe('who asks', () => {
  it('is what the token says, and what it doesn’t say isn’t there', () => {
    expect(asked('principal.issuer == "https://a.example" && principal.subject == "ada"', {})).toBe(true);
    expect(asked('principal.scopes == ["s"]', {})).toBe(true);
    expect(asked('has(principal.client)', {})).toBe("isn't true");
    expect(asked('principal.client == "editor"', {}, { clientId: 'editor' })).toBe(true);
    expect(asked('has(principal.email)', { email_verified: true })).toBe("isn't true");
    const inherited = Object.create({ email_verified: true }) as Record<string, unknown>;
    expect(asked('has(principal.email)', inherited, { email: 'a@b' })).toBe("isn't true");
    const verified = { email_verified: true };
    expect(asked('has(principal.email)', verified, { email: 'a@b' })).toBe(true);
    for (const email of ['a\uff20b', 'a@b@c', 'a', 'a\uff20b@c'])
      expect(asked('has(principal.email)', verified, { email })).toBe("isn't true");
    for (const text of ['principal.client != "x"', 'principal.email != "x"'])
      expect(asked(text, {})).toMatch(/: there is no (?:client|email)$/);
  });

  it('has claims of every kind of JSON', () => {
    const claims = { t: 'x', n: 2 ** 60, h: 1.5, b: false, z: null, o: { p: { q: [1, 2] } }, l: [] };
    for (const text of [
      'c.t == "x"',
      'c.h == 1.5',
      'c.b == false',
      'c.z == null',
      'c.o.p.q[1] == 2',
      'size(c.l) == 0',
      'c.n > 2.0',
      'size(c) == 7',
    ])
      expect(asked(text.replaceAll(/\bc\b/g, 'principal.claims'), claims)).toBe(true);
  });

  it.each<[unknown, boolean]>([
    [['a', 'b'], true],
    [[1, 2], true],
    [[['a'], []], true],
    [[{}, {}], true],
    [['a', 1], false],
    [[null], false],
    [[null, null], false],
    [[['a'], {}], false],
    [['a', null], false],
    [[true, 'a'], false],
  ])('has the list %j, if all of it is of one kind: %s', (list, isUsable) => {
    const told = asked('size(principal.claims.list) > 0', { list });
    expect(told).toBe(
      isUsable || "can't be worked out at column 28: a list of the token has members of different kinds",
    );
  });

  it('has claims within bounds', () => {
    const fault = /the claims: larger than a condition may look at$/;
    const items = (count: number) => ({ a: Array.from({ length: count - 1 }, () => 1) });
    expect(asked('has(principal.claims.a)', items(10_000))).toBe(true);
    expect(asked('has(principal.claims.a)', items(10_001))).toMatch(fault);
    const text = (length: number) => ({ a: 'x'.repeat(length - 1) });
    expect(asked('has(principal.claims.a)', text(256 * 1024))).toBe(true);
    expect(asked('has(principal.claims.a)', text(256 * 1024 + 1))).toMatch(fault);
    expect(asked('has(principal.claims.a)', { a: '\ud800' })).toMatch(
      /the claims: a text that UTF-8 cannot hold$/,
    );
  });

  it('lacks what the token names as being elsewhere, and nothing where it names nothing', () => {
    const out = (claims: Readonly<Record<string, unknown>>, name = 'groups') =>
      asked(`has(principal.claims.${name})`, claims);
    const said = (name: string) =>
      `can't be worked out at column 1: the token leaves the claim ${name} out, because it would be too long`;
    expect(out({ _claim_names: { groups: 'a', roles: 'b' } }, 'roles')).toBe(said('roles'));
    expect(out({ hasgroups: true, _claim_names: { roles: 'b' } })).toBe(said('groups'));
    expect(out({ hasgroups: true, _claim_names: { roles: 'b' } }, 'roles')).toBe(said('roles'));
    for (const claims of [{ _claim_names: 'groups' }, { _claim_names: null }, { hasgroups: 'true' }, {}])
      expect(out(claims)).toBe("isn't true");
  });
});

describe('the arguments of a call', () => {
  it('are an object, or none', () => {
    expect(given('size(call.arguments) == 0', undefined)).toBe(true);
    expect(
      given('call.arguments.a.b[0] == "x" && call.arguments.z == null', { a: { b: ['x'] }, z: null }),
    ).toBe(true);
    expect(given('call.arguments.a[1] == null', { a: ['x', null] })).toBe(true);
    for (const none of [null, 7, 'x', [], true]) expect(faultOf(none)).toBe('the arguments are no object');
  });

  it('are looked at within bounds', () => {
    const fault = 'the arguments: larger than a condition may look at';
    expect(faultOf({ a: Array.from({ length: 1_999 }, () => 1) })).toBe('ok');
    expect(faultOf({ a: Array.from({ length: 2_000 }, () => 1) })).toBe(fault);
    expect(faultOf(Object.fromEntries(Array.from({ length: 2_001 }, (_, index) => [`${index}`, 1])))).toBe(
      fault,
    );
    expect(faultOf({ a: 'x'.repeat(64 * 1024 - 1) })).toBe('ok');
    expect(faultOf({ a: 'x'.repeat(64 * 1024) })).toBe(fault);
    expect(faultOf({ ['x'.repeat(64 * 1024 + 1)]: 1 })).toBe(fault);
  });

  it('hold numbers that all languages read alike, and texts that are such', () => {
    for (const number of [2 ** 53 - 1, 1 - 2 ** 53, 1.5, 0]) expect(faultOf({ a: number })).toBe('ok');
    for (const number of [2 ** 53, -(2 ** 53), 1e300])
      expect(faultOf({ a: [number] })).toBe('the arguments: a whole number beyond 2^53');
    expect(faultOf({ a: '\ud800' })).toBe('the arguments: a text that UTF-8 cannot hold');
  });

  it('have no member that differs from one of a rule by case alone, in Unicode’s folding', () => {
    const fault = 'the arguments: a member differs from one that a rule reads by its case alone';
    expect(faultOf({ path: 1, other: 1 }, ['path'])).toBe('ok');
    expect(faultOf({ Path: 1 }, ['path'])).toBe(fault);
    expect(faultOf({ path: 1 }, ['Path'])).toBe(fault);
    expect(faultOf({ paſs: 1 }, ['pass'])).toBe(fault);
    expect(faultOf({ 'to\u212aen': 1 }, ['token'])).toBe(fault);
    expect(faultOf({ path: 1, Path: 1 }, ['Path', 'path'])).toBe('ok');
    expect(faultOf({ a: [{ b: { PATH: 1 } }], path: '\ud800' }, ['path'])).toBe(fault);
  });
});
