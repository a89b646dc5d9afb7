import type { OauthSettings, Route } from '../../config/configuration.ts';
import type { Deadline } from '../../authorization-servers/outbound/fetch-document.ts';
import { fetchDocument } from '../../authorization-servers/outbound/fetch-document.ts';
import type { Fetch } from '../../vocabulary/ports.ts';
import type { UpstreamChallenge } from './challenge-parameters.ts';
import { cleanScopes, readChallenge } from './challenge-parameters.ts';
import { reachableFrom } from './configured-fetch.ts';
import { shownAddress } from './shown-address.ts';
import { isAllowedIssuer } from './stored-login.ts';

/** What an upstream says of how to log in there. */
export interface DiscoveredUpstream {
  /** RFC 8707: what its tokens are asked for. */
  readonly resource: string;
  /** One that the configuration allows. */
  readonly issuer: string;
  /** What it says that it needs; undefined where it says nothing. */
  readonly scopes: readonly string[] | undefined;
}

/** Why a login can't go on; for the operator, without tokens or codes. */
export interface LoginFault {
  readonly ok: false;
  readonly detail: string;
}

export type Discovered = { readonly ok: true; readonly upstream: DiscoveredUpstream } | LoginFault;

export interface DiscoveryParts {
  readonly settings: OauthSettings;
  /** Reaches configured origins alone. */
  readonly fetch: Fetch;
  readonly deadline: Deadline;
}

/**
 * Asks the upstream without a token, as a client would, and follows its challenge to its metadata (RFC 9728 §5),
 * else looks at the well-known addresses (§3.1). A server without such metadata is one of MCP 2025-03-26, whose
 * authorization server is at its own origin. It proves that the operator allowed the issuer, and that the metadata
 * speaks of this upstream. It never goes where the configuration doesn't, whoever answers in the upstream's place.
 */
export async function discoverUpstream(
  { upstream: { url, transport } }: Route,
  parts: DiscoveryParts,
): Promise<Discovered> {
  const challenge = await challengeOf(url, transport, parts);
  if ('detail' in challenge) return challenge;
  const metadata = await metadataOf(url, challenge, parts);
  if ('detail' in metadata) return metadata;
  const { settings } = parts;
  const { members } = metadata;
  if (members === undefined) {
    const issuer = settings.authorizationServers[0] ?? new URL(url).origin;
    return { ok: true, upstream: { resource: url, issuer, scopes: challenge.scopes } };
  }
  const { resource, authorization_servers: servers, scopes_supported: supported } = members;
  if (typeof resource !== 'string' || !covers(resource, url))
    return failed(`the metadata at ${metadata.at} is of another resource than ${url}`);
  const named = Array.isArray(servers) ? servers.filter((one) => typeof one === 'string') : [];
  const issuer = allowedOf(named, url, settings);
  if (issuer === undefined) return failed(noneAllowed(named, url));
  const scopes = challenge.scopes ?? (Array.isArray(supported) ? cleanScopes(supported) : undefined);
  return { ok: true, upstream: { resource, issuer, scopes } };
}

async function challengeOf(
  url: string,
  transport: 'streamable-http' | 'sse',
  { fetch, deadline: { signal } }: DiscoveryParts,
): Promise<UpstreamChallenge | LoginFault> {
  const asked: RequestInit =
    transport === 'sse'
      ? { method: 'GET', headers: { accept: 'text/event-stream' } }
      : {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
          },
          body: '{"jsonrpc":"2.0","id":0,"method":"ping"}',
        };
  try {
    const response = await fetch(url, { ...asked, signal });
    await response.body?.cancel();
    return readChallenge(response.status === 401 ? response.headers.get('www-authenticate') : null);
  } catch (error) {
    return failed(`${url}: ${wordOf(error)}`);
  }
}

type Found =
  | { readonly at: string; readonly members: Readonly<Record<string, unknown>> | undefined }
  | LoginFault;

async function metadataOf(
  url: string,
  { resourceMetadata }: UpstreamChallenge,
  { settings, fetch, deadline }: DiscoveryParts,
): Promise<Found> {
  if (resourceMetadata !== undefined && !reachableFrom(url, settings)(resourceMetadata)) {
    return failed(
      `the challenge of ${url} names metadata at ${shownAddress(resourceMetadata)}, which is at no origin of the configuration`,
    );
  }
  const { origin, pathname } = new URL(url);
  const wellKnown = `${origin}/.well-known/oauth-protected-resource`;
  const addresses =
    resourceMetadata === undefined
      ? [...new Set([`${wellKnown}${pathname === '/' ? '' : pathname}`, wellKnown])]
      : [new URL(resourceMetadata).href];
  for (const at of addresses) {
    const fetched = await fetchDocument(fetch, at, deadline);
    if (fetched.ok) {
      const { document } = fetched;
      return typeof document === 'object' && document !== null
        ? { at, members: document as Record<string, unknown> }
        : failed(`${at} is no metadata of a resource`);
    }
    // Named by the challenge it has to be there; guessed, it may be missing.
    if (resourceMetadata !== undefined || fetched.failure !== 'bad_status') return failed(fetched.detail);
  }
  return { at: wellKnown, members: undefined };
}

/** The resource itself, or one above it on the same origin: servers often name their origin. */
function covers(resource: string, url: string): boolean {
  if (!URL.canParse(resource)) return false;
  const [whole, part] = [new URL(resource), new URL(url)];
  const above = whole.pathname.replace(/\/$/, '');
  return (
    whole.origin === part.origin &&
    (part.pathname === above || part.pathname === whole.pathname || part.pathname.startsWith(`${above}/`))
  );
}

/** The first one that the operator allows, in the operator's spelling: metadata often ends issuers with a slash. */
function allowedOf(named: readonly string[], url: string, settings: OauthSettings): string | undefined {
  const bare = (issuer: string): string => issuer.replace(/\/$/, '');
  for (const issuer of named) {
    const listed = settings.authorizationServers.find((one) => bare(one) === bare(issuer));
    if (listed !== undefined) return listed;
    if (isAllowedIssuer(issuer, url, settings)) return issuer;
  }
  return undefined;
}

function noneAllowed(named: readonly string[], url: string): string {
  const shown = named.slice(0, 5).map(shownAddress).join(', ');
  return named.length === 0
    ? `the metadata of ${url} names no authorization server`
    : `${url} wants logins at ${shown}: list the one that you trust under credentials.oauth.authorizationServers`;
}

function failed(detail: string): LoginFault {
  return { ok: false, detail };
}

/** A code or a class of errors: messages may quote what was sent. */
export function wordOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'failed';
  if ('code' in cause && typeof cause.code === 'string') return cause.code;
  return cause.name === 'Error' ? 'failed' : cause.name;
}
