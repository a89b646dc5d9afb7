/** As Keycloak 26 publishes and issues; compared with a real one in test/long/keycloak.test.ts. */
import { randomUUID } from 'node:crypto';
import { issuedNow, PublishedProvider, type ProvidedToken } from '../published-provider.ts';
import { mintKey } from '../signing-key.ts';

export function publishedKeycloak(realm: string): PublishedProvider {
  const origin = 'https://login.example.com';
  const issuer = `${origin}/realms/${realm}`;
  const endpoints = `${issuer}/protocol/openid-connect`;
  const metadata = {
    issuer,
    authorization_endpoint: `${endpoints}/auth`,
    token_endpoint: `${endpoints}/token`,
    introspection_endpoint: `${endpoints}/token/introspect`,
    userinfo_endpoint: `${endpoints}/userinfo`,
    jwks_uri: `${endpoints}/certs`,
    registration_endpoint: `${issuer}/clients-registrations/openid-connect`,
    id_token_signing_alg_values_supported: ['PS256', 'RS256', 'EdDSA', 'ES256', 'HS256'],
    code_challenge_methods_supported: ['plain', 'S256'],
  };
  return new PublishedProvider({
    issuer,
    documents: {
      [`${origin}/.well-known/oauth-authorization-server/realms/${realm}`]: metadata,
      [`${issuer}/.well-known/oauth-authorization-server`]: metadata,
      [`${issuer}/.well-known/openid-configuration`]: metadata,
      [`${endpoints}/certs`]: 'keys',
    },
    otherKeys: [{ ...mintKey('RS256').publicJwk, alg: 'RSA-OAEP', use: 'enc' }],
  });
}

const subject = 'f2a1c0de-5b7a-4b0e-9c57-2f0a9f1d7c11';
const session = '07d6e1b3-5a9b-4ab5-8fd9-0b7a5c2f6f3e';

/** Of a person who logged in with the client `mcp-client`; without the audience mapper unless `aud` says so. */
export function keycloakAccessToken(issuer: string, over: ProvidedToken['claims'] = {}): ProvidedToken {
  return {
    header: { typ: 'JWT' },
    claims: {
      ...issuedNow(300),
      jti: `onrtac:${randomUUID()}`,
      iss: issuer,
      aud: 'account',
      sub: subject,
      typ: 'Bearer',
      azp: 'mcp-client',
      sid: session,
      acr: '1',
      'allowed-origins': ['http://127.0.0.1'],
      realm_access: { roles: ['default-roles-corp', 'offline_access', 'uma_authorization', 'mcp-operator'] },
      resource_access: { account: { roles: ['manage-account', 'view-profile'] } },
      scope: 'email mcp:use profile',
      email_verified: true,
      name: 'Alice Liddell',
      preferred_username: 'alice',
      given_name: 'Alice',
      family_name: 'Liddell',
      email: 'alice@example.com',
      ...over,
    },
  };
}

export function keycloakIdToken(issuer: string, over: ProvidedToken['claims'] = {}): ProvidedToken {
  return {
    header: { typ: 'JWT' },
    claims: {
      ...issuedNow(300),
      jti: randomUUID(),
      iss: issuer,
      aud: 'mcp-client',
      sub: subject,
      typ: 'ID',
      azp: 'mcp-client',
      sid: session,
      at_hash: 'frwyPJQx_QMgShdR8ia6EA',
      acr: '1',
      email: 'alice@example.com',
      ...over,
    },
  };
}

/** Signed with a secret of the realm's own. */
export function keycloakRefreshToken(issuer: string): ProvidedToken {
  return {
    header: { typ: 'JWT' },
    claims: {
      ...issuedNow(1800),
      jti: randomUUID(),
      iss: issuer,
      aud: issuer,
      sub: subject,
      typ: 'Refresh',
      azp: 'mcp-client',
      sid: session,
      scope: 'email mcp:use profile',
    },
  };
}
