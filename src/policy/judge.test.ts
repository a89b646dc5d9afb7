import { describe, expect, it } from 'vitest';

import type { PolicyRule, Route } from '../config/configuration.ts';
import { readMessage } from '../mcp/read-message.ts';
import type { Principal } from '../vocabulary/principal.ts';
import { createJudge } from './judge.ts';
import { type Question, questionsOf } from './question.ts';

type RuleText = Partial<PolicyRule> & { readonly name: string };

function judgeBy(rules: readonly RuleText[]): (asked: Asked) => string {
  const judge = createJudge({ rules: rules.map((rule) => ({ scopes: [], ...rule })), hide: true });
  return ({
    method = 'tools/call',
    params,
    scopes = [],
    claims = {},
    access = 'required',
    who = 'alice',
  }) => {
    const read = readMessage(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })));
    if (!read.ok) throw new Error(read.refusal.reason);
    const principal = who === null ? null : principalOf(who, scopes, claims);
    const route = { name: 'r', access } as Route;
    const verdicts = read.call.messages
      .flatMap((message) => questionsOf(message, read.value))
      .map((question) => judge(question, { principal, route }));
    return verdicts.map(({ outcome, rule }) => `${outcome} ${rule?.name ?? '-'}`).join(', ');
  };
}

interface Asked {
  readonly method?: string;
  readonly params?: unknown;
  readonly scopes?: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly access?: Route['access'];
  /** Null: nobody. */
  readonly who?: string | null;
}

function principalOf(subject: string, scopes: readonly string[], claims: object): Principal {
  const known = { issuer: 'https://a.example', subject, scopes, claims, authorizationServer: 'corp' };
  return { ...known, clientId: undefined, email: undefined, expiresAt: undefined } as Principal;
}

const tool = (name: unknown, more: Omit<Asked, 'params'> = {}): Asked => ({ params: { name }, ...more });

