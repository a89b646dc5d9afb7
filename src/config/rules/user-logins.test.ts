import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { formatFaults } from '../faults.ts';
import { loadConfiguration } from '../load.ts';

const environment = { KEY: randomBytes(32).toString('base64'), SECRET: 'a secret' };

interface Wanted {
  readonly login?: string;
  readonly scope?: string;
  readonly path?: string;
  readonly route?: string;
}

function load({ login = '[{ authorizationServer: corp, clientId: g }]', ...wanted }: Wanted) {
  const { scope = 'user', path = '/mcp', route = '' } = wanted;
  const text = `publicUrl: https://mcp.example.com
authorizationServers:
  - { name: corp, issuer: https://a.example }
  - { name: mute, issuer: https://b.example, discovery: off, jwksUri: https://b.example/keys }
tokenStore: { directory: tokens, key: { env: KEY } }
login: ${login}
routes:
  - { path: '${path}'${route}, upstream: { url: https://u.example/mcp, credentials: { oauth: { scope: ${scope} } } } }
`;
  return loadConfiguration(text, { file: '/etc/p/config.yaml', environment, readFile: () => '' });
}

function told(wanted: Wanted): string {
  const loaded = load(wanted);
  return loaded.ok ? 'fine' : formatFaults('config.yaml', loaded.faults);
}

describe('the client that finds out who logs in', () => {
  it('has a server, an id, perhaps a secret, and looks at `sub`', () => {
    const loaded = load({
      login: '[{ authorizationServer: corp, clientId: g, clientSecret: { env: SECRET } }]',
    });
    expect(loaded.ok ? loaded.configuration.login : loaded.faults).toEqual([
      {
        authorizationServer: 'corp',
        clientId: 'g',
        clientSecret: 'a secret',
        idTokenClaim: 'sub',
        accessTokenClaim: 'sub',
      },
    ]);
    expect(
      told({
        login: '[{ authorizationServer: corp, clientId: g, idTokenClaim: sub, accessTokenClaim: uid }]',
      }),
    ).toBe('fine');
  });

  it.each<[string, Wanted, string]>([
    ['of nobody', { login: '[]' }, 'login: '],
    ['as it was once planned', { login: '{ clientId: g }' }, 'a list of clients'],
    [
      'of a server that isn’t there',
      { login: '[{ authorizationServer: crop, clientId: g }]' },
      'did you mean corp?',
    ],
    [
      'of a server that isn’t asked for metadata',
      { login: '[{ authorizationServer: mute, clientId: g }]' },
      'which has discovery: off',
    ],
    [
      'twice for one server',
      { login: '[{ authorizationServer: corp, clientId: g }, { authorizationServer: corp, clientId: h }]' },
      'login[1].authorizationServer: found a second client for "corp"',
    ],
    ['where all share one login', { scope: 'shared' }, 'no route has credentials.oauth with scope: user'],
    [
      'where each tenant has an issuer',
      {
        path: '/{tenant}/mcp',
        route:
          ", authorizationServers: [corp], tenant: { pattern: '[a-z]+', issuer: 'https://a.example/{tenant}' }",
      },
      'where tenants of routes[0] have issuers of their own',
    ],
  ])('is a fault %s', (_what, wanted, fault) => {
    expect(told(wanted)).toContain(fault);
  });
});
