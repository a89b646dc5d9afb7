import { describe, expect, it } from 'vitest';

import type { Configuration } from './configuration.ts';
import { formatFaults } from './faults.ts';
import { loadConfiguration } from './load.ts';

const file = '/etc/portcullis/config.yaml';

function load(text: string, environment: Readonly<Record<string, string>> = {}): Configuration {
  const readFile = (path: string): string => {
    throw new Error(`${path} isn't there`);
  };
  const loaded = loadConfiguration(text, { file, environment, readFile });
  if (!loaded.ok) throw new Error(formatFaults(file, loaded.faults));
  return loaded.configuration;
}

const smallest = `
publicUrl: https://mcp.example.com
authorizationServers:
  - issuer: https://login.example.com/realms/corp
routes:
  - path: /mcp
    upstream: http://localhost:8000/mcp
`;

function withRoutes(...routes: readonly string[]): string {
  return [
    'publicUrl: https://mcp.example.com/base/',
    'authorizationServers: [{ name: a, issuer: https://a.example }, { name: b, issuer: https://b.example }]',
    'routes:',
    ...routes.map((route) => `  - { upstream: "http://localhost:8000/mcp", ${route} }`),
  ].join('\n');
}

describe('the smallest file', () => {
  it('gets every default of the contract', () => {
    const server = {
      name: 'login.example.com/realms/corp',
      issuers: ['https://login.example.com/realms/corp'],
      discovery: 'auto',
      algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'],
      audiences: [],
      tokenTypes: ['at+jwt', 'jwt', 'none'],
      leeway: 0,
      requireExp: true,
      verify: { exp: true, nbf: true, iat: true, iss: true },
      claims: { clientId: ['client_id', 'azp'], scopes: ['scope', 'scp'], email: 'email' },
      allowHosts: [],
      keys: { ttl: 3_600_000, cooldown: 30_000, maxStale: 3_600_000, timeout: 5000 },
    };
    expect(load(smallest)).toEqual({
      hash: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      publicUrl: 'https://mcp.example.com',
      hosts: ['mcp.example.com'],
      listen: { host: '0.0.0.0', port: 8080, trustProxy: [] },
      ops: { host: '127.0.0.1', port: 9090 },
      log: { level: 'info', audit: 'stdout' },
      stop: { delay: 0, drain: 15_000 },
      sessions: { previous: [] },
      signing: { others: [] },
      state: 'memory',
      login: [],
      limits: {},
      authorizationServers: [server],
      routes: [
        {
          name: '/mcp',
          path: '/mcp',
          resource: 'https://mcp.example.com/mcp',
          resourceMetadataUrl: 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp',
          isDefault: true,
          access: 'required',
          authorizationServers: [server],
          scopes: [],
          challengeScopes: [],
          scopesSupported: [],
          discovery: 'on',
          origins: [],
          identity: {
            headers: {
              subject: 'X-Auth-Subject',
              issuer: 'X-Auth-Issuer',
              client: 'X-Auth-Client-Id',
              scopes: 'X-Auth-Scopes',
              email: 'X-Auth-Email',
              tenant: 'X-Auth-Tenant',
            },
            claims: [],
          },
          limits: { body: 4_194_304, streams: 1000, perPrincipal: { calls: 100, streams: 50 } },
          streams: { keepAlive: 25_000, idle: 0, closeOnExpiry: 30_000 },
          upstream: {
            url: 'http://localhost:8000/mcp',
            transport: 'streamable-http',
            sseEndpoint: 'relative',
            timeouts: { connect: 5000, headers: 900_000, idle: 0 },
            token: 'strip',
            requestHeaders: [],
            responseHeaders: [],
          },
        },
      ],
      weakenings: [],
      ineffective: [],
    });
  });

  it('shares its authorization servers with its routes, and can be changed nowhere', () => {
    const configuration = load(smallest);
    expect(configuration.routes[0]?.authorizationServers[0]).toBe(configuration.authorizationServers[0]);
    const isFrozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(isFrozen));
    expect(isFrozen(configuration)).toBe(true);
  });
});

