/** What docs/guides/keycloak.md says, done at a real Keycloak: its tokens through the gateway that the guide's snippet starts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { snippet, startProviderWorld } from '../integration/provider-world.ts';
import { keycloakAccessToken, publishedKeycloak } from '../support/identity-providers/keycloak.ts';
import { installKeycloak, Keycloak, type TokenAnswer } from '../support/keycloak.ts';

const { home, missing } = installKeycloak(process.env);
const leftOut = missing === undefined ? '' : ` (left out: ${missing})`;
const resource = 'https://mcp.example.com/mcp';
const client = ['mcp-client', 'not-for-production'] as const;

describe.skipIf(home === undefined)(`a real Keycloak${leftOut}`, () => {
  let keycloak: Keycloak;

  beforeAll(async () => {
    keycloak = await Keycloak.start(home ?? '');
    await setUp(keycloak);
  }, 200_000);
  afterAll(() => keycloak[Symbol.asyncDispose]());

  const yaml = (): string => snippet('keycloak').replace('https://login.example.com', keycloak.origin);
  const login = (scope: string): Promise<TokenAnswer> =>
    keycloak.token('corp', client, {
      grant_type: 'password',
      username: 'alice',
      password: 'wonderland',
      scope,
    });

  it('logs a person in whose call arrives with subject, client, scopes, email and roles', async () => {
    await using world = await startProviderWorld(yaml());
    const { access_token: token } = await login('openid mcp:use');
    const seen = await world.passes(token);
    expect(seen).toMatchObject({
      'X-Auth-Subject': claimsOf(token)['sub'],
      'X-Auth-Issuer': `${keycloak.origin}/realms/corp`,
      'X-Auth-Client-Id': 'mcp-client',
      'X-Auth-Email': 'alice@example.com',
      'X-Auth-Username': 'alice',
    });
    expect(seen['X-Auth-Scopes']?.split(' ')).toContain('mcp:use');
    expect(seen['X-Auth-Roles']?.split(',')).toContain('mcp-operator');
  });

  it('gives a service a token that passes too', async () => {
    await using world = await startProviderWorld(yaml());
    const { access_token: token } = await keycloak.token('corp', client, {
      grant_type: 'client_credentials',
      scope: 'mcp:use',
    });
    expect(await world.passes(token)).toMatchObject({
      'X-Auth-Client-Id': 'mcp-client',
      'X-Auth-Username': 'service-account-mcp-client',
    });
  });

  it('gives tokens that are refused: without the scope’s audience, an ID token, a refresh token', async () => {
    await using world = await startProviderWorld(yaml());
    const without = await login('openid');
    expect(await world.refuses(without.access_token, 'token_audience')).toContain('aud "account"');
    const { id_token: idToken = '', refresh_token: refreshToken = '' } = await login('openid mcp:use');
    await world.refuses(idToken, 'token_type');
    await world.refuses(refreshToken, 'alg_not_allowed');
  });

  it('rotates its key, and the next token passes after the cool-down (A12)', async () => {
    let aheadMs = 0;
    await using world = await startProviderWorld(yaml(), { clock: () => Date.now() + aheadMs });
    await world.passes((await login('mcp:use')).access_token);
    await keycloak.create('/realms/corp/components', {
      name: 'a newer key',
      providerId: 'rsa-generated',
      providerType: 'org.keycloak.keys.KeyProvider',
      config: { priority: ['200'], algorithm: ['RS256'] },
    });
    aheadMs = 31_000;
    await world.passes((await login('mcp:use')).access_token);
  });

  it('publishes and issues what the quick tests take for Keycloak’s', async () => {
    const stand = publishedKeycloak('corp');
    const origin = new URL(stand.issuer).origin;
    for (const path of [
      '/.well-known/oauth-authorization-server/realms/corp',
      '/realms/corp/.well-known/openid-configuration',
    ]) {
      const given = await (await stand.fetch(`${origin}${path}`, {})).text();
      const real = await (await fetch(`${keycloak.origin}${path}`)).json();
      const { id_token_signing_alg_values_supported: _algorithms, ...members } = JSON.parse(
        given.replaceAll(origin, keycloak.origin),
      ) as Record<string, unknown>;
      expect(real).toMatchObject(members);
    }
    const { access_token: token } = await login('mcp:use');
    const made = Object.keys(keycloakAccessToken(stand.issuer, { aud: [resource, 'account'] }).claims);
    expect(Object.keys(claimsOf(token)).toSorted()).toEqual(made.toSorted());
    expect(claimsOf(token)).toMatchObject({ aud: [resource, 'account'], typ: 'Bearer', azp: 'mcp-client' });
  });
});

/** The steps of the guide, by the admin API. */
async function setUp(keycloak: Keycloak): Promise<void> {
  await keycloak.create('/realms', {
    realm: 'corp',
    enabled: true,
    roles: { realm: [{ name: 'mcp-operator' }] },
    users: [
      {
        username: 'alice',
        enabled: true,
        email: 'alice@example.com',
        emailVerified: true,
        firstName: 'Alice',
        lastName: 'Liddell',
        credentials: [{ type: 'password', value: 'wonderland' }],
        realmRoles: ['default-roles-corp', 'mcp-operator'],
      },
    ],
  });
  await keycloak.create('/realms/corp/client-scopes', {
    name: 'mcp:use',
    protocol: 'openid-connect',
    attributes: { 'include.in.token.scope': 'true' },
    protocolMappers: [
      {
        name: 'audience of the gateway',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-audience-mapper',
        config: { 'included.custom.audience': resource, 'access.token.claim': 'true' },
      },
    ],
  });
  const [clientId, secret] = client;
  await keycloak.create('/realms/corp/clients', {
    clientId,
    secret,
    serviceAccountsEnabled: true,
    directAccessGrantsEnabled: true,
    webOrigins: ['http://127.0.0.1'],
    defaultClientScopes: ['acr', 'basic', 'email', 'profile', 'roles', 'web-origins'],
    optionalClientScopes: ['mcp:use'],
  });
}

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  const [, claims = ''] = token.split('.');
  return JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
}
