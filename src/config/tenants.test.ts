import { describe, expect, it } from 'vitest';

import type { Configuration } from './configuration.ts';
import { formatFaults } from './faults.ts';
import { loadConfiguration } from './load.ts';

const servers = `authorizationServers:
  - { name: login, issuer: https://login.example.com }
  - { name: other, issuer: https://other.example.com }
`;

function load(routes: string, authorizationServers = servers) {
  const text = `publicUrl: https://mcp.example.com/gw\n${authorizationServers}routes:\n${routes}\n`;
  return loadConfiguration(text, { file: '/config.yaml', environment: {}, readFile: () => '' });
}

function configurationOf(routes: string, authorizationServers?: string): Configuration {
  const loaded = load(routes, authorizationServers);
  if (!loaded.ok) throw new Error(formatFaults('config.yaml', loaded.faults));
  return loaded.configuration;
}

function faultsOf(routes: string, authorizationServers?: string): readonly string[] {
  const loaded = load(routes, authorizationServers);
  return loaded.ok ? [] : loaded.faults.map(({ path, found, expected }) => `${path}: ${found} / ${expected}`);
}

/** One route of tenants, with further keys in YAML's flow style. */
function tenantRoute(more = '', path = '/{tenant}/mcp'): string {
  return `  - { path: '${path}', upstream: 'http://b'${more === '' ? '' : `, ${more}`} }`;
}

const byIssuer = "authorizationServers: [login], tenant: { issuer: 'https://login.example.com/t/{tenant}' }";

describe('a route of tenants', () => {
  it('is a form whose texts hold the place of the tenant (W01)', () => {
    const { routes, authorizationServers } = configurationOf(tenantRoute(byIssuer));
    expect(routes[0]).toMatchObject({
      name: '/{tenant}/mcp',
      path: '/gw/{tenant}/mcp',
      resource: 'https://mcp.example.com/gw/{tenant}/mcp',
      resourceMetadataUrl: 'https://mcp.example.com/.well-known/oauth-protected-resource/gw/{tenant}/mcp',
      isDefault: false,
      tenant: { name: '{tenant}', pattern: /^(?:[a-z0-9-]{1,40})$/ },
      authorizationServers: [
        { name: 'login', tenant: '{tenant}', issuers: ['https://login.example.com/t/{tenant}'] },
      ],
    });
    expect(authorizationServers.map(({ issuers }) => issuers[0])).toEqual([
      'https://login.example.com/t/{tenant}',
      'https://other.example.com',
    ]);
  });

  it('leaves its server to the routes that take its own issuer', () => {
    const { authorizationServers } = configurationOf(
      `${tenantRoute(byIssuer)}\n  - { path: /mcp, upstream: 'http://b', authorizationServers: [login] }`,
    );
    expect(authorizationServers.map(({ name, issuers }) => [name, issuers[0]])).toEqual([
      ['login', 'https://login.example.com'],
      ['login', 'https://login.example.com/t/{tenant}'],
      ['other', 'https://other.example.com'],
    ]);
  });

  it('without an issuer takes the servers as they are', () => {
    const { routes, authorizationServers } = configurationOf(tenantRoute('tenant: { claim: org_id }'));
    expect(routes[0]?.authorizationServers).toEqual(authorizationServers);
    expect(routes[0]?.tenant).toMatchObject({ claim: 'org_id' });
  });

  it('with a fixed tenant is that one from the start (W11)', () => {
    const { routes, authorizationServers } = configurationOf(
      tenantRoute(
        "authorizationServers: [login], tenant: { fixed: console, issuer: 'https://login.example.com/t/{tenant}' }",
      ),
    );
    expect(routes[0]).toMatchObject({
      path: '/gw/console/mcp',
      resource: 'https://mcp.example.com/gw/console/mcp',
      isDefault: true,
      tenant: { name: 'console' },
      authorizationServers: [{ name: 'login', issuers: ['https://login.example.com/t/console'] }],
    });
    expect(authorizationServers[0]).toEqual(routes[0]?.authorizationServers[0]);
  });
});

const besides = (path: string, pattern = '[a-z]{1,9}'): string =>
  `${tenantRoute(`tenant: { pattern: '${pattern}' }`)}\n  - { path: '${path}', upstream: 'http://b', tenant: {} }`;
const beside = (path: string, pattern = '[a-z]{1,9}'): string =>
  besides(path, pattern).replace(', tenant: {}', '');
const server = (setting: string): string =>
  `authorizationServers: [{ name: login, issuer: https://login.example.com, ${setting} }]\n`;