describe('the environment', () => {
  it('wins over the file for the addresses of the listeners', () => {
    const text = `${smallest}\nlisten: { host: 127.0.0.1, port: 1 }\nops: { port: 2 }\n`;
    const { listen, ops } = load(text, { HOST: '::', PORT: '8081', OPS_HOST: '0.0.0.0', OPS_PORT: '9091' });
    expect([listen.host, listen.port, ops.host, ops.port]).toEqual(['::', 8081, '0.0.0.0', 9091]);
  });

  it('says nothing by an empty variable', () => {
    const { listen, ops } = load(smallest, { HOST: '', PORT: '', OPS_HOST: ' ', OPS_PORT: '' });
    expect([listen.host, listen.port, ops.host, ops.port]).toEqual(['0.0.0.0', 8080, '127.0.0.1', 9090]);
  });

  it.each([
    ['PORT', '80800', 'a port from 0 to 65535'],
    ['OPS_PORT', 'tcp://10.0.0.1:9090', 'enableServiceLinks: false'],
    ['HOST', 'http://x', 'an address or host name'],
  ])('is a fault with the variable named where %s is %s', (name, value, says) => {
    expect(() => load(smallest, { [name]: value })).toThrow(says);
    expect(() => load(smallest, { [name]: value })).toThrow(`${name}  found ${JSON.stringify(value)}`);
  });
});

describe('the names a request may be sent to', () => {
  it.each([
    ['https://MCP.example.com', ['mcp.example.com']],
    ['http://localhost:8080', ['localhost', '127.0.0.1', '[::1]']],
    ['http://127.0.0.1:8080', ['127.0.0.1', 'localhost', '[::1]']],
    ['https://[2001:db8::1]', ['[2001:db8::1]']],
  ])('come from the public URL %s', (publicUrl, hosts) => {
    expect(load(smallest.replace('https://mcp.example.com', publicUrl)).hosts).toEqual(hosts);
  });

  it('are those of hosts where it is given', () => {
    expect(load(`${smallest}\nhosts: [A.example, '[::1]', a.example]\n`).hosts).toEqual([
      'a.example',
      '[::1]',
    ]);
  });
});

describe('a route', () => {
  it('stands below the base path of the public URL (A18, C7)', () => {
    const [route, root] = load(withRoutes('path: /mcp/', 'path: /')).routes;
    expect([route?.name, route?.path, route?.resource]).toEqual([
      '/mcp',
      '/base/mcp',
      'https://mcp.example.com/base/mcp',
    ]);
    expect(route?.resourceMetadataUrl).toBe(
      'https://mcp.example.com/.well-known/oauth-protected-resource/base/mcp',
    );
    expect([root?.path, root?.resource]).toEqual(['/base', 'https://mcp.example.com/base']);
  });

  it('has no slash where it is the root of the host (A18)', () => {
    const [route] = load(smallest.replace('path: /mcp', 'path: /')).routes;
    expect([route?.path, route?.resource]).toEqual(['/', 'https://mcp.example.com']);
    expect(route?.resourceMetadataUrl).toBe('https://mcp.example.com/.well-known/oauth-protected-resource');
  });

  it('keeps the query of its resource in the metadata URL (A18)', () => {
    const [route] = load(
      withRoutes('path: /mcp, resource: "https://mcp.example.com/base/mcp?tenant=x"'),
    ).routes;
    expect(route?.resource).toBe('https://mcp.example.com/base/mcp?tenant=x');
    expect(route?.resourceMetadataUrl).toBe(
      'https://mcp.example.com/.well-known/oauth-protected-resource/base/mcp?tenant=x',
    );
  });

  it('takes tokens of all servers unless it names some, in the order it names them', () => {
    const [all, some, open] = load(
      withRoutes('path: /a', 'path: /b, authorizationServers: [b, a, b]', 'path: /c, access: open'),
    ).routes.map(({ authorizationServers }) => authorizationServers.map(({ name }) => name));
    expect([all, some, open]).toEqual([['a', 'b'], ['b', 'a'], []]);
  });

  it('lists each scope once, in the order it was first seen, on every surface by itself (A17)', () => {
    const [both, none, challenge, supported] = load(
      withRoutes(
        'path: /a, scopes: [x, y, x], scopesSupported: [z, y, z]',
        'path: /b',
        'path: /c, challengeScopes: [q, q]',
        'path: /d, scopesSupported: [r]',
      ),
    ).routes.map((route) => [route.scopes, route.challengeScopes, route.scopesSupported]);
    expect(both).toEqual([
      ['x', 'y'],
      ['x', 'y'],
      ['z', 'y'],
    ]);
    expect(none).toEqual([[], [], []]);
    expect(challenge).toEqual([[], ['q'], []]);
    expect(supported).toEqual([[], [], ['r']]);
  });

  it.each([
    [
      ['path: /a', 'path: /b'],
      [false, false],
    ],
    [
      ['path: /a', 'path: /b, default: true'],
      [false, true],
    ],
    [
      ['path: /a, access: open', 'path: /b'],
      [false, true],
    ],
    [['path: /a, default: false'], [false]],
    [['path: /a, access: open'], [false]],
  ])('of %j is the default as %j', (routes, expected) => {
    expect(load(withRoutes(...routes)).routes.map(({ isDefault }) => isDefault)).toEqual(expected);
  });

  it('may stand beside others with a common beginning', () => {
    const paths = ['path: /github/mcp', 'path: /gitlab/mcp', 'path: /mcp', 'path: /mcp-admin', 'path: /'];
    expect(load(withRoutes(...paths)).routes).toHaveLength(5);
  });
});

