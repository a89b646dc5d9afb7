import { describe, expect, it } from 'vitest';

import { formatFaults } from './faults.ts';
import type { Loaded } from './load.ts';
import { loadConfiguration, loadEnvironment } from './load.ts';

type Variables = Readonly<Record<string, string>>;

const servers = 'MCP_RESOURCE_SERVER_AUTHORIZATION_SERVERS';
const url = 'MCP_RESOURCE_SERVER_CANONICAL_URL';
const supported = 'MCP_RESOURCE_SERVER_SCOPES_SUPPORTED';
const challenge = 'MCP_RESOURCE_SERVER_DEFAULT_CHALLENGE_SCOPES';
const upstream = 'PORTCULLIS_UPSTREAM';

const whole: Variables = {
  [url]: 'https://mcp.example.com/team/mcp',
  [servers]: '[{"issuer":"https://login.example.com/realms/corp"}]',
  [upstream]: 'http://localhost:8000/mcp',
};

const sources = (environment: Variables) => ({
  file: '/etc/portcullis/config.yaml',
  environment,
  readFile: (path: string): string => {
    throw Object.assign(new Error(path), { code: 'ENOENT' });
  },
});

const alone = (variables: Variables): Loaded => loadEnvironment(sources(variables));
const beside = (text: string, variables: Variables): Loaded => loadConfiguration(text, sources(variables));

function configurationOf(loaded: Loaded) {
  if (!loaded.ok) throw new Error(formatFaults('config.yaml', loaded.faults));
  return loaded.configuration;
}

const told = (loaded: Loaded): readonly string[] =>
  loaded.ok
    ? []
    : formatFaults(undefined, loaded.faults)
        .split('\n')
        .filter((line) => /^\S/.test(line));

