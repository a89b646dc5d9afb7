/** What can be a condition, and what is said of a text that can't. */
import { describe, expect, it } from 'vitest';

import { readCondition } from './condition.ts';

const domain = "a domain is compared whole: principal.email.endsWith('@example.com')";
const grown = 'map and filter are not offered; exists, all and exists_one are';

describe('a text that is no condition', () => {
  it.each([
    ['user == 1', '1:1 there is no user, only principal, call, route'],
    ['x.y', '1:1 there is no x, only principal, call, route'],
    ['principal', '1:1 principal as a whole; it has issuer, subject, client, scopes, email, claims'],
    ['principal == "ada"', '1:1 principal as a whole; it has issuer, subject, client, scopes, email, claims'],
    ['"a" != principal', '1:8 principal as a whole; it has issuer, subject, client, scopes, email, claims'],
    ['principal < null', '1:1 principal as a whole; it has issuer, subject, client, scopes, email, claims'],
    ['route == null', '1:1 route as a whole; it has name, tenant'],
    ['principal.mail == 1', '1:10 principal has issuer, subject, client, scopes, email, claims, and no mail'],
    ['call.x', '1:5 call has method, tool, prompt, resource, arguments, and no x'],
    ['route["x"]=="a"', '1:6 route has name, tenant, and no x'],
    ['principal[call.tool] == 1', '1:10 principal has issuer, subject, client, scopes, email, claims'],
    ['now()', '1:1 there is no function now'],
    ['size(call.tool,1)==1', '1:1 size with 2 arguments'],
    ['contains("a","b")', '1:1 contains with 2 arguments'],
    ['matches(call.tool, "a")', '1:1 matches with 2 arguments'],
    ['call.tool.size(1)==1', '1:10 size with a target and 1 arguments'],
    ['"a".startsWith()', '1:4 startsWith with a target and 0 arguments'],
    ['principal.scopes.filter(s, true)', `1:17 ${grown}`],
    ['principal.scopes.map(s, s)', `1:17 ${grown}`],
    ['principal.scopes.exists(route, true)', '1:17 route stands for something else already'],
    ['principal.scopes.all(s, s == t)', '1:30 there is no t, only principal, call, route'],
    ['principal.scopes.all(s, s == "x") && s == 1', '1:38 there is no s, only principal, call, route'],
    ['call.tool.matches(call.prompt)', '1:10 matches needs its pattern as a text'],
    ['call.tool.matches(1)', '1:10 matches needs its pattern as a text'],
    ['call.tool.matches("(")', "1:10 matches with a pattern that isn't one: the pattern cannot be used"],
    ['principal.email.endsWith("corp.com")', `1:16 ${domain}`],
    ['principal.email.endsWith("corp.com@")', `1:16 ${domain}`],
    ['principal.email.endsWith(call.tool)', `1:16 ${domain}`],
    ['principal.email.contains("a")', `1:16 ${domain}`],
    ['principal.email.contains("@a")', `1:16 ${domain}`],
    ['a.b{x: 1} == 1', '1:1 a message of Protocol Buffers'],
    ['{foo: 1} == 1', '1:2 there is no foo, only principal, call, route'],
    ['{"a": foo} == 1', '1:7 there is no foo, only principal, call, route'],
    ['[principal.subject, bar] == []', '1:21 there is no bar, only principal, call, route'],
    ['call.tool.startsWith(bar)', '1:22 there is no bar, only principal, call, route'],
    ['bar.startsWith("a")', '1:1 there is no bar, only principal, call, route'],
    ['principal.claims[bar] == 1', '1:18 there is no bar, only principal, call, route'],
    ['bar.exists(b, true)', '1:1 there is no bar, only principal, call, route'],
    ['true ? 1', '1:6 found ? but expecting end of input'],
    ['a b', '1:3 found b but expecting end of input'],
  ])('%s: %s', (text, says) => {
    const reading = readCondition(text);
    expect(reading.ok ? 'ok' : `${reading.line}:${reading.column} ${reading.says}`).toBe(says);
  });
});

describe('a condition', () => {
  it.each([
    ['null == principal', 'principal', ''],
    ['principal != null', 'principal', ''],
    ['principal.email.startsWith("a")', 'principal principal.email', 'email a'],
    ['principal.email.endsWith("@a")', 'principal principal.email', 'email @a'],
    ['principal.subject.contains("x")', 'principal principal.subject', 'subject x'],
    ['principal.subject.endsWith("x")', 'principal principal.subject', 'subject x'],
    [
      'principal.claims.people.exists(one, one.email.contains("x"))',
      'principal principal.claims',
      'people claims email x',
    ],
    ['principal.claims.email.contains("x")', 'principal principal.claims', 'email claims x'],
    ['call.tool.contains("x")', 'call call.tool', 'tool x'],
    ['call.tool.endsWith("x")', 'call call.tool', 'tool x'],
    ['call.tool[0] == "x"', 'call call.tool', 'tool x'],
    ['principal.claims["a"] == "b"', 'principal principal.claims', 'claims a b'],
    ['principal["subject"] == "b"', 'principal principal.subject', 'subject b'],
    ['principal.claims[call.tool] == 1', 'principal principal.claims call call.tool', 'claims tool'],
    ['has(principal.claims.a.b)', 'principal principal.claims', 'b a claims'],
    ['{"a": route.name} == {"b": call.tool}', 'route route.name call call.tool', 'a name b tool'],
    ['[route.name, "z"] == []', 'route route.name', 'name z'],
    ['call.arguments.exists_one(k, k == "x")', 'call call.arguments', 'arguments x'],
    [
      'principal.scopes.exists(s, s in principal.claims.x)',
      'principal principal.scopes principal.claims',
      'scopes x claims',
    ],
    ['type(principal.scopes) == list', 'principal principal.scopes', 'scopes'],
    ['true && (1 == 1 ? true : !false) || -1 == 2', '', ''],
  ])('%s reads %s and names %s', (text, reads, names) => {
    const reading = readCondition(text);
    if (!reading.ok) throw new Error(reading.says);
    expect([...reading.condition.reads].join(' ')).toBe(reads);
    expect([...reading.condition.names].join(' ')).toBe(names);
  });

  it.each('int uint double bool string bytes list map null_type type'.split(' '))(
    'knows the type %s',
    (type) => {
      expect(readCondition(`type(call.arguments) == ${type}`).ok).toBe(true);
    },
  );

  it('may have 500 parts and 2000 characters', () => {
    const parts = `${'true||'.repeat(249)}true`;
    expect(readCondition(parts).ok).toBe(true);
    expect(readCondition(`${parts}||true`)).toMatchObject({ says: 'more than 500 parts' });
    const long = `"${'x'.repeat(1991)}" == ""`;
    expect(readCondition(`${long} `).ok).toBe(true);
    expect(readCondition(`${long}   `)).toMatchObject({ column: 2001, says: 'more than 2000 characters' });
  });
});
