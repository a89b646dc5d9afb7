/**
 * The guides of the identity providers, run: the snippet of each starts a gateway, which takes a token of the
 * form that the provider documents and refuses the ones that people send by mistake.
 */
import { describe, expect, it } from 'vitest';
import { formatFaults } from '../../src/config/faults.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import {
  auth0EncryptedToken,
  auth0IdToken,
  auth0Rfc9068Token,
  auth0Token,
  publishedAuth0,
} from '../support/identity-providers/auth0.ts';
import * as entra from '../support/identity-providers/entra.ts';
import { googleAccessToken, googleIdToken } from '../support/identity-providers/google.ts';
import {
  keycloakAccessToken,
  keycloakIdToken,
  keycloakRefreshToken,
  publishedKeycloak,
} from '../support/identity-providers/keycloak.ts';
import * as okta from '../support/identity-providers/okta.ts';
import { mintKey, type SharedSecret } from '../support/signing-key.ts';
import { snippet, startProviderWorld } from './provider-world.ts';
import { ask, json, only } from './world.ts';

const resource = 'https://mcp.example.com/mcp';

describe('Keycloak: the resource is in aud only with a mapper, azp names the client, roles lie deep', () => {
  const keycloak = publishedKeycloak('corp');
  const mapped = { aud: [resource, 'account'] };

  it('a person’s token with the audience mapper passes, roles and all', async () => {
    await using world = await startProviderWorld(snippet('keycloak'), keycloak);
    const token = keycloak.sign(keycloakAccessToken(keycloak.issuer, mapped));
    expect(await world.passes(token)).toEqual({
      'X-Auth-Subject': 'f2a1c0de-5b7a-4b0e-9c57-2f0a9f1d7c11',
      'X-Auth-Issuer': 'https://login.example.com/realms/corp',
      'X-Auth-Client-Id': 'mcp-client',
      'X-Auth-Scopes': 'email mcp:use profile',
      'X-Auth-Email': 'alice@example.com',
      'X-Auth-Username': 'alice',
      'X-Auth-Roles': 'default-roles-corp,offline_access,uma_authorization,mcp-operator',
    });
    expect(keycloak.asked.slice(0, 2)).toEqual([
      'https://login.example.com/.well-known/oauth-authorization-server/realms/corp',
      'https://login.example.com/realms/corp/protocol/openid-connect/certs',
    ]);
  });

  it('a token without the mapper, without the scope or without sub, an ID and a refresh token are refused', async () => {
    await using world = await startProviderWorld(snippet('keycloak'), keycloak);
    const access = (over: Readonly<Record<string, unknown>>): string =>
      keycloak.sign(keycloakAccessToken(keycloak.issuer, over));
    expect(await world.refuses(access({}), 'token_audience')).toBe(`aud "account", expected ${resource}`);
    expect(await world.refuses(access({ aud: undefined }), 'token_audience')).toContain('aud nothing');
    await world.refuses(access({ ...mapped, scope: 'email profile' }), 'scope_insufficient');
    await world.refuses(access({ ...mapped, sub: undefined }), 'token_subject');
    const idToken = keycloak.sign(keycloakIdToken(keycloak.issuer, mapped));
    expect(await world.refuses(idToken, 'token_type')).toContain('an ID or refresh token');
    const ofTheRealm: SharedSecret = { alg: 'HS512', secret: 'realm', kid: 'a secret' };
    const refresh = keycloak.sign(keycloakRefreshToken(keycloak.issuer), ofTheRealm);
    expect(await world.refuses(refresh, 'alg_not_allowed')).toContain('alg "HS512"');
    const otherRealm = keycloak.sign(keycloakAccessToken('https://login.example.com/realms/master', mapped));
    expect(await world.refuses(otherRealm, 'issuer_not_trusted')).toBe(
      'iss "https://login.example.com/realms/master", expected https://login.example.com/realms/corp',
    );
  });
});

