import type { Identity } from './configuration.ts';
import { normaliseHeader } from './fields/header-name.ts';

/** `identity` of a route as far as it says names. */
export interface IdentityNames {
  readonly headers?: { readonly [Key in keyof Identity['headers']]?: string | undefined } | undefined;
  readonly claims?: Readonly<Record<string, string | undefined>> | undefined;
  readonly preset?: string | undefined;
}

const presets: Readonly<Record<string, Identity>> = {
  default: {
    headers: {
      subject: 'X-Auth-Subject',
      issuer: 'X-Auth-Issuer',
      client: 'X-Auth-Client-Id',
      scopes: 'X-Auth-Scopes',
      email: 'X-Auth-Email',
      tenant: 'X-Auth-Tenant',
    },
    claims: [],
  },
  // As oauth2-proxy's --pass-user-headers sends them.
  'oauth2-proxy': {
    headers: { subject: 'X-Forwarded-User', email: 'X-Forwarded-Email' },
    claims: [
      { header: 'X-Forwarded-Groups', claim: 'groups' },
      { header: 'X-Forwarded-Preferred-Username', claim: 'preferred_username' },
    ],
  },
};

/** The preset, with what the route names instead or besides. */
export function identityOf({ headers = {}, claims = {}, preset = 'default' }: IdentityNames): Identity {
  const given = presets[preset] ?? { headers: {}, claims: [] };
  const own = Object.entries(claims).flatMap(([header, claim]) =>
    claim === undefined ? [] : [{ header, claim }],
  );
  const renamed = new Set(own.map(({ header }) => normaliseHeader(header)));
  const named = Object.entries(headers).filter(([, name]) => name !== undefined);
  return {
    headers: { ...given.headers, ...Object.fromEntries(named) },
    claims: [...given.claims.filter(({ header }) => !renamed.has(normaliseHeader(header))), ...own],
  };
}
