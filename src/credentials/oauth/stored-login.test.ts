import { describe, expect, it } from 'vitest';

import type { OauthSettings, Route } from '../../config/configuration.ts';
import { readChallenge } from './challenge-parameters.ts';
import { reachableFrom } from './configured-fetch.ts';
import { faultOfLogin, isAllowedIssuer, loginName, readLogin, registrationName } from './stored-login.ts';
import type { StoredLogin } from './stored-login.ts';

const url = 'https://mcp.example.com/mcp';
const settings: OauthSettings = {
  scope: 'shared',
  redirectPort: 0,
  authorizationServers: ['https://login.example.com'],
  allowHosts: ['tokens.example.com'],
};
const login: StoredLogin = {
  upstream: url,
  issuer: 'https://login.example.com',
  resource: url,
  client: { from: 'registration', clientId: 'r1' },
  accessToken: 'access',
};
const route = { name: 'github', upstream: { url } } as Route;

describe('a stored login', () => {
  it.each<[string, StoredLogin, string, Partial<OauthSettings>]>([
    ['another upstream', login, 'https://other.example.com/mcp', {}],
    ['another path of it', login, `${url}/`, {}],
    ['a server that is listed no more', login, url, { authorizationServers: ['https://new.example.com'] }],
    ['a client id since', login, url, { clientId: 'gate' }],
    [
      'another client id',
      { ...login, client: { from: 'configuration', clientId: 'old' } },
      url,
      { clientId: 'gate' },
    ],
    ['no client id any more', { ...login, client: { from: 'configuration', clientId: 'old' } }, url, {}],
    [
      'another metadata document',
      { ...login, client: { from: 'metadata-document', clientId: 'https://a.example/c' } },
      url,
      { clientMetadataUrl: 'https://b.example/c' },
    ],
  ])('isn’t shown with %s (H01)', (_what, kept, upstream, changed) => {
    expect(faultOfLogin(kept, upstream, { ...settings, ...changed })).toEqual(expect.any(String));
  });

  it('is shown while upstream, server and client are the same (H01)', () => {
    expect(faultOfLogin(login, url, settings)).toBe(undefined);
    const configured = { ...login, client: { from: 'configuration', clientId: 'gate' } } as const;
    expect(faultOfLogin(configured, url, { ...settings, clientId: 'gate' })).toBe(undefined);
  });

  it('has a place of its own for each route, tenant, upstream and person (H01)', () => {
    const tenant = (name: string): Route =>
      ({ ...route, tenant: { name, pattern: /x/ } }) as unknown as Route;
    const ada = { issuer: 'https://a.example', subject: 'ada' };
    const names = [
      loginName(route, undefined),
      loginName({ ...route, name: 'gitlab' }, undefined),
      loginName({ ...route, upstream: { ...route.upstream, url: `${url}2` } }, undefined),
      loginName(tenant('p1'), undefined),
      loginName(tenant('p2'), undefined),
      loginName(route, ada),
      loginName(route, { ...ada, subject: 'eve' }),
      loginName(route, { ...ada, issuer: 'https://b.example' }),
    ];
    expect(new Set(names).size).toBe(names.length);
    expect(loginName(route, { ...ada })).toBe(loginName(route, ada));
  });

  it('shares its registered client with every port of the callback, and with no other redirect or server (H01, H10)', () => {
    const at = (redirectUri: string, issuer = 'https://login.example.com'): string =>
      registrationName(route, { issuer, redirectUri });
    const one = at('http://127.0.0.1:1234/callback');
    expect(at('http://127.0.0.1:4321/callback')).toBe(one);
    expect(at('https://gate.example.com/callback')).not.toBe(one);
    expect(at('https://gate.example.com:8443/callback')).not.toBe(at('https://gate.example.com/callback'));
    expect(at('http://127.0.0.1:1234/callback', 'https://evil.example')).not.toBe(one);
  });

  it.each([
    '',
    '{}',
    'null',
    '[]',
    '{"accessToken":"x"}',
    JSON.stringify({ ...login, more: 1 }),
    JSON.stringify({ ...login, accessToken: '' }),
  ])('is none in %s (H12)', (text) => expect(readLogin(text)).toBe(undefined));
});

describe('an authorization server of an upstream', () => {
  const unlisted = { ...settings, authorizationServers: [] };

  it.each(['https://mcp.example.com', 'https://mcp.example.com/', 'https://mcp.example.com/realms/a'])(
    '%s is allowed without a list: it is at the upstream’s own origin',
    (issuer) => expect(isAllowedIssuer(issuer, url, unlisted)).toBe(true),
  );

  it.each([
    'https://login.example.com',
    'http://mcp.example.com',
    'https://mcp.example.com:8443',
    'https://mcp.example.com/?x',
    'https://mcp.example.com/\u009b2J',
    'https://MCP.example.com',
    'https://mcp.example.com@evil.example',
    'mcp.example.com',
    '',
  ])('%j is not', (issuer) => expect(isAllowedIssuer(issuer, url, unlisted)).toBe(false));

  it('is one of a list as it is written there', () => {
    expect(isAllowedIssuer('https://login.example.com', url, settings)).toBe(true);
    expect(isAllowedIssuer('https://login.example.com/', url, settings)).toBe(false);
    expect(isAllowedIssuer('https://mcp.example.com', url, settings)).toBe(false);
  });
});

describe('the way to the servers of an upstream', () => {
  const reaches = reachableFrom(url, settings);

  it.each([
    'https://mcp.example.com/.well-known/oauth-protected-resource',
    'https://login.example.com/token',
    'https://tokens.example.com/token',
    'https://tokens.example.com:8443/token',
  ])('leads to %s', (address) => expect(reaches(address)).toBe(true));

  it.each([
    'https://evil.example/token',
    'http://login.example.com/token',
    'http://tokens.example.com/token',
    'https://login.example.com.evil.example/',
    'https://login.example.com@evil.example/',
    'https://mcp.example.com:8443/',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'http://169.254.169.254/latest',
    '//login.example.com/',
    '',
  ])('doesn’t lead to %s', (address) => expect(reaches(address)).toBe(false));
});

describe('the challenge of an upstream', () => {
  it.each<[string | null, string | undefined, readonly string[] | undefined]>([
    [null, undefined, undefined],
    ['Bearer', undefined, undefined],
    ['Bearer resource_metadata="https://a.example/x"', 'https://a.example/x', undefined],
    [
      'bearer realm="a, b", Resource_Metadata = "https://a.example/x" , scope="b  a b"',
      'https://a.example/x',
      ['b', 'a'],
    ],
    [
      'Bearer error_description="resource_metadata=\\"https://evil.example\\"", resource_metadata="https://a.example/x"',
      'https://a.example/x',
      undefined,
    ],
    ['Bearer resource_metadata=https://a.example/x', 'https://a.example/x', undefined],
    [
      'Bearer resource_metadata="https://a.example/x", DPoP resource_metadata="https://evil.example"',
      'https://a.example/x',
      undefined,
    ],
    [`Bearer scope="${'x'.repeat(9000)}"`, undefined, undefined],
  ])('%s', (header, resourceMetadata, scopes) => {
    expect(readChallenge(header)).toEqual({ resourceMetadata, scopes });
  });
});