describe('a fault of tenants', () => {
  it.each([
    ['a path without what a tenant is', tenantRoute(), /^routes\[0\]\.tenant: nothing/],
    ['tenants without a place', tenantRoute('tenant: {}', '/mcp'), /^routes\[0\]\.tenant: tenant beside/],
    ['an open route', tenantRoute('tenant: {}, access: open'), /tenant on an open route/],
    [
      'a fixed tenant of another form',
      tenantRoute("tenant: { pattern: '[a-z]+', fixed: p1 }"),
      /^routes\[0\]\.tenant\.fixed: "p1"/,
    ],
    [
      'a resource for all',
      tenantRoute('tenant: {}, resource: https://mcp.example.com/x'),
      /^routes\[0\]\.resource/,
    ],
    ['a default', tenantRoute('tenant: {}, default: true'), /^routes\[0\]\.default/],
    [
      'an issuer for two servers',
      tenantRoute("tenant: { issuer: 'https://login.example.com/{tenant}' }"),
      /^routes\[0\]\.tenant: 2 authorization servers/,
    ],
    [
      'an issuer for two named servers',
      tenantRoute(byIssuer.replace('[login]', '[login, other]')),
      /^routes\[0\]\.authorizationServers: 2/,
    ],
    [
      'plain http',
      tenantRoute(byIssuer.replace('https:', 'http:')),
      /^routes\[0\]\.tenant\.issuer: "http:.* an https URL$/,
    ],
    [
      'live scopes of every tenant',
      tenantRoute(`${byIssuer}, scopesSupported: from-authorization-server`),
      /^routes\[0\]\.scopesSupported/,
    ],
    [
      'nothing that tells tenants apart',
      tenantRoute('tenant: {}, audiences: [api]'),
      /^routes\[0\]\.tenant: no issuer and no claim, and audiences/,
    ],
    [
      'a header for a tenant that is not there',
      "  - { path: /mcp, upstream: 'http://b', identity: { headers: { tenant: X-T } } }",
      /^routes\[0\]\.identity\.headers\.tenant: "X-T"/,
    ],
    ['a path that a tenant could have', beside('/a/mcp'), /^routes\[1\]\.path: "\/a\/mcp"/],
    ['a path in other letters that a tenant could have', beside('/ABC/MCP'), /^routes\[1\]\.path/],
    ['the same path twice', besides('/{tenant}/mcp'), /^routes\[1\]\.path/],
    ['a path with the tenant elsewhere', besides('/a/{tenant}'), /^routes\[1\]\.path/],
    [
      'the resource of a tenant',
      beside('/x9').replace("path: '/x9'", "path: '/x9', resource: 'https://mcp.example.com/gw/acme/mcp'"),
      /^routes\[1\]\.resource: .*the resource of a tenant of routes\[0\]/,
    ],
  ])('is %s', (_what, routes, says) => {
    const faults = faultsOf(routes);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(says);
  });

  it.each([
    ['verify: { iss: false }', /^authorizationServers\[0\]\.verify\.iss: false/],
    ['requireExp: false', /^authorizationServers\[0\]\.requireExp: false/],
  ])('is %s of the server whose settings hold for their issuers', (setting, says) => {
    const faults = faultsOf(tenantRoute(byIssuer), server(setting));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(says);
  });

  it('is a server whose audiences take the place of every tenant’s resource', () => {
    expect(faultsOf(tenantRoute('tenant: {}'), server('audiences: [api]'))).toEqual([
      expect.stringMatching(/^routes\[0\]\.tenant: .*authorizationServers\[0\]\.audiences/),
    ]);
    for (const route of [tenantRoute('tenant: {}, audiences: []'), tenantRoute('tenant: { claim: org }')])
      expect(faultsOf(route, server('audiences: [api]'))).toEqual([]);
  });

  it.each([
    beside('/mcp'),
    beside('/a/other'),
    beside('/a9/mcp'),
    beside('/a.b/mcp'),
    beside('/'),
    besides('/{tenant}/other'),
    besides('/a9/{tenant}'),
    tenantRoute('tenant: { fixed: a }') +
      `\n${tenantRoute('tenant: { fixed: b }')}`.replace('path', 'name: two, path'),
    tenantRoute(`${byIssuer}, audiences: [api]`),
    tenantRoute(
      "tenant: { fixed: a }, resource: 'https://mcp.example.com/x', default: true, audiences: [api]",
    ),
    tenantRoute(byIssuer.replace('https://login.example.com', 'http://127.0.0.1')),
    tenantRoute('tenant: {}, scopesSupported: from-authorization-server'),
  ])('is none where no two can be taken for each other: %s', (routes) => {
    expect(faultsOf(routes)).toEqual([]);
  });

  it('is not told of what another fault leaves open', () => {
    for (const broken of ["pattern: '('", 'fixed: ..', 'issuer: x', "pattern: '(', fixed: a"]) {
      const faults = faultsOf(
        `${tenantRoute(`tenant: { ${broken} }`)}\n  - { path: /other, upstream: 'http://b' }`,
      );
      expect(faults).toHaveLength(1);
    }
  });
});
