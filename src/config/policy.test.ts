import { describe, expect, it } from 'vitest';

import { formatFaults } from './faults.ts';
import { loadConfiguration } from './load.ts';

function load(text: string) {
  return loadConfiguration(text, { file: 'config.yaml', environment: {}, readFile: () => '' });
}

function withRoute(lines: string): string {
  return `publicUrl: https://mcp.example.com
authorizationServers: [{ name: corp, issuer: https://a.example }]
routes:
  - path: /mcp
    upstream: http://b
${lines.replaceAll(/^/gm, '    ')}
`;
}

function told(lines: string): string {
  const loaded = load(withRoute(lines));
  return loaded.ok ? '' : formatFaults('config.yaml', loaded.faults);
}

describe('a policy in the file', () => {
  it('becomes rules, with what is left out said', () => {
    const loaded = load(
      withRoute(`policy:
  - { name: all }
  - name: readers
    methods: [tools/call, 'vendor/*']
    tools: ['get_*', 'get_*']
    scopes: [read]
    when: >-
      principal.claims.x == 1
      && call.tool != "y"
access: optional`),
    );
    if (!loaded.ok) throw new Error(formatFaults('config.yaml', loaded.faults));
    const [route] = loaded.configuration.routes;
    expect(route?.policy).toEqual({
      hide: true,
      rules: [
        { name: 'all', scopes: [] },
        {
          name: 'readers',
          methods: ['tools/call', 'vendor/*'],
          tools: ['get_*'],
          scopes: ['read'],
          when: 'principal.claims.x == 1 && call.tool != "y"',
        },
      ],
    });
    expect(route?.authorizationServers).toHaveLength(1);
    expect(route?.isDefault).toBe(true);
    expect(loaded.configuration.weakenings).toEqual([
      { path: 'routes[0].access', says: expect.stringContaining('optional') as string },
    ]);
  });

  it('is absent where the file has none, and hides where it says so', () => {
    const plain = load(withRoute('scopes: [a]'));
    expect(plain.ok && plain.configuration.routes[0]).not.toHaveProperty('policy');
    const told403 = load(withRoute('hide: false\npolicy: [{ name: a }]'));
    expect(told403.ok && told403.configuration.routes[0]?.policy?.hide).toBe(false);
  });

  it.each([
    ['policy: []', 6, 'routes[0].policy', 'a list of at least one rule with a name'],
    ['policy: [{}]', 6, 'routes[0].policy[0].name', 'a name'],
    ['policy: [{ name: a, tool: [x] }]', 6, 'routes[0].policy[0].tool', 'did you mean tools?'],
    ['policy: [{ name: a, tools: [] }]', 6, 'routes[0].policy[0].tools', 'at least one pattern'],
    ['policy: [{ name: a, tools: get_* }]', 6, 'routes[0].policy[0].tools', 'a list of at least one pattern'],
    ["policy: [{ name: a, tools: [' x'] }]", 6, 'routes[0].policy[0].tools[0]', 'a pattern of at most 256'],
    ["policy: [{ name: a, methods: [''] }]", 6, 'routes[0].policy[0].methods[0]', 'a pattern of at most 256'],
    ["policy: [{ name: a, scopes: ['a b'] }]", 6, 'routes[0].policy[0].scopes[0]', 'a scope of RFC 6749'],
    ["policy: [{ name: 'a\"' }]", 6, 'routes[0].policy[0].name', 'a name of at most 100'],
    [
      'policy:\n  - { name: a }\n  - { name: b }\n  - { name: a }',
      9,
      'routes[0].policy[2].name',
      'the name "a", which policy[0] has as well',
    ],
    [
      'policy:\n  - name: a\n    methods: [prompts/get]\n    tools: [x]\n    prompts: [y]',
      9,
      'routes[0].policy[0].tools',
      'found tools beside methods that have none, expected methods with tools/call, or none',
    ],
    [
      "policy: [{ name: a, methods: ['tasks/*'], resources: [x] }]",
      6,
      'routes[0].policy[0].resources',
      'expected methods with resources/read, or none',
    ],
    [
      'policy: [{ name: a, methods: [tools/call, prompts/get], tools: [x] }]',
      6,
      'routes[0].policy[0].methods[1]',
      'found prompts/get beside tools, expected prompts too, or a rule of its own',
    ],
    [
      'access: open\npolicy: [{ name: a, scopes: [x] }]',
      7,
      'routes[0].policy[0].scopes',
      'scopes in a rule of an open route',
    ],
    ['access: optional', 4, 'routes[0].policy', 'policy, which says what callers without a token may do'],
    [
      'access: optional\nscopes: [x]\npolicy: [{ name: a }]',
      7,
      'routes[0].scopes',
      'the scopes in the rules that need them, or access: required',
    ],
    ['hide: true', 6, 'routes[0].hide', 'hide on a route without policy'],
    ['policy:\n  - name: a\n    when: "eng" in principal.claims.groups', 8, '', ''],
    [
      `policy:\n  - name: a\n    when: '"eng" in principal.claims.groups and true'`,
      8,
      'routes[0].policy[0].when',
      'expected a CEL condition without a fault at its column 34',
    ],
    [
      `policy:\n  - name: a\n    when: |\n      "eng" in principal.claims.groups &&\n      usr.x == 1`,
      8,
      'routes[0].policy[0].when',
      'expected a CEL condition without a fault at its line 2, column 1\n    there is no usr, only principal, call, route',
    ],
    ["policy: [{ name: a, when: ' ' }]", 6, 'routes[0].policy[0].when', 'a CEL condition'],
  ])('%j is a fault in line %i, at %s (P1, C1)', (lines, line, path, says) => {
    const text = told(lines);
    expect(text).toContain(`config.yaml:${line}:`);
    expect(text).toContain(path);
    expect(text).toContain(says);
  });

  it.each([
    "policy: [{ name: a, methods: ['*'], tools: [x] }]",
    'policy: [{ name: a, methods: [completion/complete, logging/setLevel], prompts: [x] }]',
    'policy: [{ name: a, methods: [vendor/run], scopes: [] }]',
    'access: open\npolicy: [{ name: a, tools: [x] }]',
    'access: optional\nchallengeScopes: [x]\npolicy: [{ name: a, scopes: [x] }]',
  ])('%j is none', (lines) => {
    expect(told(lines)).toBe('');
  });
});
