import type { AuthorizationServer } from '../config/configuration.ts';
import type { Fetch } from '../vocabulary/ports.ts';
import type { Fetched, FetchLimits } from './fetch-document.ts';
import { fetchDocument } from './fetch-document.ts';

export type Discovered =
  | { readonly ok: true; readonly jwksUri: string }
  | { readonly ok: false; readonly detail: string };

/** Far above any real metadata or key set. */
const maximumDocumentBytes = 256 * 1024;

/**
 * Finds where an authorization server publishes its keys: the configured `jwksUri`, or its metadata by RFC 8414
 * §3.1 (inserted), OpenID Connect discovery inserted and appended, in that order. The document's issuer must be
 * the configured one byte for byte (RFC 8414 §3.3), or the server is unusable; another issuer is never adopted.
 */
export async function discoverKeys(server: AuthorizationServer, fetch: Fetch): Promise<Discovered> {
  if (server.jwksUri !== undefined) return { ok: true, jwksUri: server.jwksUri };
  const [issuer] = server.issuers;
  const details: string[] = [];
  for (const url of metadataUrls(issuer)) {
    const fetched = await fetchDocument(fetch, url, limitsOf(server));
    if (!fetched.ok) {
      details.push(fetched.detail);
      continue;
    }
    return readMetadata(fetched.document, { issuer, url });
  }
  return { ok: false, detail: details.join('; ') };
}

/** Fetches the key set itself. */
export function fetchKeys(server: AuthorizationServer, jwksUri: string, fetch: Fetch): Promise<Fetched> {
  return fetchDocument(fetch, jwksUri, limitsOf(server));
}

function limitsOf(server: AuthorizationServer): FetchLimits {
  return { timeoutMs: server.keys.timeout, maximumBytes: maximumDocumentBytes };
}

function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    ...new Set([
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}/.well-known/openid-configuration${path}`,
      `${origin}${path}/.well-known/openid-configuration`,
    ]),
  ];
}

function readMetadata(
  document: unknown,
  from: { readonly issuer: string; readonly url: string },
): Discovered {
  const { issuer, jwks_uri: jwksUri } = (
    typeof document === 'object' && document !== null ? document : {}
  ) as Record<string, unknown>;
  if (issuer !== from.issuer) {
    return {
      ok: false,
      detail: `${from.url} says issuer ${JSON.stringify(issuer)}, configured is ${JSON.stringify(from.issuer)}`,
    };
  }
  if (typeof jwksUri !== 'string' || !URL.canParse(jwksUri))
    return { ok: false, detail: `${from.url} has no jwks_uri` };
  const { protocol, origin } = new URL(jwksUri);
  // A document must not talk us down to plain http on another host.
  if (protocol !== 'https:' && origin !== new URL(from.issuer).origin) {
    return {
      ok: false,
      detail: `${from.url} names a jwks_uri that is neither https nor at the issuer's own origin`,
    };
  }
  return { ok: true, jwksUri };
}
