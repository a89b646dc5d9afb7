import { z } from 'zod';

import type { Route } from '../../config/configuration.ts';
import type { OauthSettings } from '../../config/configuration.ts';
import type { RecordName } from '../../state/records/record-store.ts';
import { recordName } from '../../state/records/record-store.ts';

/** Where the client of a login came from: the file, its metadata document, or a registration (RFC 7591). */
const client = z.strictObject({
  from: z.enum(['configuration', 'metadata-document', 'registration']),
  clientId: z.string().min(1),
  /** Of registered clients only: a configured secret is read from the configuration each time. */
  clientSecret: z.string().optional(),
});

const storedLogin = z.strictObject({
  /** The upstream that the tokens are for; they are shown to no other. */
  upstream: z.string(),
  issuer: z.string(),
  /** RFC 8707. */
  resource: z.string(),
  client,
  accessToken: z.string().min(1),
  refreshToken: z.string().min(1).optional(),
  /** Milliseconds since the epoch; absent where the server didn't say. */
  expiresAtMs: z.number().optional(),
  scopes: z.array(z.string()).readonly().optional(),
});

export type OauthClient = Readonly<z.output<typeof client>>;

/** One login at an upstream, as it is kept. Holds tokens: never to be logged. */
export type StoredLogin = Readonly<z.output<typeof storedLogin>>;

/** Undefined for what is no login, whatever else it is. */
export function readLogin(text: string): StoredLogin | undefined {
  const parsed = storedLogin.safeParse(jsonIn(text));
  return parsed.success ? parsed.data : undefined;
}

const registeredClient = z.strictObject({
  clientId: z.string().min(1),
  clientSecret: z.string().optional(),
  /** Milliseconds since the epoch; absent: never. */
  secretExpiresAtMs: z.number().optional(),
});

/** What a registration led to; kept, so that the next login doesn't register anew. */
export type RegisteredClient = Readonly<z.output<typeof registeredClient>>;

export function readRegisteredClient(text: string): RegisteredClient | undefined {
  const parsed = registeredClient.safeParse(jsonIn(text));
  return parsed.success ? parsed.data : undefined;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Issuer and subject; unique only together. */
export interface Person {
  readonly issuer: string;
  readonly subject: string;
}

/** Where the login of a route is kept, and on a route of tenants each tenant's; with `person` that of one user. */
export function loginName({ name, tenant, upstream }: Route, person: Person | undefined): RecordName {
  const whose = person === undefined ? [] : [person.issuer, person.subject];
  const label = tenant === undefined ? name : `${name} ${tenant.name}`;
  return recordName(label, ['login', name, tenant?.name ?? null, upstream.url, ...whose]);
}

/**
 * Where the client is kept that registered at an issuer for an upstream, one for each tenant. Ports of the loopback
 * callback don't tell clients apart (RFC 8252 §7.3).
 */
export function registrationName(
  { tenant, upstream }: Route,
  { issuer, redirectUri }: { readonly issuer: string; readonly redirectUri: string },
): RecordName {
  const redirect = new URL(redirectUri);
  const isLoopback = redirect.hostname === '127.0.0.1';
  if (isLoopback) redirect.port = '';
  const parts = ['client', tenant?.name ?? null, upstream.url, issuer, redirect.href];
  return recordName(`client ${new URL(upstream.url).hostname}`, parts);
}

/** Whether a login may still be used; undefined if so, else why not, for the operator. */
export function faultOfLogin(
  login: StoredLogin,
  upstreamUrl: string,
  settings: OauthSettings,
): string | undefined {
  if (login.upstream !== upstreamUrl) return 'the upstream has another address since the login';
  if (!isAllowedIssuer(login.issuer, upstreamUrl, settings))
    return `the login was at ${login.issuer}, which is no longer listed`;
  const { clientId, clientMetadataUrl } = settings;
  const { from, clientId: loggedIn } = login.client;
  const isSame =
    from === 'configuration'
      ? clientId === loggedIn
      : clientId === undefined && (from === 'registration' || clientMetadataUrl === loggedIn);
  return isSame ? undefined : 'the login was made with another client than is configured now';
}

/** Listed, or without a list at the upstream's own origin; then in a spelling that a log can hold. */
export function isAllowedIssuer(
  issuer: string,
  upstreamUrl: string,
  { authorizationServers }: OauthSettings,
): boolean {
  if (authorizationServers.length > 0) return authorizationServers.includes(issuer);
  if (!URL.canParse(issuer)) return false;
  const { origin, pathname } = new URL(issuer);
  const written = `${origin}${pathname}`;
  return origin === new URL(upstreamUrl).origin && (issuer === written || `${issuer}/` === written);
}
