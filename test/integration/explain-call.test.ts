/** P4: `portcullis explain` says of a call what the gateway says, by which rule, and what the nearer rules lacked. */
import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AskedCall } from '../../src/commands/asked-call.ts';
import { explain } from '../../src/commands/explain.ts';
import { ask as send, startWorld, type World } from './world.ts';

const rules = `
    policy:
      - { name: readers, tools: ['get_*'], prompts: [hello], resources: ['file:///public/*'] }
      - { name: own, tools: [keep_own], when: 'call.arguments.owner == principal.subject' }
      - { name: writers, tools: ['set_*'], scopes: [write, audit] }
      - { name: operators, tools: [set_all], scopes: [write], when: '"ops" in principal.claims.groups' }
      - { name: levels, methods: [logging/setLevel] }`;

let world: World;
let yaml: string;

beforeAll(async () => {
  world = await startWorld({
    yaml: ({ issuer, upstream, publicUrl }) => {
      yaml = `publicUrl: ${publicUrl}
authorizationServers:
  - { name: corp, issuer: '${issuer.url}', audiences: [test], claims: { scopes: [permissions, scope] } }
routes:
  - name: tools
    path: /mcp
    scopes: [use]
    upstream: '${upstream.url}'${rules}
  - name: docs
    path: /docs
    access: optional
    upstream: '${upstream.url}'${rules}
  - name: free
    path: /free
    access: open
    upstream: '${upstream.url}'
    policy: [{ name: all, tools: ['get_*'] }]
  - { name: plain, path: /plain, upstream: '${upstream.url}' }
`;
      return yaml;
    },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const nothing: AskedCall = {
  method: undefined,
  tool: undefined,
  prompt: undefined,
  resource: undefined,
  arguments: undefined,
};

interface Asked {
  readonly configuration?: string;
  readonly route?: string;
  readonly call: Partial<AskedCall>;
  readonly token?: string;
  readonly claims?: unknown;
  /** What the file of arguments holds. */
  readonly args?: string;
}

async function explained({ configuration = yaml, route = 'tools', call, token, claims, args }: Asked) {
  const files: Record<string, string | undefined> = {
    'gateway.yaml': configuration,
    token,
    claims: typeof claims === 'string' ? claims : JSON.stringify(claims),
    args,
  };
  let [out, err] = ['', ''];
  const code = await explain(
    {
      tokenFile: token === undefined ? undefined : 'token',
      claimsFile: claims === undefined ? undefined : 'claims',
      call: { ...nothing, ...(args === undefined ? {} : { arguments: 'args' }), ...call },
      routeName: route,
      tenant: undefined,
      configurationFile: 'gateway.yaml',
    },
    {
      out: (written) => (out += written),
      err: (written) => (err += written),
      environment: {},
      readFile: (path) => {
        const found = files[path];
        if (found === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
        return found;
      },
      readStandardInput: async () => 'unread',
    },
    { clock: Date.now },
  );
  const lines = [...out.matchAll(/^ {2}(ok|FAIL|-) +(\S+) +(.*)$/gm)];
  return {
    code,
    out,
    err,
    rules: lines.filter(([, , check]) => check === 'rule').map(([, mark, , says]) => `${mark} ${says}`),
  };
}

const token = (scope: string, claims: Record<string, unknown> = {}): string =>
  world.issuer.token({ claims: { scope, aud: 'test', ...claims } });

describe('a call that a rule admits (P4)', () => {
  it('names the rule, and what each one before it lacked', async () => {
    const {
      code,
      out,
      rules: told,
    } = await explained({
      call: { tool: 'set_all' },
      claims: { sub: 'ada', scope: 'use write', groups: ['ops'] },
    });
    expect({ code, told }).toEqual({
      code: 0,
      told: [
        `- readers isn't about tools/call of "set_all"`,
        `- own isn't about tools/call of "set_all"`,
        'FAIL writers lacks audit',
        'ok operators admits it',
      ],
    });
    expect(out).toContain('allowed by rule operators: subject "ada" of ');
    expect(out).toContain('taken as if a token had held');
  });

  it.each<[string, Asked]>([
    [
      'by its arguments',
      { call: { tool: 'keep_own' }, args: '{"owner":"ada"}', claims: { sub: 'ada', permissions: ['use'] } },
    ],
    ['of a prompt', { call: { prompt: 'hello' }, claims: { sub: 'ada', scope: 'use' } }],
    ['of a resource', { call: { resource: 'file:///public/a' }, claims: { sub: 'ada', scope: 'use' } }],
    [
      'of a completion',
      { call: { method: 'completion/complete', prompt: 'hello' }, claims: { sub: 'a', scope: 'use' } },
    ],
    [
      'of a subscription',
      {
        call: { method: 'subscriptions/listen', resource: 'file:///public/a' },
        claims: { sub: 'a', scope: 'use' },
      },
    ],
    ['of a method', { call: { method: 'logging/setLevel' }, claims: { sub: 'ada', scope: 'use' } }],
    ['by nobody on an optional route', { route: 'docs', call: { tool: 'get_x' } }],
    [
      'by anyone on an open route, whatever the claims',
      { route: 'free', call: { tool: 'get_x' }, claims: {} },
    ],
  ])('is found %s', async (_name, asked) => {
    const { code, out } = await explained(asked);
    expect(code).toBe(0);
    expect(out).toMatch(/allowed by rule (readers|own|levels|all): /);
  });

  it('needs no rule where none is needed, or where the route has none', async () => {
    const claims = { sub: 'ada', scope: 'use' };
    const list = await explained({ call: { method: 'tools/list' }, claims });
    expect([list.code, list.out]).toEqual([0, expect.stringMatching(/ok +call +tools\/list needs no rule/)]);
    const plain = await explained({ route: 'plain', call: { tool: 'anything' }, claims });
    expect([plain.code, plain.out]).toEqual([0, expect.stringContaining('the route has no rules')]);
  });
});

describe('a call that is refused (P4)', () => {
  it.each<[reason: string, rule: string | null, path: string, asked: Asked]>([
    ['scope_insufficient', 'writers', '/mcp', { call: { tool: 'set_x' } }],
    ['call_denied', 'own', '/mcp', { call: { tool: 'keep_own' }, args: '{"owner":"eve"}' }],
    ['call_denied', null, '/mcp', { call: { tool: 'drop_all' } }],
    ['call_denied', null, '/mcp', { call: { resource: 'file:///public/../etc' } }],
    ['login_needed', 'writers', '/docs', { route: 'docs', call: { tool: 'set_x' } }],
    ['no_credentials', null, '/mcp', { call: { tool: 'get_x' } }],
  ])(
    'for %s, nearest %s, gets the status, challenge and rule of the gateway',
    async (reason, rule, target, asked) => {
      const scope = 'use audit write'
        .split(' ')
        .slice(0, reason === 'scope_insufficient' ? 2 : 1)
        .join(' ');
      const isKnown = reason !== 'login_needed' && reason !== 'no_credentials';
      const shown = isKnown ? { token: token(scope) } : {};
      const { code, out } = await explained({ ...asked, ...shown });
      const { tool: name, resource: uri } = asked.call;
      const params = { name, uri, arguments: JSON.parse(asked.args ?? '{}') as unknown };
      const method = name === undefined ? 'resources/read' : 'tools/call';
      const answer = await send(world.gateway.port, {
        target,
        ...shown,
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      });
      const id = answer.header('x-request-id')[0];
      const event = await world.gateway.auditEvent((candidate) => candidate.requestId === id);
      expect([event.reason, event['rule'] ?? null]).toEqual([reason, rule]);
      expect(code).toBe(3);
      const by = rule === null ? '' : ` by rule ${rule}`;
      expect(out).toContain(`\ndenied${by}. The client gets ${answer.status}; log and audit say ${reason}\n`);
      for (const challenge of answer.header('www-authenticate'))
        expect(out).toContain(`  www-authenticate: ${challenge}\n`);
      if (reason === 'call_denied') expect(out).toContain(`  ${answer.body.toString()}\n`);
    },
  );

  it('says what each rule that is about it lacked', async () => {
    const { rules: told } = await explained({
      call: { tool: 'set_all' },
      claims: { sub: 'ada', scope: 'use', groups: ['dev'] },
    });
    expect(told.slice(2)).toEqual([
      'FAIL writers lacks write audit',
      "FAIL the condition of rule operators isn't true",
      `- levels isn't about tools/call of "set_all"`,
    ]);
  });

  it('for its message says which', async () => {
    const { code, out } = await explained({
      call: { method: 'm'.repeat(300) },
      claims: { sub: 'ada', scope: 'use' },
    });
    expect([code, out]).toEqual([3, expect.stringMatching(/FAIL +call +method\n/)]);
  });

  it('for the route’s scopes comes to no rule', async () => {
    const { code, out, rules: told } = await explained({ call: { tool: 'get_x' }, claims: { sub: 'ada' } });
    expect({ code, told }).toEqual({ code: 3, told: [] });
    expect(out).toContain('the route needs use; granted: none');
  });

  it('with a bad token comes to no rule either', async () => {
    const {
      code,
      out,
      rules: told,
    } = await explained({
      call: { tool: 'get_x' },
      token: token('use', { aud: 'https://elsewhere.example' }),
    });
    expect({ code, told }).toEqual({ code: 3, told: [] });
    expect(out).toContain('log and audit say token_audience');
  });

  it('moves no cursor of the terminal by its name', async () => {
    const { out } = await explained({ call: { tool: 'x\u001b[2J' }, claims: { sub: 'ada', scope: 'use' } });
    expect(out).not.toMatch(/[^\n\P{Cc}]/u);
  });
});

it('the example of the guide is what the command prints (P4)', async () => {
  const read = (path: string): string => readFileSync(new URL(`../../docs/${path}`, import.meta.url), 'utf8');
  const shown = /^\$ portcullis explain .*--tool create_issue\n([^]*?)^```$/m.exec(read('guides/policy.md'));
  const { out } = await explained({
    configuration: read('snippets/policy-read-and-write.yaml'),
    route: 'tracker',
    call: { tool: 'create_issue' },
    claims: { sub: 'ada', scope: 'tracker:use' },
  });
  expect(out).toBe(shown?.[1]);
});

describe('a question that makes no sense (P4)', () => {
  const claims = { sub: 'ada', scope: 'use' };
  it.each<[string, Asked]>([
    ['give one of --tool, --prompt and --resource', { call: { tool: 'a', prompt: 'b' }, claims }],
    ['give --method, or one of', { call: {}, args: '{}', claims }],
    ['the arguments are no JSON', { call: { tool: 'a' }, args: '{', claims }],
    ['ENOENT', { call: { tool: 'a', arguments: 'gone' }, claims }],
    ['no object of JSON', { call: { tool: 'a' }, claims: '[1]' }],
    ['no object of JSON', { call: { tool: 'a' }, claims: '{"sub":"a","sub":"b"}' }],
    ['have no sub', { call: { tool: 'a' }, claims: { scope: 'use' } }],
    [
      'none of the issuers of route tools',
      { call: { tool: 'a' }, claims: { ...claims, iss: 'https://x.example' } },
    ],
    ['there is no route "nope"', { route: 'nope', call: { tool: 'a' }, claims }],
  ])('is wrong usage: %s', async (words, asked) => {
    const { code, out, err } = await explained(asked);
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err).toContain(words);
  });
});