describe('rules', () => {
  it('may look at a call that is about nothing with a name', () => {
    const ask = judgeBy([{ name: 'tasks', methods: ['tasks/*'], when: 'call.method == "tasks/get"' }]);
    expect(ask({ method: 'tasks/get' })).toBe('admitted tasks');
    expect(ask({ method: 'tasks/list' })).toBe('denied tasks');
  });

  it('admit by the first that does, in their order (P1)', () => {
    const ask = judgeBy([
      { name: 'writers', tools: ['*'], scopes: ['write'] },
      { name: 'readers', tools: ['get_*'], scopes: ['read'] },
      { name: 'again', tools: ['get_issue'], scopes: ['read'] },
    ]);
    expect(ask(tool('get_issue', { scopes: ['read', 'write'] }))).toBe('admitted writers');
    expect(ask(tool('get_issue', { scopes: ['read'] }))).toBe('admitted readers');
    expect(ask(tool('set_issue', { scopes: ['read'] }))).toBe('scopes writers');
  });

  it('ask for the scopes of the one that needs the fewest new ones, of equals the first (A20)', () => {
    const ask = judgeBy([
      { name: 'three', tools: ['*'], scopes: ['a', 'b', 'c'] },
      { name: 'one', tools: ['*'], scopes: ['d'] },
      { name: 'another', tools: ['*'], scopes: ['e'] },
    ]);
    expect(ask(tool('x'))).toBe('scopes one');
    expect(ask(tool('x', { scopes: ['a', 'b'] }))).toBe('scopes three');
  });

  it('do not ask for scopes of one whose condition does not hold', () => {
    const ask = judgeBy([
      { name: 'admins', tools: ['*'], scopes: ['admin'], when: 'principal.subject == "root"' },
      { name: 'broken', tools: ['*'], scopes: ['admin'], when: 'principal.claims.x == 1' },
    ]);
    expect(ask(tool('x'))).toBe('denied admins');
    expect(ask(tool('x', { who: 'root' }))).toBe('scopes admins');
    expect(ask(tool('x', { who: 'root', scopes: ['admin'] }))).toBe('admitted admins');
  });

  it('deny what none of them is about', () => {
    const ask = judgeBy([{ name: 'readers', tools: ['get_*', 'echo'] }]);
    expect(ask(tool('set_x'))).toBe('denied -');
    expect(ask(tool('GET_x'))).toBe('denied -');
    expect(ask(tool('Echo'))).toBe('denied -');
    expect(ask(tool('echo'))).toBe('admitted readers');
    expect(ask(tool('get_x'.repeat(500)))).toBe('denied -');
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'know %s as a name like others (C-014)',
    (name) => {
      const ask = judgeBy([{ name: 'echo', tools: ['echo'], methods: ['tools/call', 'vendor/x'] }]);
      expect(ask(tool(name))).toBe('denied -');
      expect(ask({ method: name })).toBe('denied -');
      expect(judgeBy([{ name: 'own', tools: [name] }])(tool(name))).toBe('admitted own');
    },
  );

  it.each([
    'tools/call ',
    ' tools/call',
    'TOOLS/CALL',
    'Tools/call',
    'tools//call',
    'tools/../tools/call',
    'tools%2Fcall',
    'tools/callx',
    'rpc.discover',
    'vendor/run',
    'a'.repeat(256),
  ])('do not admit the method %.40j unless one names it (C-016)', (method) => {
    expect(judgeBy([{ name: 'all' }])({ method, params: { name: 'echo' } })).toBe('denied -');
    expect(judgeBy([{ name: 'named', methods: [method] }])({ method, params: { name: 'echo' } })).toBe(
      'admitted named',
    );
    expect(judgeBy([{ name: 'star', methods: ['*'] }])({ method })).toBe('admitted star');
  });

  it.each([
    'initialize',
    'ping',
    'server/discover',
    'tools/list',
    'prompts/list',
    'resources/list',
    'resources/templates/list',
    'notifications/initialized',
    'notifications/cancelled',
    'notifications/vendor',
  ])('need not allow %s (C-017)', (method) => {
    expect(judgeBy([{ name: 'none', tools: ['x'], when: 'false' }])({ method, who: null })).toBe(
      'admitted -',
    );
  });

  it.each([
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'p' }, argument: {} }],
    ['resources/subscribe', { uri: 'file:///a' }],
    ['resources/unsubscribe', { uri: 'file:///a' }],
    ['resources/read', { uri: 'file:///a' }],
    ['prompts/get', { name: 'p' }],
    ['logging/setLevel', { level: 'info' }],
    ['tasks/get', { taskId: 't' }],
    ['tasks/list', {}],
    ['tasks/result', { taskId: 't' }],
    ['tasks/cancel', { taskId: 't' }],
    ['tasks/update', { taskId: 't' }],
    ['subscriptions/listen', { notifications: {} }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: ['file:///a'] } }],
  ])('have to allow %s %j (C-049)', (method, params) => {
    expect(judgeBy([{ name: 'tools', tools: ['*'] }])({ method, params })).toBe('denied -');
    expect(judgeBy([{ name: 'calls', methods: ['tools/call'] }])({ method, params })).toBe('denied -');
    expect(judgeBy([{ name: 'all' }])({ method, params })).toBe('admitted all');
    expect(judgeBy([{ name: 'it', methods: [method] }])({ method, params })).toBe('admitted it');
  });

  it('about resources are about all ways to learn of one (C-049, C-050)', () => {
    const ask = judgeBy([{ name: 'public', resources: ['file:///public/*'] }]);
    const about = (uri: string): readonly Asked[] => [
      { method: 'resources/read', params: { uri } },
      { method: 'resources/subscribe', params: { uri } },
      { method: 'resources/unsubscribe', params: { uri } },
      { method: 'completion/complete', params: { ref: { type: 'ref/resource', uri } } },
      { method: 'subscriptions/listen', params: { notifications: { resourceSubscriptions: [uri] } } },
    ];
    for (const asked of about('file:///public/a')) expect(ask(asked)).toBe('admitted public');
    for (const uri of [
      'file:///etc/passwd',
      'file:///public/../etc/passwd',
      'file:///public/%2e%2e/etc',
      'FILE:///public/a',
      'file:///Public/a',
      'file:///public%2fa',
      'file://_public/a',
    ])
      for (const asked of about(uri)) expect(ask(asked)).toBe('denied -');
    const both = { notifications: { resourceSubscriptions: ['file:///public/a', 'file:///etc'] } };
    expect(ask({ method: 'subscriptions/listen', params: both })).toBe('admitted public, denied -');
  });

  it('about prompts say nothing of tools, nor the other way round', () => {
    const ask = judgeBy([{ name: 'prompts', prompts: ['x'] }]);
    expect(ask({ method: 'prompts/get', params: { name: 'x' } })).toBe('admitted prompts');
    expect(ask({ method: 'completion/complete', params: { ref: { type: 'ref/prompt', name: 'x' } } })).toBe(
      'admitted prompts',
    );
    expect(ask(tool('x'))).toBe('denied -');
  });

  it('do not admit a call that names nothing', () => {
    const ask = judgeBy([{ name: 'all', methods: ['*'] }]);
    for (const params of [undefined, {}, { name: 7 }, { name: '' }, ['echo']])
      expect(ask({ params })).toBe('denied -');
  });

  it('see a name that a meta-tool carries only in a condition (C-048)', () => {
    const ask = judgeBy([{ name: 'meta', tools: ['call_tool'], when: 'call.arguments.tool_name == "echo"' }]);
    const meta = (tool_name: unknown): Asked => ({ params: { name: 'call_tool', arguments: { tool_name } } });
    expect(ask(meta('echo'))).toBe('admitted meta');
    expect(ask(meta('drop'))).toBe('denied meta');
    expect(ask(tool('call_tool'))).toBe('denied meta');
    expect(ask({ params: { name: 'call_tool', arguments: { tool_name: 'echo', Tool_Name: 'drop' } } })).toBe(
      'denied meta',
    );
  });
});

