import { describe, expect, it } from 'vitest';

import type { Principal } from '../vocabulary/principal.ts';
import { argumentsValue, namesOf, principalValue } from './cel-values.ts';
import type { Bindings } from './condition.ts';
import { readCondition } from './condition.ts';

const nothing: Bindings = { principal: null, call: null, route: null };

function principal(claims: Record<string, unknown>, more: Partial<Principal> = {}): Principal {
  const { email } = claims;
  return {
    issuer: 'https://a.example',
    subject: 'alice',
    clientId: undefined,
    email: typeof email === 'string' ? email : undefined,
    scopes: ['a', 'b'],
    claims,
    authorizationServer: 'corp',
    expiresAt: undefined,
    ...more,
  };
}

function holds(text: string, bindings: Partial<Bindings> = {}): boolean | string {
  const reading = readCondition(text);
  if (!reading.ok) throw new Error(`${reading.line}:${reading.column} ${reading.says}`);
  const held = reading.condition.evaluate({ ...nothing, ...bindings });
  return held.holds || held.says;
}

const of = (claims: Record<string, unknown>, more?: Partial<Principal>): Partial<Bindings> => ({
  principal: principalValue(principal(claims, more)),
});

describe('a condition', () => {
  it.each([
    ['principal.subject == "alice"', true],
    ['principal.issuer.startsWith("https://a.")', true],
    ['"a" in principal.scopes', true],
    ['principal.scopes.exists(s, s == "c")', "isn't true"],
    ['principal.claims.department == "eng"', true],
    ['principal.claims["https://x.example/roles"].exists(r, r.startsWith("adm"))', true],
    ['principal.claims.realm.roles[0] == "x"', true],
    ['principal.claims.level >= 3', true],
    ['principal.claims.level in [2, 3]', true],
    ['3 in principal.claims.levels', true],
    ['has(principal.client)', "isn't true"],
    ['principal.claims.tool.matches("^get_[a-z]+$")', true],
    ['principal != null', true],
    ['principal == null', "isn't true"],
    ['principal.claims.department', 'is neither true nor false'],
    ['"true"', 'is neither true nor false'],
    ['1', 'is neither true nor false'],
  ])('%s: %s', (text, expected) => {
    const claims = {
      department: 'eng',
      'https://x.example/roles': ['user', 'admin'],
      realm: { roles: ['x'] },
      level: 3,
      levels: [1, 3],
      tool: 'get_x',
    };
    expect(holds(text, of(claims))).toBe(expected);
  });

  it('of a caller without a token sees null', () => {
    expect(holds('principal == null')).toBe(true);
    expect(holds('principal != null')).not.toBe(true);
    expect(holds('principal.subject == "alice"')).not.toBe(true);
    expect(holds('!(principal.subject == "alice")')).not.toBe(true);
  });

  it('that cannot be worked out does not hold, and says where and why without a value that came in', () => {
    expect(holds('principal.claims.missing == 1', of({}))).toBe(
      "can't be worked out at column 17: there is no missing",
    );
    expect(holds('principal.subject > 5', of({}))).toMatch(
      /^can't be worked out at column 19: found no matching overload for '_>_' applied to '\(string, int\)'$/,
    );
    expect(holds('int(principal.claims.secret) > 5', of({ secret: 'hunter2' }))).toBe(
      "can't be worked out at column 1: an error in the values",
    );
    expect(holds('principal.claims[principal.claims.secret] == 1', of({ secret: 'hunter2' }))).toMatch(
      /a member is missing$/,
    );
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'finds no %s where the token has none (C-014)',
    (name) => {
      expect(holds(`has(principal.claims.${name})`, of({}))).not.toBe(true);
      expect(holds(`"${name}" in principal.claims`, of({}))).not.toBe(true);
      expect(holds(`principal.claims["${name}"] != null`, of({}))).not.toBe(true);
      const own = JSON.parse(`{"${name}":"x"}`) as Record<string, unknown>;
      expect(holds(`principal.claims["${name}"] == "x"`, of(own))).toBe(true);
    },
  );
});

it.each([
  'found no matching overload',
  'type mismatch',
  'it takes too long',
  'the list of',
  'the text is',
  'field not found: x',
])('a value that reads like “%s” isn’t told for it', (words) => {
  for (const secret of [`${words} hunter2`, `hunter2 ${words}`])
    expect(holds('int(principal.claims.secret) > 5', of({ secret }))).toBe(
      "can't be worked out at column 1: an error in the values",
    );
});

describe('membership', () => {
  it.each([
    ['1 in principal.claims.n', true],
    ['2 in principal.claims.n', "isn't true"],
    ['1.0 in [1]', true],
    ['1.5 in [1]', "isn't true"],
    ['2.0 in [1]', "isn't true"],
    ['1 in [1]', true],
    ['2 in [1]', "isn't true"],
    ['1 in [1.5]', "isn't true"],
    ['true in [false, true]', true],
    ['true in [false]', "isn't true"],
    ['["a"] in [["b"], ["a"]]', true],
    ['["a"] in [["b"]]', "isn't true"],
    ['"x" in {"x": 1}', true],
    ['"a" in "a"', true],
    ['"a" in "ab"', "isn't true"],
    ['1 in ["1"]', "can't be worked out at column 2: the list has members of different kinds"],
    ['1.5 in ["1"]', "can't be worked out at column 4: the list has members of different kinds"],
    ['true in [1]', "can't be worked out at column 5: the list has members of different kinds"],
  ])('%s: %s', (text, expected) => {
    expect(holds(text, of({ n: [1, 3] }))).toBe(expected);
  });

  it('that can’t be worked out is told with its line', () => {
    expect(holds('true &&\n principal.claims.missing == 1', of({}))).toBe(
      "can't be worked out at line 2, column 18: there is no missing",
    );
  });
});

describe('the text of a condition', () => {
  it.each([
    ['"eng" in principal.claims.groups &&& x', 1, 34, 'found &'],
    ['true &&\n  "eng" in groups', 2, 12, 'there is no groups'],
    ['', 1, 1, 'found end of input'],
    ['principal', 1, 1, 'principal as a whole'],
    ['principal.mail == "x"', 1, 10, 'and no mail'],
    ['principal["mail"] == "x"', 1, 10, 'and no mail'],
    ['call.exists(k, true)', 1, 1, 'call as a whole'],
    ['user.name == "x"', 1, 1, 'there is no user'],
    ['now() > timestamp("2027-01-01T00:00:00Z")', 1, 1, 'there is no function now'],
    ['size(call.tool, 1) == 1', 1, 1, 'size with 2 arguments'],
    ['principal.claims.groups.filter(g, g != "").size() > 0', 1, 24, 'map and filter are not offered'],
    ['principal.claims.groups.map(g, g)[0] == "x"', 1, 24, 'map and filter are not offered'],
    ['principal.claims.groups.exists(call, call == "x")', 1, 24, 'stands for something else'],
    ['call.tool.matches(call.prompt)', 1, 10, 'needs its pattern as a text'],
    ['call.tool.matches("^(a")', 1, 10, "isn't one"],
    ['principal.email.endsWith("corp.com")', 1, 16, 'a domain is compared whole'],
    ['principal.email.contains("@corp.com")', 1, 16, 'a domain is compared whole'],
    ['google.protobuf.Timestamp{seconds: 1} == principal.claims.t', 1, 1, 'Protocol Buffers'],
    ['@spend()', 1, 1, 'found @'],
    [`${'['.repeat(900)}${']'.repeat(900)} == 1`, 1, 1, 'too deeply nested'],
    [`${'true||'.repeat(300)}true`, 1, 1_489, 'more than 500 parts'],
    ['a'.repeat(2_001), 1, 2_001, 'more than 2000 characters'],
  ])('%.60s has its fault at %i:%i: %s (P1)', (text, line, column, says) => {
    const reading = readCondition(text);
    expect(reading).toMatchObject({ ok: false, line, column, says: expect.stringContaining(says) as string });
  });

  it('tells what it reads', () => {
    const reading = readCondition('has(call.arguments.force) && route.name == "x" && principal != null');
    if (!reading.ok) throw new Error(reading.says);
    expect([...reading.condition.reads].toSorted()).toEqual([
      'call',
      'call.arguments',
      'principal',
      'route',
      'route.name',
    ]);
    expect([...reading.condition.names]).toEqual(expect.arrayContaining(['force', 'name', 'x']));
  });
});

describe('what a condition costs', () => {
  const many = (size: number): Partial<Bindings> =>
    of({ groups: Array.from({ length: size }, (_, index) => `group-${index}`) });

  it('is bounded for loops within loops, after which it does not hold', () => {
    const nested = 'principal.claims.groups.all(a, principal.claims.groups.exists(b, a == b))';
    expect(holds(nested, many(20))).toBe(true);
    const began = performance.now();
    expect(holds(nested, many(2_000))).toMatch(/it takes too long$/);
    expect(performance.now() - began).toBeLessThan(1_000);
    const looked = 'principal.claims.groups.all(a, a in principal.claims.groups)';
    expect(holds(looked, many(2_000))).toMatch(/it takes too long$/);
  });

  const looped = 'principal.claims.groups.all(a, principal.claims.groups.exists(b, a == b))';
  it.each([
    `[${looped}] == [true]`,
    `[${looped}][0]`,
    `{"a": ${looped}} == {"a": true}`,
    `{${looped}: 1} == {true: 1}`,
    `{"a": ${looped}}.a`,
    `${looped} ? true : false`,
    `!(${looped}) || ${looped}`,
    `principal.scopes.all(s, ${looped})`,
  ])('is bounded for loops wherever they stand: %s', (text) => {
    expect(holds(text, many(20))).toBe(true);
    // In a key of a map the words of CEL name the value, so that they aren't told.
    expect(holds(text, many(200))).toMatch(/it takes too long$|an error in the values$/);
  });

  it('is 2000 rounds, and a text of 4096 characters to match', () => {
    const all = 'principal.claims.groups.all(g, g != "")';
    expect(holds(all, many(2_000))).toBe(true);
    expect(holds(all, many(2_001))).toMatch(/it takes too long$/);
    const match = 'principal.claims.text.matches("^a+$")';
    expect(holds(match, of({ text: 'a'.repeat(4_096) }))).toBe(true);
    expect(holds(match, of({ text: 'a'.repeat(4_097) }))).toMatch(/the text is too long to match$/);
  });

  it('is bounded for patterns', () => {
    const text = 'principal.claims.groups.exists(g, g.matches("^(a+)+$"))';
    expect(holds(text, of({ groups: ['a'.repeat(4_000) + 'b', 'aa'] }))).toBe(true);
    expect(holds(text, of({ groups: ['a'.repeat(5_000)] }))).toMatch(/the text is too long to match$/);
    expect(holds('principal.claims.groups.all(g, g.matches("^group"))', many(500))).toMatch(/too long$/);
  });

  it('begins anew with each evaluation', () => {
    const reading = readCondition('principal.claims.groups.all(g, g != "")');
    if (!reading.ok) throw new Error(reading.says);
    const bindings = { ...nothing, ...many(1_500) };
    for (let round = 0; round < 5; round += 1)
      expect(reading.condition.evaluate(bindings)).toEqual({ holds: true });
  });

  it('does not depend on the number of groups in one look', () => {
    expect(holds('"group-5000" in principal.claims.groups', many(5_001))).toBe(true);
    expect(holds('!("x" in principal.claims.groups)', many(10_001))).toMatch(
      /the claims: larger than a condition may look at$/,
    );
  });
});

describe('groups and roles of any shape (A-035)', () => {
  const isAdmin = '"admin" in principal.claims.groups';
  it.each([
    ['a list', ['ops', 'admin'], true],
    ['one text is one value', 'admin', true],
    ['a text is never split at a comma', 'admin,ops', "isn't true"],
    ['a text is never split at a space', 'admin ops', "isn't true"],
    ['a text that begins so', 'administrators', "isn't true"],
    ['an object by number', { '0': 'admin' }, "isn't true"],
    ['a list of lists', [['admin']], /the list has members of different kinds$/],
    ['a null before it', [null, 'admin'], /^can't be worked out.* members of different kinds$/],
    ['a number after it', ['admin', 7], /members of different kinds$/],
    ['an object after it', ['admin', {}], /members of different kinds$/],
    ['a number', 7, /^can't be worked out/],
    ['null', null, /^can't be worked out/],
    ['nothing', undefined, /^can't be worked out/],
    ['another case', ['Admin'], "isn't true"],
  ])('%s', (_name, groups, expected) => {
    const told = holds(isAdmin, of(groups === undefined ? {} : { groups }));
    if (expected instanceof RegExp) expect(told).toMatch(expected);
    else expect(told).toBe(expected);
  });

  it.each([
    isAdmin,
    `!(${isAdmin})`,
    'principal.claims.groups.exists(g, g == "admin")',
    '!principal.claims.groups.exists(g, g == "blocked")',
    '!has(principal.claims.groups)',
  ])('a claim that Entra ID leaves out for its size is nobody’s permission: %s', (text) => {
    for (const claims of [
      { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://x.example' } } },
      { _claim_names: { groups: 'src1' }, groups: ['admin'] },
      { hasgroups: true },
    ])
      expect(holds(text, of(claims))).toMatch(
        /^can't be worked out at column \d+: the token leaves the claim groups out, because it would be too long$/,
      );
  });

  it('a list with a null is unusable under every question', () => {
    for (const text of ['principal.claims.groups.exists(g, g == "admin")', '!has(principal.claims.groups)'])
      for (const groups of [[null, 'admin'], [null], [{}, null], [[], {}]])
        expect(holds(text, of({ groups }))).toMatch(/members of different kinds$/);
  });
});

describe('an email address (A-036)', () => {
  const isCorp = 'principal.email.endsWith("@corp.com")';
  const mail = (email: string, ...verified: readonly unknown[]): Partial<Bindings> => {
    const [said] = verified.length === 0 ? [true] : verified;
    return of({ email, ...(said === undefined ? {} : { email_verified: said }) });
  };

  it('counts where the authorization server has verified it', () => {
    expect(holds(isCorp, mail('alice@corp.com'))).toBe(true);
  });

  it.each([
    ['a@corp.com@evil.com'],
    ['a@evil.com@corp.com'],
    ['a@evil.com(@corp.com)'],
    ['"a@evil.com"@corp.com'],
    ['"a"@corp.com'],
    ['a@evil.com＠corp.com'],
    ['a＠corp.com'],
    ['a﹫evil.com@corp.com'],
    ['a@evilcorp.com'],
    ['a@corp.com.evil.com'],
    ['a@CORP.com'],
    ['a b@corp.com'],
    ['a\n@corp.com'],
    ['corp.com'],
    [''],
  ])('with a trick in it is no one’s domain: %j', (email) => {
    expect(holds(isCorp, mail(email))).not.toBe(true);
  });

  it.each([[false], ['true'], ['false'], [1], [null], [undefined]])(
    'that is verified by %j is not there',
    (verified) => {
      expect(holds(isCorp, mail('alice@corp.com', verified))).toMatch(/there is no email$/);
      expect(holds('has(principal.email)', mail('alice@corp.com', verified))).toBe("isn't true");
    },
  );
});

describe('the arguments of a call', () => {
  const names = namesOf(['path', 'force']);
  const held = (text: string, given: unknown): boolean | string => {
    const read = argumentsValue(given, names);
    if ('fault' in read) return read.fault;
    return holds(text, {
      call: new Map(Object.entries({ method: 'tools/call', arguments: read.value })) as never,
    });
  };

  it('are looked at as they are', () => {
    expect(held('call.arguments.path.startsWith("/pub/")', { path: '/pub/x', more: { Path: 1 } })).not.toBe(
      true,
    );
    expect(held('call.arguments.path.startsWith("/pub/")', { path: '/pub/x', more: [1, 'a', null] })).toBe(
      true,
    );
    expect(held('!has(call.arguments.force)', { path: 'x' })).toBe(true);
  });

  it.each([
    ['another case of a name in a rule', { Force: true }, /by its case alone$/],
    ['beside the name itself', { force: false, Force: true }, /by its case alone$/],
    ['the same deeper', { a: [{ FORCE: true }] }, /by its case alone$/],
    ['no object', ['x'], /no object$/],
    ['null', null, /no object$/],
    ['too many', { a: Array(3_000).fill(1) }, /larger than a condition may look at$/],
    ['too long', { a: 'x'.repeat(70_000) }, /larger than a condition may look at$/],
    ['a number that languages read differently', { n: 2 ** 60 }, /beyond 2\^53$/],
    ['a text without UTF-8', { a: '\ud800' }, /UTF-8/],
  ])('that could be read in another way are not looked at: %s', (_name, given, says) => {
    expect(held('!has(call.arguments.force)', given)).toMatch(says);
  });
});