describe('the environment alone (C3)', () => {
  it('is one protected route, the same as a file with these keys gives', () => {
    const variables = { ...whole, [supported]: ' a  b a ', [challenge]: 'a' };
    const file = `
publicUrl: https://mcp.example.com
authorizationServers: [{ issuer: https://login.example.com/realms/corp }]
routes:
  - { path: /team/mcp, upstream: http://localhost:8000/mcp, scopesSupported: [a, b], challengeScopes: [a] }
`;
    // The variables name the resource, the file leaves it to its default: the texts differ, not what they mean.
    const { hash: _text, ...said } = configurationOf(beside(file, {}));
    expect(configurationOf(alone(variables))).toMatchObject(said);
  });

  it('may say of a server all that a file may say', () => {
    const [server, other] = configurationOf(
      alone({
        ...whole,
        [servers]: JSON.stringify([
          {
            name: 'corp',
            issuer: ['https://a.example', 'https://b.example'],
            audiences: ['x'],
            leeway: '30s',
          },
          { issuer: 'https://c.example', discovery: 'off', jwksUri: 'https://c.example/keys' },
        ]),
      }),
    ).authorizationServers;
    expect(server).toMatchObject({
      name: 'corp',
      issuers: ['https://a.example', 'https://b.example'],
      audiences: ['x'],
      leeway: 30,
    });
    expect(other).toMatchObject({ discovery: 'off', jwksUri: 'https://c.example/keys' });
  });

  it.each([
    ['https://mcp.example.com', '/', 'https://mcp.example.com', ''],
    ['https://mcp.example.com/', '/', 'https://mcp.example.com', ''],
    ['https://mcp.example.com/mcp?tenant=x', '/mcp', 'https://mcp.example.com/mcp?tenant=x', '/mcp?tenant=x'],
    ['https://MCP.example.com:8443/a/b', '/a/b', 'https://mcp.example.com:8443/a/b', '/a/b'],
    ['http://localhost:8080/mcp', '/mcp', 'http://localhost:8080/mcp', '/mcp'],
  ])('makes of %s the path %s and the resource %s (A18)', (given, path, resource, below) => {
    const { publicUrl, routes } = configurationOf(alone({ ...whole, [url]: given }));
    expect(routes).toMatchObject([{ path, resource, isDefault: true, access: 'required' }]);
    expect(publicUrl).toBe(new URL(given).origin);
    expect(routes[0]?.resourceMetadataUrl).toBe(`${publicUrl}/.well-known/oauth-protected-resource${below}`);
  });

  it('may leave the scopes to the authorization servers', () => {
    const live = 'from-authorization-server';
    const [route] = configurationOf(alone({ ...whole, [supported]: live, [challenge]: live })).routes;
    expect([route?.scopesSupported, route?.challengeScopes]).toEqual([live, live]);
  });

  it('names every variable that is missing, and a blank one counts as missing', () => {
    expect(told(alone({ [supported]: 'a', [upstream]: ' ' }))).toEqual([
      `${url}  found nothing, expected the URL of the route's resource, such as https://mcp.example.com/mcp`,
      `${servers}  found nothing, expected a JSON list such as [{"issuer":"https://login.example.com/realms/corp"}]`,
      `${upstream}  found nothing, expected the URL of the MCP server, such as http://localhost:8000/mcp`,
    ]);
  });

  it.each([
    ['[{}]', 'authorizationServers[0].issuer: found nothing, expected the issuer'],
    ['[{"issuer":"https://a.example"},{"name":"b"}]', 'authorizationServers[1].issuer: found nothing'],
    ['[{"issuer":7}]', 'authorizationServers[0].issuer: found 7'],
    ['[{"isuer":"https://a.example"}]', 'authorizationServers[0].isuer: found an unknown key'],
    [
      '[{"issuer":"https://a.example","algorithms":["HS256"]}]',
      'authorizationServers[0].algorithms[0]: found "HS256"',
    ],
    [
      '[{"issuer":"http://a.example"}]',
      'authorizationServers[0].issuer: found "http://a.example", expected an https URL',
    ],
    [
      '["https://a.example"]',
      'authorizationServers[0]: found a literal string, expected a mapping with an issuer',
    ],
    ['{"issuer":"https://a.example"}', 'authorizationServers: found a mapping, expected a list'],
    ['[]', 'authorizationServers: found an empty list'],
    ['null', 'authorizationServers: found nothing'],
    ['[{"issuer":"https://a.example"}', "found text that isn't JSON"],
    ["[{issuer: 'https://a.example'}]", "found text that isn't JSON"],
    [
      '[{"issuer":"https://a.example","issuer":"https://b.example"}]',
      'found JSON with a member that stands there twice',
    ],
  ])('names variable and field of a bad list of servers: %s', (text, says) => {
    const lines = told(alone({ ...whole, [servers]: text }));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line.startsWith(`${servers}  `)).toBe(true);
    expect(lines.join('\n')).toContain(`${servers}  ${says}`);
  });

  it('shows nothing of a list of servers that it cannot read, nor a secret that stands in it', () => {
    for (const text of [
      '{"clientSecret":"hunter2"',
      '[{"issuer":"https://a.example","introspection":{"clientId":"g","clientSecret":"hunter2"}}]',
    ]) {
      const faults = told(alone({ ...whole, [servers]: text })).join('\n');
      expect(faults).toContain(servers);
      expect(faults).not.toContain('hunter2');
    }
  });

  it.each([
    ['é', '"é"'],
    ['good "bad"', String.raw`"\"bad\""`],
    [String.raw`a\b`, String.raw`"a\\b"`],
    ['a\tb', String.raw`"a\tb"`],
    ['a\nb', String.raw`"a\nb"`],
    ['offline_access', '"offline_access"'],
  ])('refuses the scopes %j, and names variable and scope (A17)', (text, found) => {
    for (const [variable, key] of [
      [supported, 'scopesSupported'],
      [challenge, 'challengeScopes'],
    ] as const) {
      const lines = told(alone({ ...whole, [variable]: text }));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(new RegExp(String.raw`^${variable}  routes\[0\]\.${key}\[\d\]: found `));
      expect(lines[0]).toContain(`found ${found},`);
    }
  });

  it.each([
    ['mcp.example.com/mcp', 'expected'],
    ['http://mcp.example.com/mcp', 'expected an https URL'],
    ['https://mcp.example.com/mcp#x', 'without a fragment'],
    ['https://user:pass@mcp.example.com/mcp', 'without user name and password'],
    ['https://mcp.example.com/%zz', 'two hexadecimal digits'],
    ['https://mcp.example.com/a%20b', 'expected a path such as /mcp'],
    ['https://mcp.example.com/.well-known/mcp', 'a path outside of /.well-known'],
  ])('tells one fault of the URL %s, and names the variable (A18)', (text, says) => {
    const lines = told(alone({ ...whole, [url]: text }));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(says);
    expect(lines[0]?.startsWith(`${url}  `)).toBe(true);
    expect(lines[0]).not.toContain('pass@');
  });

  it('tells a bad upstream and bad listeners by their variables', () => {
    expect(told(alone({ ...whole, [upstream]: 'ftp://x', PORT: 'x', OPS_HOST: 'http://y' }))).toEqual([
      expect.stringMatching(/^PORT {2}found "x", expected a port/),
      expect.stringMatching(/^OPS_HOST {2}found "http:\/\/y"/),
      expect.stringMatching(/^PORTCULLIS_UPSTREAM {2}routes\[0\]\.upstream(\.url)?: found "ftp:\/\/x"/),
    ]);
    expect(told(alone({ ...whole, PORT: '9090', HOST: '127.0.0.1' }))[0]).toContain(
      'environment  ops.port: found 9090',
    );
  });
});

