import { describe, expect, it } from 'vitest';
import type { PolicyRule, Route } from '../config/configuration.ts';
import type { ListName } from '../vocabulary/answer-filter.ts';
import type { Principal } from '../vocabulary/principal.ts';
import { createJudge } from './judge.ts';
import { createListFilter } from './list-filter.ts';

type RuleText = Partial<PolicyRule> & { readonly name: string };

const principal: Principal = {
  issuer: 'https://login.example.com',
  subject: 'ada',
  clientId: undefined,
  email: undefined,
  scopes: ['read'],
  claims: { groups: ['eng'] },
  authorizationServer: 'corp',
  expiresAt: undefined,
};

function shown(
  rules: readonly RuleText[],
  list: ListName,
  names: readonly string[],
  who: Principal | null = principal,
): readonly string[] {
  const judge = createJudge({ rules: rules.map((rule) => ({ scopes: [], ...rule })), hide: true });
  const filter = createListFilter(judge);
  const route = {
    name: 'tools',
    access: who === null ? 'optional' : 'required',
    scopes: [],
  } as unknown as Route;
  return names.filter((name) => filter.shows(list, name, { principal: who, route }));
}

describe('a list shows (P2)', () => {
  it('what a rule for the use of it admits, by name and method', () => {
    const rules = [
      { name: 'a', tools: ['get_*', 'put'] },
      { name: 'b', prompts: ['hello'] },
      { name: 'c', methods: ['resources/subscribe'], resources: ['file:///subscribed'] },
      { name: 'd', methods: ['resources/*'], resources: ['file:///public/*'] },
    ];
    expect(shown(rules, 'tools', ['get_a', 'put', 'puts', 'Put', 'hello', ''])).toEqual(['get_a', 'put']);
    expect(shown(rules, 'prompts', ['hello', 'put'])).toEqual(['hello']);
    expect(
      shown(rules, 'resources', [
        'file:///public/a',
        'file:///subscribed',
        'file:///public/../etc',
        'file:///public/%2e%2e/etc',
      ]),
    ).toEqual(['file:///public/a']);
    expect(
      shown(rules, 'resourceTemplates', [
        'file:///{p}',
        'file:///public/{p}',
        'file:///public/../{p}',
        'file:///etc/{p}',
        'db://{x}',
      ]),
    ).toEqual(['file:///{p}', 'file:///public/{p}']);
    expect(shown([{ name: 'all' }], 'resourceTemplates', ['db://{x}'])).toEqual(['db://{x}']);
    expect(shown([{ name: 'tools', tools: ['*'] }], 'resourceTemplates', ['db://{x}'])).toEqual([]);
  });

  it('tools by any name, and prompts whose arguments aren’t known yet', () => {
    expect(shown([{ name: 'a', tools: ['*'] }], 'tools', ['a/../b', 'a\u0000'])).toEqual([
      'a/../b',
      'a\u0000',
    ]);
    const rule = { name: 'a', prompts: ['*'], when: 'call.arguments.x == "1" && call.prompt != "no"' };
    expect(shown([rule], 'prompts', ['yes', 'no'])).toEqual(['yes']);
  });

  it('what lacks only scopes or a login', () => {
    const rules = [
      { name: 'a', tools: ['put'], scopes: ['write'] },
      { name: 'b', tools: ['drop'], when: 'principal.subject == "bob"' },
    ];
    expect(shown(rules, 'tools', ['put', 'drop', 'x'])).toEqual(['put']);
    expect(shown(rules, 'tools', ['put', 'drop', 'x'], null)).toEqual(['put', 'drop']);
  });

  it.each([
    ['call.arguments.stage == "test"', true],
    ['call.arguments.stage == "test" && "eng" in principal.claims.groups', true],
    ['call.arguments.stage == "test" && "ops" in principal.claims.groups', false],
    ['"ops" in principal.claims.groups && call.arguments.stage == "test"', false],
    ['"ops" in principal.claims.groups || call.arguments.stage == "test"', true],
    [
      '("ops" in principal.claims.groups || call.arguments.a) && (route.name == "x" || call.arguments.b)',
      true,
    ],
    ['("ops" in principal.claims.groups || call.arguments.a) && route.name == "x"', false],
    ['!has(call.arguments.force)', true],
    ['size(call.arguments) == 0', true],
    ['call.arguments.all(name, name != "force") && principal.subject == "bob"', false],
    ['principal.claims.groups.exists(group, group == call.arguments.group)', true],
    ['call.tool == "deploy" && call.arguments.dry', true],
    ['call.tool == "other" && call.arguments.dry', false],
    ['call.arguments.dry ? false : false', true],
    ['principal.subject == "bob" || call.arguments.a && principal.subject == "bob"', false],
    ['principal.client == "x" && call.arguments.dry', false],
  ])('a tool under the condition %s: %s, for its arguments are not known yet', (when, expected) => {
    expect(shown([{ name: 'a', tools: ['deploy'], when }], 'tools', ['deploy'])).toEqual(
      expected ? ['deploy'] : [],
    );
  });

  it.each([
    ['call.resource.startsWith("file:///a/")', true],
    ['call.resource == "file:///a/b"', true],
    ['call.resource.startsWith("file:///a/") && principal.subject == "bob"', false],
    ['call.method == "resources/read"', true],
    ['call.method == "resources/subscribe"', false],
  ])('a template under the condition %s: %s, for its URI is not known yet', (when, expected) => {
    const found = shown([{ name: 'a', resources: ['file:///*'], when }], 'resourceTemplates', [
      'file:///a/{x}',
    ]);
    expect(found).toEqual(expected ? ['file:///a/{x}'] : []);
  });

  it('a resource by its URI, which is known', () => {
    const rule = { name: 'a', resources: ['file:///*'], when: 'call.resource.startsWith("file:///a/")' };
    expect(shown([rule], 'resources', ['file:///a/b', 'file:///b'])).toEqual(['file:///a/b']);
  });
});