describe('the identity of a route', () => {
  it('may be told in the headers of oauth2-proxy', () => {
    const [route] = load(
      withRoutes('path: /a, identity: { preset: oauth2-proxy, headers: { client: X-Client } }'),
    ).routes;
    expect(route?.identity).toEqual({
      headers: { subject: 'X-Forwarded-User', email: 'X-Forwarded-Email', client: 'X-Client' },
      claims: [
        { header: 'X-Forwarded-Groups', claim: 'groups' },
        { header: 'X-Forwarded-Preferred-Username', claim: 'preferred_username' },
      ],
    });
  });

  it('takes a header of the preset from another claim where the route says so', () => {
    const [route] = load(
      withRoutes('path: /a, identity: { preset: oauth2-proxy, claims: { x-forwarded-groups: roles } }'),
    ).routes;
    expect(route?.identity.claims).toEqual([
      { header: 'X-Forwarded-Preferred-Username', claim: 'preferred_username' },
      { header: 'x-forwarded-groups', claim: 'roles' },
    ]);
  });
});

describe('settings of an authorization server', () => {
  it('keep issuers byte for byte, and give leeway in seconds', () => {
    const text = smallest.replace(
      'issuer: https://login.example.com/realms/corp',
      'issuer: [https://LOGIN.example.com/v2.0, https://sts.example.com/]\n    leeway: 90s\n    algorithms: [Ed25519, EdDSA, RS256]',
    );
    const [server] = load(text).authorizationServers;
    expect(server?.issuers).toEqual(['https://LOGIN.example.com/v2.0', 'https://sts.example.com/']);
    expect([server?.name, server?.leeway, server?.algorithms]).toEqual([
      'login.example.com/v2.0',
      90,
      ['EdDSA', 'RS256'],
    ]);
  });

  it('may name one server twice (A04)', () => {
    const text =
      'publicUrl: https://h.example\nauthorizationServers: [{ name: a, issuer: https://x.example }, { name: b, issuer: https://x.example }]\nroutes: [{ path: /, upstream: "http://u" }]';
    expect(load(text).authorizationServers.map(({ name }) => name)).toEqual(['a', 'b']);
  });
});

describe('what the file weakens is told (C4)', () => {
  const told = (text: string): readonly string[] => load(text).weakenings.map(({ path }) => path);

  it.each([
    [
      'verify: { exp: false, nbf: false, iat: false, iss: false }',
      ['verify.exp', 'verify.nbf', 'verify.iat', 'verify.iss'],
    ],
    ['requireExp: false', ['requireExp']],
    ['leeway: 6m', ['leeway']],
    ['leeway: 5m', []],
    ['dangerouslyAllowHttp: true', ['dangerouslyAllowHttp']],
    ['allowHosts: [keys.internal]', ['allowHosts']],
    ['allowHosts: []', []],
  ])('for a server with %s', (setting, keys) => {
    const text = smallest.replace('realms/corp\n', `realms/corp\n    ${setting}\n`);
    expect(told(text)).toEqual(keys.map((key) => `authorizationServers[0].${key}`));
  });

  it('for an open route, and for a proxy that is everyone', () => {
    expect(
      told(
        `${smallest.replace('path: /mcp', 'path: /mcp\n    access: open')}\nlisten: { trustProxy: [0.0.0.0/1] }`,
      ),
    ).toEqual(['listen.trustProxy[0]', 'routes[0].access']);
  });

  it('for audiences of a server that are good for more than one route', () => {
    const two = smallest.replace('realms/corp\n', 'realms/corp\n    audiences: [api]\n');
    const other = '  - { path: /b, upstream: "http://b"';
    expect(told(two)).toEqual([]);
    expect(told(`${two}${other} }`)).toEqual(['authorizationServers[0].audiences']);
    expect(told(`${two}${other}, audiences: [b] }`)).toEqual([]);
  });

  it('but an http issuer needs consent off loopback only', () => {
    expect(told(smallest.replace('https://login.example.com', 'http://127.0.0.1:9000'))).toEqual([]);
    expect(() => load(smallest.replace('https://login', 'http://login'))).toThrow('dangerouslyAllowHttp');
  });
});

describe('files', () => {
  it('are looked for beside the configuration', () => {
    expect(load(`${smallest}\nlog: { audit: { file: logs/audit.jsonl } }`).log.audit).toEqual({
      file: '/etc/portcullis/logs/audit.jsonl',
    });
  });
});
