/** As Auth0 documents its two access token profiles, its opaque tokens and its OpenID Connect metadata. */
import { randomBytes, randomUUID } from 'node:crypto';
import { issuedNow, PublishedProvider, type ProvidedToken } from '../published-provider.ts';

const issuer = 'https://example.eu.auth0.com/';

export function publishedAuth0(): PublishedProvider {
  return new PublishedProvider({
    issuer,
    documents: {
      [`${issuer}.well-known/openid-configuration`]: {
        issuer,
        authorization_endpoint: `${issuer}authorize`,
        token_endpoint: `${issuer}oauth/token`,
        userinfo_endpoint: `${issuer}userinfo`,
        jwks_uri: `${issuer}.well-known/jwks.json`,
        registration_endpoint: `${issuer}oidc/register`,
        code_challenge_methods_supported: ['S256', 'plain'],
        id_token_signing_alg_values_supported: ['HS256', 'RS256', 'PS256'],
      },
      [`${issuer}.well-known/jwks.json`]: 'keys',
    },
  });
}

const person = { iss: issuer, sub: 'auth0|6553da60a54af58e29493993' };
const added = { 'https://example.com/email': 'alice@example.com', 'https://example.com/roles': ['admin'] };
const clientId = 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja';

/** The Auth0 profile, which is the default. */
export function auth0Token(over: ProvidedToken['claims'] = {}): ProvidedToken {
  return {
    header: { typ: 'JWT' },
    claims: {
      ...added,
      ...person,
      aud: ['https://mcp.example.com/mcp', `${issuer}userinfo`],
      ...issuedNow(86_400),
      scope: 'openid profile mcp:use',
      azp: clientId,
      permissions: ['mcp:use'],
      ...over,
    },
  };
}

/** The RFC 9068 profile: `client_id` and `jti`, and the type in the header. */
export function auth0Rfc9068Token(): ProvidedToken {
  const { azp: _azp, permissions: _permissions, ...claims } = auth0Token().claims;
  return { header: { typ: 'at+jwt' }, claims: { ...claims, client_id: clientId, jti: randomUUID() } };
}

export function auth0IdToken(): ProvidedToken {
  const claims = { ...person, ...issuedNow(36_000), aud: clientId, sid: randomUUID(), nonce: 'n-0S6_WzA2Mj' };
  return { header: { typ: 'JWT' }, claims };
}

/** What a client gets that names no API: a JWE whose key Auth0 alone has (an empty second segment: `dir`). */
export function auth0EncryptedToken(): string {
  const header = Buffer.from(JSON.stringify({ alg: 'dir', enc: 'A256GCM', iss: issuer })).toString(
    'base64url',
  );
  const [iv, ciphertext, tag] = [12, 240, 16].map((size) => randomBytes(size).toString('base64url'));
  return `${header}..${iv}.${ciphertext}.${tag}`;
}