describe('a file beside variables (C3)', () => {
  const file = `
publicUrl: https://file.example.com
authorizationServers: [{ name: file, issuer: https://file.example }]
routes: [{ path: /file, upstream: http://file:1/mcp, scopesSupported: [f], challengeScopes: [g] }]
`;
  const all = { ...whole, [supported]: 'e', [challenge]: 'e' };

  it('wins for every key that it has, and its variables are not even read', () => {
    const expected = configurationOf(beside(file, {}));
    expect(configurationOf(beside(file, all))).toEqual(expected);
    const broken = { [url]: '%', [servers]: '{', [supported]: '"', [challenge]: 'é', [upstream]: '-' };
    expect(configurationOf(beside(file, broken))).toEqual(expected);
  });

  it('may leave keys of its one route to them', () => {
    const text = file
      .replace(', scopesSupported: [f], challengeScopes: [g]', '')
      .replace('upstream: http://file:1/mcp', 'name: x');
    const [route] = configurationOf(beside(text, all)).routes;
    expect(route).toMatchObject({
      resource: 'https://file.example.com/file',
      upstream: { url: 'http://localhost:8000/mcp' },
      scopesSupported: ['e'],
      challengeScopes: ['e'],
    });
  });

  it('may leave everything of its one route to them, and keep the rest', () => {
    const { publicUrl, listen, routes, authorizationServers } = configurationOf(
      beside('listen: { port: 1 }\nauthorizationServers: [{ issuer: https://file.example }]\n', whole),
    );
    expect([publicUrl, listen.port]).toEqual(['https://mcp.example.com', 1]);
    expect(authorizationServers).toMatchObject([{ issuers: ['https://file.example'] }]);
    expect(routes).toMatchObject([{ path: '/team/mcp', resource: 'https://mcp.example.com/team/mcp' }]);
  });

  it('with a public URL of its own leaves the path below it, and the resource, to the variable', () => {
    const under = (publicUrl: string) =>
      configurationOf(beside(`publicUrl: ${publicUrl}\n`, whole)).routes.map(({ path, resource }) => [
        path,
        resource,
      ]);
    const resource = 'https://mcp.example.com/team/mcp';
    expect(under('https://mcp.example.com')).toEqual([['/team/mcp', resource]]);
    expect(under('https://mcp.example.com/team/')).toEqual([['/team/mcp', resource]]);
    expect(under('https://mcp.example.com/team/mcp')).toEqual([['/team/mcp', resource]]);
    expect(under('http://localhost:8080')).toEqual([['/team/mcp', resource]]);
  });

  it('with several routes takes nothing of a route from them', () => {
    const routes = 'routes: [{ path: /a, upstream: http://a }, { path: /b, upstream: http://b }]\n';
    const configuration = configurationOf(beside(routes, { ...all, [supported]: 'é' }));
    expect(configuration.publicUrl).toBe('https://mcp.example.com');
    expect(configuration.routes.map(({ path, scopesSupported }) => [path, scopesSupported])).toEqual([
      ['/a', []],
      ['/b', []],
    ]);
  });

  it('tells its own faults by line, and those of a variable that it needs by name', () => {
    const lines = told(beside('publicUrl: x\nfoo: 1\n', { ...whole, [servers]: '[{}]', [supported]: 'é' }));
    expect(lines.map((line) => line.split(':', 1)[0])).toEqual([
      `${servers}  authorizationServers[0].issuer`,
      `${supported}  routes[0].scopesSupported[0]`,
      'environment  publicUrl',
      'environment  foo',
    ]);
    expect(formatFaults('config.yaml', faultsOf('publicUrl: x\n'))).toMatch(
      /^config\.yaml:1:12 {2}publicUrl: /,
    );
    function faultsOf(text: string) {
      const loaded = beside(text, whole);
      return loaded.ok ? [] : loaded.faults;
    }
  });

  it('without routes and with half a route in variables names what is missing', () => {
    const lines = told(
      beside('publicUrl: https://file.example.com\n', { [servers]: whole[servers] ?? '', [supported]: 'a' }),
    );
    expect(lines.map((line) => line.split('  ', 1)[0])).toEqual([url, upstream]);
  });

  it('that cannot be read is told alone', () => {
    expect(told(beside('', whole))).toEqual([expect.stringContaining('an empty file')]);
    expect(told(beside('- a\n', whole))).toEqual([expect.stringContaining('expected a mapping')]);
  });
});