describe('a condition of a rule', () => {
  it('sees the call and the route', () => {
    const seen = (when: string): string =>
      judgeBy([{ name: 'r', methods: ['*'], when }])({ params: { name: 'echo', arguments: { a: 1 } } });
    for (const when of [
      'call.method == "tools/call"',
      'call.tool == "echo"',
      'call.arguments.a == 1',
      '!has(call.prompt) && !has(call.resource)',
      'route.name == "r"',
      '!has(route.tenant)',
    ])
      expect(seen(when)).toBe('admitted r');
  });

  it('is not true of arguments that it cannot look at, whatever it asks', () => {
    const ask = judgeBy([
      { name: 'plain', tools: ['echo'], when: 'call.tool == "other"' },
      { name: 'unforced', tools: ['echo'], when: '!has(call.arguments.force)' },
    ]);
    const given = (args: unknown): string => ask({ params: { name: 'echo', arguments: args } });
    expect(given({})).toBe('admitted unforced');
    expect(given(undefined)).toBe('admitted unforced');
    expect(given({ force: true })).toBe('denied plain');
    for (const hostile of [{ Force: true }, ['force'], null, 'force', { a: Array(5_000).fill(0) }])
      expect(given(hostile)).toBe('denied plain');
  });

  it('is not true either of a call whose arguments it cannot look at, where it asks whether there are any', () => {
    const ask = judgeBy([
      { name: 'bare', tools: ['echo'], when: '!has(call.arguments) || !has(call.arguments.x)' },
    ]);
    expect(ask({ params: { name: 'echo', arguments: {} } })).toBe('admitted bare');
    expect(ask({ params: { name: 'echo', arguments: { X: 1 } } })).toBe('denied bare');
  });

  it('compares names of arguments with those alone that conditions on arguments have', () => {
    const ask = judgeBy([
      { name: 'claims', tools: ['x'], when: 'principal.claims.Force == 1' },
      { name: 'args', tools: ['x'], when: '!has(call.arguments.other)' },
    ]);
    expect(ask({ params: { name: 'x', arguments: { force: 1 } } })).toBe('admitted args');
  });

  it('on the call is worked out for each call of one principal', () => {
    const rule = { name: 'echo', tools: ['*'], scopes: [], when: 'call.tool == "echo" && principal != null' };
    const judge = createJudge({ rules: [rule], hide: true });
    const asker = {
      principal: principalOf('alice', [], {}),
      route: { name: 'r', access: 'required' } as Route,
    };
    const outcomes = ['echo', 'other', 'echo'].map(
      (target) => judge({ method: 'tools/call', kind: 'tool', target, arguments: {} }, asker).outcome,
    );
    expect(outcomes).toEqual(['admitted', 'denied', 'admitted']);
  });

  it('is worked out once for each principal where it reads nothing else, and apart for each', () => {
    const ask = judgeBy([{ name: 'eng', tools: ['*'], when: '"eng" in principal.claims.groups' }]);
    for (const groups of [['eng'], ['ops'], ['eng']])
      expect(ask(tool('x', { claims: { groups } }))).toBe(
        groups[0] === 'eng' ? 'admitted eng' : 'denied eng',
      );
  });
});

