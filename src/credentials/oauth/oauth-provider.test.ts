import { expect, it } from 'vitest';

import type { OauthSettings, Route } from '../../config/configuration.ts';
import type { RecordStore } from '../../state/records/record-store.ts';
import { KeptLogins } from './kept-logins.ts';
import { oauthProvider } from './oauth-provider.ts';
import type { StoredLogin } from './stored-login.ts';

const upstream = 'https://mcp.example.com/mcp';
const route = { name: 'github', upstream: { url: upstream } } as Route;
const settings: OauthSettings = {
  scope: 'shared',
  clientId: 'gate',
  redirectPort: 0,
  authorizationServers: ['https://login.example.com'],
  allowHosts: [],
};
const login: StoredLogin = {
  upstream,
  issuer: 'https://login.example.com',
  resource: upstream,
  client: { from: 'configuration', clientId: 'gate' },
  accessToken: 'access-1',
  refreshToken: 'refresh-1',
  expiresAtMs: 1000,
};

/** Has another login at each look. */
function storeOf(...logins: readonly StoredLogin[]): RecordStore {
  let looks = 0;
  return {
    read() {
      const found = logins[Math.min(looks, logins.length - 1)];
      looks += 1;
      return Promise.resolve({ is: 'read', text: JSON.stringify(found), version: String(looks) });
    },
    write: () => Promise.resolve({ is: 'kept' }),
    remove: () => Promise.resolve({ is: 'kept' }),
    claim: () => Promise.resolve({ is: 'held', release: () => Promise.resolve() }),
  };
}

it.each([
  ['gate', { ok: true, headers: ['authorization', 'Bearer access-2'] }],
  ['of-another-configuration', { ok: false, refusal: { kind: 'upstream-login-needed' } }],
])(
  'a token that is found while a new one is looked for is shown where it was made by the configured client: %s (H01)',
  async (clientId, answer) => {
    const found = { ...login, client: { ...login.client, clientId }, accessToken: 'access-2' };
    const store = storeOf(login, found);
    const clock = (): number => 0;
    const provider = oauthProvider(route, settings, {
      store,
      logins: new KeptLogins(store, clock),
      clock,
      network: { fetch: () => Promise.reject(new Error('nobody is asked')) },
      observer: { upstreamTokenSought() {} },
    });
    const asked = { principal: null, route, clientToken: undefined, header: () => undefined };
    expect(await provider.credentialsFor(asked)).toMatchObject(answer);
    await provider.close?.();
  },
);
