import { describe, expect, it } from 'vitest';

import { loadConfiguration } from './load.ts';

/** What is told of a route with these keys, in YAML's flow style. */
function told(route: string): readonly string[] {
  const text = `publicUrl: https://mcp.example.com
authorizationServers: [{ issuer: https://login.example.com }]
routes: [{ name: tools, path: /mcp, upstream: 'http://b', ${route} }]
`;
  const loaded = loadConfiguration(text, { file: 'x.yaml', environment: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.configuration.ineffective.map(({ path, says }) => `${path}: ${says}`);
}

const policy = (...rules: readonly string[]): string => `policy: [${rules.join(', ')}]`;

describe('what a file says in vain', () => {
  it('is nothing in a policy that has none of it', () => {
    expect(
      told(
        `scopes: [use], scopesSupported: [use, write], challengeScopes: [use], ${policy(
          "{ name: readers, tools: ['get_*'] }",
          "{ name: writers, tools: ['set_*'], scopes: [write] }",
          '{ name: own, methods: [vendor/x, logging/setLevel] }',
          `{ name: some, tools: [x], when: 'principal != null && call.arguments.a == "b"' }`,
        )}`,
      ),
    ).toEqual([]);
  });

  it('is a rule behind one that admits all of it', () => {
    expect(told(policy('{ name: all }', '{ name: few, tools: [x], scopes: [a] }'))).toEqual([
      'routes[0].policy[1]: rule few decides nothing: rule all before it admits all that it admits',
    ]);
  });

  it.each([
    ['"false"', '', "isn't true"],
    ['"1 > 2"', '', "isn't true"],
    ['principal == null', '', "isn't true"],
    ['principal == null', 'access: optional, ', undefined],
    ['principal != null', 'access: optional, ', undefined],
    ['principal != null', 'access: open, ', "isn't true"],
    [
      '"ops" in principal.claims.groups',
      'access: open, ',
      "can't be worked out at column 11: found no matching overload",
    ],
    ['route.name == "other"', '', "isn't true"],
    ['route.name == "tools"', '', undefined],
    ['route.tenant == "a"', '', "can't be worked out at column 6: there is no tenant"],
    ['call.tool == "x"', '', undefined],
    ['"ops" in principal.claims.groups', '', undefined],
  ])('is a rule with the condition %s on a route with %j: %s', (when, keys, says) => {
    const text = when.startsWith('"') && !when.includes(' in ') ? when.slice(1, -1) : when;
    const found = told(`${keys}${policy(`{ name: r, tools: [x], when: '${text}' }`)}`);
    if (says === undefined) expect(found).toEqual([]);
    else {
      expect(found).toHaveLength(1);
      expect(found[0]).toContain('routes[0].policy[0].when: rule r admits nothing: its condition ');
      expect(found[0]).toContain(says.slice(0, 20));
    }
  });

  it('is a rule for nobody that needs scopes', () => {
    const rule = "{ name: r, tools: [x], scopes: [a], when: 'principal == null' }";
    expect(told(`access: optional, ${policy(rule)}`)).toHaveLength(1);
  });

  it.each([
    ['tools/list', 'needs no rule and is always admitted'],
    ['notifications/cancelled', 'needs no rule and is always admitted'],
    ['tools/cal', 'is no method of MCP; did you mean tools/call?'],
    ['Tools/Call', 'is no method of MCP; did you mean tools/call?'],
    ['tools/x*', 'no method of MCP is of that pattern'],
    ['tasks/subscribe_all', 'no method of MCP is of that pattern'],
  ])('is the method %s', (method, says) => {
    const found = told(policy(`{ name: r, methods: [tools/call, '${method}'] }`));
    expect(found).toEqual([expect.stringContaining(says)]);
    expect(found[0]).toMatch(/^routes\[0\]\.policy\[0\]\.methods\[1\]: rule r names /);
  });

  it.each(['vendor/x', 'vendor/*', '*', 'tools/*'])('is not the method %s', (method) => {
    expect(told(policy(`{ name: r, methods: ['${method}'] }`))).toEqual([]);
  });

  it('is a scope that is not among those that the route says are supported', () => {
    const rules = policy('{ name: r, tools: [x], scopes: [write, use] }');
    const says = "isn't among scopesSupported, so that nobody knows who offers it";
    expect(told(`scopes: [us], challengeScopes: [us, all], scopesSupported: [use], ${rules}`)).toEqual([
      `routes[0].scopes: the scope us ${says}`,
      `routes[0].challengeScopes: the scope us ${says}`,
      `routes[0].challengeScopes: the scope all ${says}`,
      `routes[0].policy[0].scopes: the scope write ${says}`,
    ]);
    expect(told(`scopes: [use], scopesSupported: ['api://x/use', 'api://x/write'], ${rules}`)).toEqual([]);
    expect(told(`scopes: [us], ${rules}`)).toEqual([]);
    expect(told(`scopes: [us], scopesSupported: from-authorization-server, ${rules}`)).toEqual([]);
  });
});