describe('a caller without a token', () => {
  const rules: readonly RuleText[] = [
    { name: 'open', tools: ['open'] },
    { name: 'greeting', tools: ['hello'], when: 'principal == null' },
    { name: 'scoped', tools: ['scoped'], scopes: ['use'] },
    { name: 'staff', tools: ['staff'], when: 'principal.claims.staff == true' },
    { name: 'never', tools: ['never'], when: 'call.tool == "other"' },
  ];

  it.each([
    ['open', 'admitted open', 'admitted open'],
    ['hello', 'admitted greeting', 'admitted greeting'],
    ['scoped', 'login scoped', 'denied scoped'],
    ['staff', 'login staff', 'denied staff'],
    ['never', 'denied never', 'denied never'],
    ['unknown', 'denied -', 'denied -'],
  ])('of %s gets "%s" on an optional route, "%s" on an open one (A23)', (name, optional, open) => {
    const ask = judgeBy(rules);
    expect(ask(tool(name, { who: null, access: 'optional' }))).toBe(optional);
    expect(ask(tool(name, { who: null, access: 'open' }))).toBe(open);
  });

  it('isn’t anyone who shows one on an optional route', () => {
    const ask = judgeBy(rules);
    const asked = (name: string): string => ask(tool(name, { who: 'alice', access: 'optional' }));
    expect(['open', 'scoped', 'staff', 'never'].map(asked)).toEqual([
      'admitted open',
      'scopes scoped',
      'denied staff',
      'denied never',
    ]);
  });

  it('isn’t told to log in for a rule that holds of nobody', () => {
    const ask = judgeBy([{ name: 'never', tools: ['x'], scopes: ['a'], when: 'call.tool == "y"' }]);
    expect(ask(tool('x', { who: null, access: 'optional' }))).toBe('denied never');
  });

  it('is told to log in rather than that no one may', () => {
    const ask = judgeBy([
      { name: 'never', tools: ['x'], when: 'call.tool == "y"' },
      { name: 'in', tools: ['x'], scopes: ['a'] },
    ]);
    expect(ask(tool('x', { who: null, access: 'optional' }))).toBe('login in');
  });
});

it('fifty rules are asked only where they are about the call', () => {
  const rules = Array.from({ length: 50 }, (_, index) => ({
    name: `r${index}`,
    tools: [`tool_${index}`, `p${index}_*`],
  }));
  const ask = judgeBy([...rules, { name: 'last', tools: ['*'], scopes: ['all'] }]);
  expect(ask(tool('tool_49'))).toBe('admitted r49');
  expect(ask(tool('p7_x'))).toBe('admitted r7');
  expect(ask(tool('other', { scopes: ['all'] }))).toBe('admitted last');
});

