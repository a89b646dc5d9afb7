import type { Fetch } from '../../vocabulary/ports.ts';
import { BodyTooLong } from './bounded-body.ts';
import { AddressRefused } from './guarded-connector.ts';

/** Why nothing usable came, in words that a metric may have as a label. */
export type FetchFailure =
  /** No connection, no trusted certificate, or it broke. */
  | 'unreachable'
  | 'timeout'
  /** Another status than 200, or a redirect that isn't followed. */
  | 'bad_status'
  /** Not the document that was asked for: its type, form, size or issuer. */
  | 'invalid'
  /** The address guard said no. */
  | 'address_refused'
  /** Too many tenants are being asked for. */
  | 'over_budget';

export interface FailedFetch {
  readonly ok: false;
  readonly failure: FetchFailure;
  /** For the operator. */
  readonly detail: string;
}

export type Fetched = { readonly ok: true; readonly document: unknown; readonly text: string } | FailedFetch;

/** What several fetches share: together they end after this time. */
export interface Deadline {
  readonly signal: AbortSignal;
  readonly afterMs: number;
}

export function deadlineIn(afterMs: number): Deadline {
  return { signal: AbortSignal.timeout(afterMs), afterMs };
}

/**
 * Fetches one JSON document of an authorization server by its own `fetch`, without credentials. Redirects are
 * followed within the origin, three at the most. Never rejects. It proves that JSON came, and nothing about it.
 */
export async function fetchDocument(fetch: Fetch, url: string, deadline: Deadline): Promise<Fetched> {
  try {
    const response = await followWithin(fetch, url, deadline.signal);
    if ('failure' in response) return response;
    const fault = faultOfAnswer(response);
    if (fault !== undefined) {
      await response.body?.cancel();
      return { ok: false, failure: fault.failure, detail: `${url} answered ${fault.with}` };
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await response.arrayBuffer());
    return { ok: true, document: JSON.parse(text) as unknown, text };
  } catch (error) {
    if (deadline.signal.aborted)
      return { ok: false, failure: 'timeout', detail: `${url} didn't answer within ${deadline.afterMs} ms` };
    return failed(url, error);
  }
}

const maximumRedirects = 3;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

async function followWithin(fetch: Fetch, url: string, signal: AbortSignal): Promise<Response | FailedFetch> {
  let at = url;
  for (let followed = 0; followed <= maximumRedirects; followed += 1) {
    const response = await fetch(at, { headers: { accept }, signal });
    if (!redirects.has(response.status)) return response;
    await response.body?.cancel();
    const next = destination(response, at);
    // Another origin is another server; where keys lie there, the operator or the metadata says so.
    if (next?.origin !== new URL(url).origin) {
      const to = next === undefined ? 'nowhere' : `${next.origin}${next.pathname}`;
      return { ok: false, failure: 'bad_status', detail: `${at} redirects to ${to}, which isn't its origin` };
    }
    at = next.href;
  }
  return { ok: false, failure: 'bad_status', detail: `${url} redirects more than ${maximumRedirects} times` };
}

/** RFC 7517 §8.5 for key sets, RFC 8414 §3.2 for metadata. */
const accept = 'application/json, application/jwk-set+json';

function destination(response: Response, from: string): URL | undefined {
  const location = response.headers.get('location');
  return location !== null && URL.canParse(location, from) ? new URL(location, from) : undefined;
}

function faultOfAnswer({
  status,
  headers,
}: Response): { readonly failure: FetchFailure; readonly with: string } | undefined {
  if (status !== 200) return { failure: 'bad_status', with: String(status) };
  const type = headers.get('content-type');
  // RFC 9110 §8.3 leaves it to the reader where there is none; what isn't JSON is found when it is read.
  if (type === null || /^\s*application\/(?:[a-z0-9!#$&^_.-]+\+)?json\s*(?:;|$)/i.test(type))
    return undefined;
  // A login or error page: whoever put it there isn't the server that was asked.
  return { failure: 'invalid', with: `${JSON.stringify(type.slice(0, 100))}, not JSON` };
}

function failed(url: string, error: unknown): FailedFetch {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof AddressRefused)
    return { ok: false, failure: 'address_refused', detail: `${url}: ${cause.message}` };
  if (cause instanceof BodyTooLong)
    return { ok: false, failure: 'invalid', detail: `${url} ${cause.message}` };
  if (error instanceof SyntaxError) return { ok: false, failure: 'invalid', detail: `${url}: not JSON` };
  if (cause instanceof TypeError && 'code' in cause && cause.code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
    return { ok: false, failure: 'invalid', detail: `${url}: not UTF-8` };
  return { ok: false, failure: 'unreachable', detail: `${url}: ${describe(cause)}` };
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return 'failed';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