describe('Microsoft Entra ID: two issuers, aud is a GUID or a URI, no RFC 8414 document', () => {
  const provider = entra.publishedEntra();
  const expected = {
    'X-Auth-Subject': 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
    'X-Auth-Client-Id': entra.client,
    'X-Auth-Scopes': 'mcp.use',
    'X-Auth-Object-Id': '44444444-4444-4444-4444-444444444444',
  };

  it('tokens of both versions pass, by the keys of one metadata document', async () => {
    await using world = await startProviderWorld(snippet('entra-id'), provider);
    expect(await world.passes(provider.sign(entra.entraV2Token()))).toEqual({
      ...expected,
      'X-Auth-Issuer': entra.issuers.v2,
      'X-Auth-Email': 'alice@example.com',
      'X-Auth-Username': 'alice@example.com',
    });
    const v1 = { ...expected, 'X-Auth-Issuer': entra.issuers.v1 };
    expect(await world.passes(provider.sign(entra.entraV1Token()))).toEqual(v1);
    expect(await world.passes(provider.sign(entra.entraV1Token({ aud: entra.api })))).toEqual(v1);
    expect(provider.asked.at(-2)).toBe(`${entra.issuers.v2}/.well-known/openid-configuration`);
    expect(provider.asked.at(-1)).toBe(
      `https://login.microsoftonline.com/${entra.tenant}/discovery/v2.0/keys`,
    );
  });

  it('asks clients for the scope by its whole name, and looks for its short one in the token', async () => {
    await using world = await startProviderWorld(snippet('entra-id'), provider);
    await world.refuses(provider.sign(entra.entraV2Token({ scp: 'openid' })), 'scope_insufficient');
    const headers = [['Host', 'mcp.example.com']] as const;
    const scope = `${resource}/mcp.use`;
    const challenged = await ask(world.gateway.port, { headers });
    expect(only(challenged, 'www-authenticate')).toContain(`scope="${scope}"`);
    const target = '/.well-known/oauth-protected-resource/mcp';
    const metadata = await ask(world.gateway.port, { method: 'GET', target, headers });
    // Entra compares `resource` with the identifier of the API that owns the scope.
    expect(json(metadata)).toMatchObject({ resource, scopes_supported: [scope] });
  });

  it('a token for Microsoft Graph, an ID token, another tenant’s and a service’s are refused', async () => {
    await using world = await startProviderWorld(snippet('entra-id'), provider);
    // Graph's tokens are signed over another header than they carry: only Graph can check them.
    const graphToken = provider
      .sign({
        ...entra.entraV1Token({ aud: entra.graph, scp: 'User.Read' }),
        header: { typ: 'JWT', nonce: 'sha' },
      })
      .split('.');
    const sent = Buffer.from(
      JSON.stringify({ typ: 'JWT', nonce: 'plain', alg: 'RS256', kid: provider.key.kid }),
    );
    graphToken[0] = sent.toString('base64url');
    await world.refuses(graphToken.join('.'), 'token_signature');
    await world.refuses(provider.sign(entra.entraIdToken({ nonce: 'n' })), 'token_type');
    expect(await world.refuses(provider.sign(entra.entraIdToken()), 'token_audience')).toBe(
      `aud "${entra.client}", expected ${entra.api} or ${resource}`,
    );
    // A client that logs in with the API's own registration gets an ID token with the API's audience.
    await world.refuses(provider.sign(entra.entraIdToken({ aud: entra.api })), 'scope_insufficient');
    await world.refuses(provider.sign(entra.entraServiceToken()), 'scope_insufficient');
    const other = `https://login.microsoftonline.com/99999999-9999-9999-9999-999999999999/v2.0`;
    await world.refuses(provider.sign(entra.entraV2Token({ iss: other })), 'issuer_not_trusted');
  });

  it('where only the issuer of version 2 is listed a token of version 1 is refused, and the log names both', async () => {
    const onlyV2 = snippet('entra-id').replace(`\n      - ${entra.issuers.v1}`, '');
    await using world = await startProviderWorld(onlyV2, provider);
    await world.passes(provider.sign(entra.entraV2Token()));
    const detail = await world.refuses(provider.sign(entra.entraV1Token()), 'issuer_not_trusted');
    expect(detail).toBe(`iss "${entra.issuers.v1}", expected ${entra.issuers.v2}`);
  });

  it('a service’s token passes where its roles count as scopes', async () => {
    const withRoles = snippet('entra-id').replace(
      '{ clientId: [azp, appid] }',
      '{ clientId: [azp, appid], scopes: [scp, roles] }',
    );
    await using world = await startProviderWorld(withRoles, provider);
    const seen = await world.passes(provider.sign(entra.entraServiceToken()));
    expect(seen).toMatchObject({ 'X-Auth-Client-Id': entra.client, 'X-Auth-Scopes': 'mcp.use' });
  });
});

