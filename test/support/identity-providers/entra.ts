/** As Microsoft documents its access tokens, ID tokens and OpenID Connect metadata. */
import { randomUUID } from 'node:crypto';
import { issuedNow, PublishedProvider, type ProvidedToken } from '../published-provider.ts';

export const tenant = '11111111-1111-1111-1111-111111111111';
export const api = '22222222-2222-2222-2222-222222222222';
export const client = '33333333-3333-3333-3333-333333333333';
export const graph = '00000003-0000-0000-c000-000000000000';
export const issuers = {
  v1: `https://sts.windows.net/${tenant}/`,
  v2: `https://login.microsoftonline.com/${tenant}/v2.0`,
} as const;

/** There is no RFC 8414 document, and the OpenID Connect one doesn't speak of PKCE; keys have no `alg`. */
export function publishedEntra(): PublishedProvider {
  const host = `https://login.microsoftonline.com/${tenant}`;
  const common = {
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    cloud_instance_name: 'microsoftonline.com',
  };
  return new PublishedProvider({
    issuer: issuers.v2,
    keyMembers: { x5t: 'a legacy name of the key', issuer: issuers.v2 },
    documents: {
      [`${host}/v2.0/.well-known/openid-configuration`]: {
        issuer: issuers.v2,
        authorization_endpoint: `${host}/oauth2/v2.0/authorize`,
        token_endpoint: `${host}/oauth2/v2.0/token`,
        jwks_uri: `${host}/discovery/v2.0/keys`,
        ...common,
      },
      [`${host}/.well-known/openid-configuration`]: {
        issuer: issuers.v1,
        authorization_endpoint: `${host}/oauth2/authorize`,
        token_endpoint: `${host}/oauth2/token`,
        jwks_uri: `${host}/discovery/keys`,
        ...common,
      },
      [`${host}/discovery/v2.0/keys`]: 'keys',
      [`${host}/discovery/keys`]: 'keys',
    },
  });
}

const person = {
  sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
  oid: '44444444-4444-4444-4444-444444444444',
  tid: tenant,
  name: 'Alice Liddell',
};

/** Sent to an API whose manifest says version 2; `aud` is always the API's client id. */
export function entraV2Token(over: ProvidedToken['claims'] = {}): ProvidedToken {
  const { iat, exp } = issuedNow();
  return {
    header: { typ: 'JWT' },
    claims: {
      aud: api,
      iss: issuers.v2,
      iat,
      nbf: iat,
      exp,
      aio: 'AXQAi/8TAAAA',
      azp: client,
      azpacr: '0',
      email: 'alice@example.com',
      preferred_username: 'alice@example.com',
      rh: '0.ARoAv4j5',
      scp: 'mcp.use',
      uti: randomUUID(),
      ver: '2.0',
      ...person,
      ...over,
    },
  };
}

/** Sent to an API whose manifest says nothing, or version 1, whatever endpoint the client asked. */
export function entraV1Token(over: ProvidedToken['claims'] = {}): ProvidedToken {
  const { iat, exp } = issuedNow();
  return {
    header: { typ: 'JWT', x5t: 'a legacy name of the key' },
    claims: {
      aud: 'https://mcp.example.com/mcp',
      iss: issuers.v1,
      iat,
      nbf: iat,
      exp,
      acr: '1',
      aio: 'AXQAi/8TAAAA',
      amr: ['pwd', 'mfa'],
      appid: client,
      appidacr: '0',
      ipaddr: '192.0.2.7',
      scp: 'mcp.use',
      unique_name: 'alice@example.com',
      upn: 'alice@example.com',
      uti: randomUUID(),
      ver: '1.0',
      ...person,
      ...over,
    },
  };
}

/** Of a service: `roles` in the place of `scp`, `sub` and `oid` are the service principal's. */
export function entraServiceToken(): ProvidedToken {
  const { header, claims } = entraV2Token({ azpacr: '1', roles: ['mcp.use'] });
  const { scp: _scp, name: _name, email: _email, preferred_username: _username, ...rest } = claims;
  return { header, claims: { ...rest, sub: person.oid, idtyp: 'app' } };
}

/** With `nonce` where the client sent one. `aud` is the client that logged in. */
export function entraIdToken(over: ProvidedToken['claims'] = {}): ProvidedToken {
  const { scp: _scp, azp: _azp, azpacr: _azpacr, ...rest } = entraV2Token().claims;
  return { header: { typ: 'JWT' }, claims: { ...rest, aud: client, ...over } };
}
