import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { formatFaults } from '../faults.ts';
import { loadConfiguration } from '../load.ts';

const store = 'tokenStore: { directory: tokens, key: { env: KEY } }';
const environment = {
  KEY: randomBytes(32).toString('base64'),
  SHORT: 'too short',
  SECRET: 'secret',
  REDIS: 'redis://r',
};

function told(oauth: string, { top = store, route = '' } = {}): string {
  const upstream = `upstream: { url: 'https://u.example/mcp', credentials: { oauth: { ${oauth} } } }`;
  const text = `publicUrl: https://mcp.example.com\nauthorizationServers: [{ issuer: https://a.example }]\nroutes:\n  - { path: /mcp${route}, ${upstream} }\n${top}\n`;
  const loaded = loadConfiguration(text, { file: '/etc/p/config.yaml', environment, readFile: () => '' });
  return loaded.ok ? 'fine' : formatFaults('config.yaml', loaded.faults);
}

describe('logins at an upstream', () => {
  it.each([
    'scope: shared',
    'scope: user',
    'scope: shared, clientId: gate',
    'scope: shared, clientId: gate, clientSecret: { env: SECRET }',
    'scope: shared, clientMetadataUrl: https://mcp.example.com/client.json',
    "scope: shared, authorizationServers: [https://l.example/], allowHosts: [t.example, '[::1]'], scopes: [a, b], redirectPort: 7777",
    "scope: shared, authorizationServers: ['http://localhost:9000']",
  ])('%s is fine', (oauth) => {
    expect(told(oauth)).toBe('fine');
  });

  it('need a token store (H12)', () => {
    expect(told('scope: shared', { top: '' })).toContain(
      'tokenStore: found nothing, expected a place for logins, because routes[0] has credentials.oauth',
    );
  });

  it('are kept in a folder, or in the Redis of state (H12)', () => {
    const bare = 'tokenStore: { key: { env: KEY } }';
    expect(told('scope: shared', { top: bare })).toContain('tokenStore.directory: found nothing');
    const redis = `${bare}\nstate: { redis: { url: { env: REDIS } } }`;
    expect(told('scope: shared', { top: redis })).toBe('fine');
  });

  it('are encrypted with a key that has no default and is no password', () => {
    expect(told('scope: shared', { top: 'tokenStore: { directory: tokens }' })).toContain('tokenStore.key');
    const short = 'tokenStore: { directory: tokens, key: { env: SHORT } }';
    expect(told('scope: shared', { top: short })).toContain('found a key of 9 bytes');
  });

  it('of users need users', () => {
    const rules = ', policy: [{ name: all }]';
    for (const [route, access] of [
      [', access: open', 'open'],
      [`, access: optional${rules}`, 'optional'],
    ] as const)
      expect(told('scope: user', { route })).toContain(
        `routes[0].upstream.credentials.oauth.scope: found user on a route with access: ${access}`,
      );
    expect(told('scope: shared', { route: ', access: open' })).toBe('fine');
  });

  it.each([
    ['scope: shared, clientSecret: { env: SECRET }', 'oauth.clientId: found nothing'],
    [
      'scope: shared, clientId: gate, clientMetadataUrl: https://m.example/c',
      'found clientMetadataUrl beside clientId',
    ],
    ['clientId: gate', 'oauth.scope'],
    ['scope: everyone', 'oauth.scope'],
    ["scope: shared, authorizationServers: ['http://l.example']", 'expected an https URL'],
    [
      "scope: shared, authorizationServers: ['https://l.example/.well-known/openid-configuration']",
      'did you mean https://l.example?',
    ],
    ['scope: shared, clientMetadataUrl: https://m.example/', 'clientMetadataUrl'],
    ['scope: shared, clientMetadataUrl: http://m.example/c', 'expected an https URL'],
    ['scope: shared, redirectPort: 70000', 'oauth.redirectPort'],
    ['scope: shared, allowHosts: [https://t.example]', 'oauth.allowHosts'],
  ])('with %s are a fault', (oauth, fault) => {
    expect(told(oauth)).toContain(fault);
  });
});
