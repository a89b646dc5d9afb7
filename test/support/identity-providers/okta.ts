/** As Okta documents access tokens of its custom and of its organisation authorization servers. */
import { randomUUID } from 'node:crypto';
import { issuedNow, PublishedProvider, type ProvidedToken } from '../published-provider.ts';

export const organisation = 'https://example.okta.com';
export const customServer = `${organisation}/oauth2/default`;

/** The custom authorization server `default`, or the organisation's own. */
export function publishedOkta(issuer: typeof organisation | typeof customServer): PublishedProvider {
  const endpoints = `${issuer === organisation ? `${organisation}/oauth2` : issuer}/v1`;
  const metadata = {
    issuer,
    authorization_endpoint: `${endpoints}/authorize`,
    token_endpoint: `${endpoints}/token`,
    registration_endpoint: `${organisation}/oauth2/v1/clients`,
    introspection_endpoint: `${endpoints}/introspect`,
    jwks_uri: `${endpoints}/keys`,
    code_challenge_methods_supported: ['S256'],
  };
  const path = new URL(issuer).pathname.replace(/\/$/, '');
  return new PublishedProvider({
    issuer,
    documents: {
      [`${organisation}/.well-known/oauth-authorization-server${path}`]: metadata,
      [`${issuer}/.well-known/oauth-authorization-server`]: metadata,
      [`${issuer}/.well-known/openid-configuration`]: metadata,
      [`${endpoints}/keys`]: 'keys',
    },
  });
}

/** Of a custom authorization server: no `typ` in the header. `sub` is the person's login. */
export function oktaAccessToken(over: ProvidedToken['claims'] = {}): ProvidedToken {
  const { iat, exp } = issuedNow();
  return {
    header: {},
    claims: {
      ver: 1,
      jti: `AT.${randomUUID()}`,
      iss: customServer,
      aud: 'api://default',
      iat,
      exp,
      cid: '0oa1mcpclient5d6',
      uid: '00u1alice5d6',
      scp: ['mcp:use', 'openid'],
      auth_time: iat,
      sub: 'alice@example.com',
      email: 'alice@example.com',
      mcp_groups: ['Everyone', 'Engineering, Berlin'],
      ...over,
    },
  };
}

/** Of the organisation's own server, made for Okta itself: `aud` is the issuer, and `typ` says so. */
export function oktaOrganisationToken(): ProvidedToken {
  const { email: _email, mcp_groups: _groups, ...claims } = oktaAccessToken().claims;
  return {
    header: { typ: 'application/okta-internal-at+jwt' },
    claims: { ...claims, iss: organisation, aud: organisation, scp: ['openid', 'profile'] },
  };
}

export function oktaIdToken(): ProvidedToken {
  return {
    header: {},
    claims: {
      ...issuedNow(),
      sub: '00u1alice5d6',
      ver: 1,
      iss: customServer,
      aud: '0oa1mcpclient5d6',
      jti: `ID.${randomUUID()}`,
      amr: ['pwd'],
      idp: '00o1idp5d6',
      preferred_username: 'alice@example.com',
      at_hash: 'fPlsvVszI29LU2UhDyJ9vg',
    },
  };
}
