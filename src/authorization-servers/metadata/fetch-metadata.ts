import type { Fetch } from '../../vocabulary/ports.ts';
import type { FailedFetch } from '../outbound/fetch-document.ts';
import { deadlineIn, fetchDocument } from '../outbound/fetch-document.ts';
import type { AskedServer } from '../outbound/written-addresses.ts';

/** What an authorization server says of itself (RFC 8414 §2); only its issuer was checked. */
export interface Metadata {
  readonly url: string;
  /** As it came. */
  readonly text: string;
  readonly members: Readonly<Record<string, unknown>>;
}

export type FetchedMetadata = { readonly ok: true; readonly metadata: Metadata } | FailedFetch;

/**
 * RFC 8414 §3.1 (inserted), then OpenID Connect discovery inserted and appended, all within the server's
 * time-out. The document's issuer must be the configured one byte for byte (RFC 8414 §3.3), or the server is
 * unusable; another issuer is never adopted, and no further document is looked for.
 */
export async function fetchMetadata(
  server: Pick<AskedServer, 'issuers' | 'keys'>,
  fetch: Fetch,
): Promise<FetchedMetadata> {
  const [issuer] = server.issuers;
  const deadline = deadlineIn(server.keys.timeout);
  const failures: FailedFetch[] = [];
  for (const url of metadataUrls(issuer)) {
    const fetched = await fetchDocument(fetch, url, deadline);
    const read: Reading = fetched.ok ? readMetadata(url, fetched, issuer) : fetched;
    if (read.ok || read.isFinal === true) return read;
    failures.push(read);
    if (deadline.signal.aborted) break;
  }
  return {
    ok: false,
    failure: mostTelling(failures),
    detail: failures.map(({ detail }) => detail).join('; '),
  };
}

interface Read {
  readonly document: unknown;
  readonly text: string;
}

type Reading = FetchedMetadata & { readonly isFinal?: boolean };

function readMetadata(url: string, { document, text }: Read, issuer: string): Reading {
  const failure = 'invalid';
  if (typeof document !== 'object' || document === null)
    return { ok: false, failure, detail: `${url} isn't an authorization server's metadata` };
  const members = document as Record<string, unknown>;
  const said = members['issuer'];
  if (said === issuer) return { ok: true, metadata: { url, text, members } };
  if (typeof said !== 'string') return { ok: false, failure, detail: `${url} names no issuer` };
  // Mixed up or hostile, it speaks for another: asking on would only look for a document that agrees.
  const detail = `${url} says issuer ${JSON.stringify(said.slice(0, 200))}, configured is ${JSON.stringify(issuer)}`;
  return { ok: false, failure, detail, isFinal: true };
}

/** Most addresses answer 404 on any server; what else happened says more. */
function mostTelling(failures: readonly FailedFetch[]): FailedFetch['failure'] {
  return (failures.find(({ failure }) => failure !== 'bad_status') ?? failures[0])?.failure ?? 'unreachable';
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