describe('Okta: scp is a list, cid the client; the organisation’s own server issues for Okta alone', () => {
  it('a token of a custom authorization server passes', async () => {
    const provider = okta.publishedOkta(okta.customServer);
    await using world = await startProviderWorld(snippet('okta'), provider);
    expect(await world.passes(provider.sign(okta.oktaAccessToken()))).toEqual({
      'X-Auth-Subject': 'alice@example.com',
      'X-Auth-Issuer': 'https://example.okta.com/oauth2/default',
      'X-Auth-Client-Id': '0oa1mcpclient5d6',
      'X-Auth-Scopes': 'mcp:use openid',
      'X-Auth-Email': 'alice@example.com',
      'X-Auth-User-Id': '00u1alice5d6',
      'X-Auth-Groups': 'Everyone,Engineering%2C Berlin',
    });
  });

  it('a token of the organisation’s server and an ID token are refused, and the log says whose they are', async () => {
    const provider = okta.publishedOkta(okta.customServer);
    await using world = await startProviderWorld(snippet('okta'), provider);
    const organisation = provider.sign(okta.oktaOrganisationToken(), mintKey('RS256'));
    expect(await world.refuses(organisation, 'issuer_not_trusted')).toBe(
      'iss "https://example.okta.com", expected https://example.okta.com/oauth2/default',
    );
    await world.refuses(provider.sign(okta.oktaIdToken()), 'token_type');
    await world.refuses(provider.sign(okta.oktaAccessToken({ aud: 'api://other' })), 'token_audience');
  });

  it('the organisation’s server as issuer is a fault at the start that names the right kind', () => {
    const yaml = snippet('okta').replace('/oauth2/default', '');
    const loaded = loadConfiguration(yaml, { file: 'config.yaml', environment: {}, readFile: () => '' });
    const told = loaded.ok ? '' : formatFaults('config.yaml', loaded.faults);
    expect(told).toContain('whose access tokens only Okta can check');
    expect(told).toContain('such as https://example.okta.com/oauth2/default');
  });

  it('under a domain of the customer’s own such tokens are refused by their type', async () => {
    const own = 'https://login.example.com';
    const provider = okta.publishedOkta(okta.organisation);
    const yaml = snippet('okta').replace(okta.customServer, own).replace('api://default', own);
    const keys = `${okta.organisation}/oauth2/v1/keys`;
    await using world = await startProviderWorld(
      yaml.replace(`issuer: ${own}`, `issuer: ${own}\n    jwksUri: ${keys}`),
      provider,
    );
    const { header, claims } = okta.oktaOrganisationToken();
    const token = provider.sign({ header, claims: { ...claims, iss: own, aud: own } });
    expect(await world.refuses(token, 'token_type')).toContain('okta-internal-at+jwt');
  });
});

describe('Auth0: an issuer with a slash, custom claims that are URLs, an opaque token without an audience', () => {
  const provider = publishedAuth0();
  const expected = {
    'X-Auth-Subject': 'auth0|6553da60a54af58e29493993',
    'X-Auth-Issuer': 'https://example.eu.auth0.com/',
    'X-Auth-Client-Id': 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja',
    'X-Auth-Scopes': 'openid profile mcp:use',
    'X-Auth-Email': 'alice@example.com',
    'X-Auth-Roles': 'admin',
  };

  it('tokens of both profiles pass', async () => {
    await using world = await startProviderWorld(snippet('auth0'), provider);
    expect(await world.passes(provider.sign(auth0Token()))).toEqual(expected);
    expect(await world.passes(provider.sign(auth0Rfc9068Token()))).toEqual(expected);
  });

  it('opaque and encrypted tokens, an ID token and one of the userinfo endpoint are refused', async () => {
    await using world = await startProviderWorld(snippet('auth0'), provider);
    const notThree = 'not a JWT of three segments';
    expect(await world.refuses('nVXmN6k3oPq8zR2tY5wB1cD4fG7hJ9lM', 'token_malformed')).toContain(notThree);
    expect(await world.refuses(auth0EncryptedToken(), 'token_malformed')).toContain(notThree);
    await world.refuses(provider.sign(auth0IdToken()), 'token_type');
    const userinfo = 'https://example.eu.auth0.com/userinfo';
    expect(await world.refuses(provider.sign(auth0Token({ aud: userinfo })), 'token_audience')).toBe(
      `aud "${userinfo}", expected ${resource}`,
    );
  });

  it('an issuer without its slash is another issuer', async () => {
    const slashless = snippet('auth0').replace('auth0.com/\n', 'auth0.com\n');
    await using world = await startProviderWorld(slashless, provider);
    await world.refuses(provider.sign(auth0Token()), 'issuer_not_trusted');
    const failure = world.gateway.log.find(({ msg }) => String(msg).includes('gave no keys'));
    expect(JSON.stringify(failure)).toContain('configured is');
  });
});

describe('Google: access tokens are opaque and no one else can check them; a facade issues its own', () => {
  it('a token of the facade passes; Google’s own are refused, and Google is never asked', async () => {
    const facade = publishedKeycloak('google');
    await using world = await startProviderWorld(snippet('google'), facade);
    const claims = { aud: resource, hosted_domain: 'example.com' };
    expect(await world.passes(facade.sign(keycloakAccessToken(facade.issuer, claims)))).toEqual({
      'X-Auth-Subject': 'f2a1c0de-5b7a-4b0e-9c57-2f0a9f1d7c11',
      'X-Auth-Issuer': 'https://login.example.com/realms/google',
      'X-Auth-Client-Id': 'mcp-client',
      'X-Auth-Scopes': 'email mcp:use profile',
      'X-Auth-Email': 'alice@example.com',
      'X-Auth-Hosted-Domain': 'example.com',
    });
    expect(await world.refuses(googleAccessToken(), 'token_malformed')).toContain('not a JWT');
    const idToken = facade.sign(googleIdToken({ aud: resource }), mintKey('RS256'));
    expect(await world.refuses(idToken, 'issuer_not_trusted')).toContain('iss "https://accounts.google.com"');
    expect(new Set(facade.asked.map((url) => new URL(url).host))).toEqual(new Set(['login.example.com']));
  });
});