describe('what the log is told (P3)', () => {
  const said = (
    rules: readonly RuleText[],
    question: Partial<Question>,
    over: Partial<Asked> = {},
  ): string => {
    const { scopes = [], access = 'required', who = 'alice' } = over;
    const judge = createJudge({ rules: rules.map((rule) => ({ scopes: [], ...rule })), hide: true });
    const verdict = judge(
      { method: 'tools/call', kind: 'tool', target: 'x', arguments: undefined, ...question },
      {
        principal: who === null ? null : principalOf(who, scopes, {}),
        route: { name: 'r', access } as Route,
      },
    );
    return verdict.outcome === 'admitted' ? 'admitted' : `${verdict.outcome}: ${verdict.says}`;
  };
  const writers = { name: 'writers', tools: ['x'], scopes: ['a', 'b'] };

  it('is what the nearest rule lacks', () => {
    expect(said([], {})).toBe('denied: no rule is about tools/call of x');
    expect(said([], { method: 'vendor/x', kind: undefined, target: '' })).toBe(
      'denied: no rule is about vendor/x',
    );
    expect(said([writers], {})).toBe('scopes: rule writers lacks a b');
    expect(said([writers], {}, { scopes: ['a'] })).toBe('scopes: rule writers lacks b');
    expect(said([writers], {}, { who: null, access: 'open' })).toBe('denied: rule writers lacks a b');
    expect(said([writers], {}, { who: null, access: 'optional' })).toBe('login: rule writers needs a login');
    expect(said([{ ...writers, when: 'false' }], {}, { scopes: ['a', 'b'] })).toBe(
      "denied: the condition of rule writers isn't true",
    );
    expect(said([{ name: 'args', when: 'has(call.arguments.y)' }], { arguments: 7 })).toBe(
      "denied: the condition of rule args can't be worked out: the arguments are no object",
    );
  });

  it('is of the rule that needs the fewest further scopes, and never of a denied one beside it', () => {
    const denied = { name: 'never', tools: ['*'], when: 'false' };
    const one = { name: 'one', tools: ['*'], scopes: ['c'] };
    expect(said([denied, writers, one], {})).toBe('scopes: rule one lacks c');
    expect(said([writers, denied], {})).toBe('scopes: rule writers lacks a b');
    expect(said([{ ...writers, when: 'false' }, denied], {})).toBe(
      "denied: the condition of rule writers isn't true",
    );
    expect(said([denied, { ...denied, name: 'second' }], {})).toBe(
      "denied: the condition of rule never isn't true",
    );
  });

  it('says of a prompt and a resource by the same words', () => {
    expect(
      said([{ name: 'p', prompts: ['x'], when: 'call.prompt == "y"' }], {
        method: 'prompts/get',
        kind: 'prompt',
      }),
    ).toBe("denied: the condition of rule p isn't true");
    const when = 'call.prompt == "x" && call.arguments.a == 1 && call.method == "prompts/get"';
    expect(
      said([{ name: 'p', prompts: ['x'], when }], {
        method: 'prompts/get',
        kind: 'prompt',
        arguments: { a: 1 },
      }),
    ).toBe('admitted');
    const read = { method: 'resources/read', kind: 'resource', target: 'x:a', arguments: { a: 1 } } as const;
    expect(said([{ name: 'p', when: 'call.resource == "x:a" && !has(call.tool)' }], read)).toBe('admitted');
    expect(said([{ name: 'p', when: 'has(call.arguments)' }], read)).toBe(
      "denied: the condition of rule p isn't true",
    );
  });

  it('is a defect where a condition passed the checks that is none', () => {
    expect(() => said([{ name: 'p', when: 'x' }], {})).toThrow(
      'a condition passed the checks: there is no x, only principal, call, route',
    );
  });
});

it('a condition sees the tenant of the route, each time', () => {
  const when = 'principal.subject == "ada" && route.tenant == "acme" && route.name == "t"';
  const rule = { name: 'r', scopes: [], when };
  const principal = principalOf('ada', [], {});
  const judge = createJudge({ rules: [rule], hide: true });
  const ask = (tenant: string): string =>
    judge(
      { method: 'tools/call', kind: 'tool', target: 'x', arguments: undefined },
      { principal, route: { name: 't', access: 'required', tenant: { name: tenant } } as Route },
    ).outcome;
  expect([ask('acme'), ask('globex'), ask('acme')]).toEqual(['admitted', 'denied', 'admitted']);
});
