import type { AuthorizationServer } from '../config/configuration.ts';
import type { Fetch } from '../vocabulary/ports.ts';
import type { FetchLimits } from './fetch-document.ts';
import { fetchDocument } from './fetch-document.ts';

/** What an authorization server says of itself (RFC 8414 §2); only its issuer was checked. */
export interface Metadata {
  readonly url: string;
  /** As it came. */
  readonly text: string;
  readonly members: Readonly<Record<string, unknown>>;
}

export type MetadataAnswer =
  | { readonly ok: true; readonly metadata: Metadata }
  | { readonly ok: false; readonly detail: string };

export interface MetadataPorts {
  /** Milliseconds; any epoch. */
  readonly clock: () => number;
  readonly fetch: Fetch;
}

/** Scopes and endpoints change rarely; five minutes is how long a change may take to show. */
const lifetimeMs = 300_000;

/**
 * The metadata of one authorization server, asked for when someone wants it, once at a time. A failure isn't
 * kept; while the server is down the last document serves.
 */
export class ServerMetadata {
  readonly #server: AuthorizationServer;
  readonly #ports: MetadataPorts;
  #held: { readonly metadata: Metadata; readonly at: number } | undefined;
  #fetch: Promise<MetadataAnswer> | undefined;

  constructor(server: AuthorizationServer, ports: MetadataPorts) {
    this.#server = server;
    this.#ports = ports;
  }

  /** Never rejects. */
  async get(): Promise<MetadataAnswer> {
    const held = this.#held;
    if (held !== undefined && this.#ports.clock() - held.at < lifetimeMs)
      return { ok: true, metadata: held.metadata };
    this.#fetch ??= this.#load().finally(() => {
      this.#fetch = undefined;
    });
    const answer = await this.#fetch;
    return answer.ok || held === undefined ? answer : { ok: true, metadata: held.metadata };
  }

  async #load(): Promise<MetadataAnswer> {
    const answer = await fetchMetadata(this.#server, this.#ports.fetch);
    if (answer.ok) this.#held = { metadata: answer.metadata, at: this.#ports.clock() };
    return answer;
  }
}

/**
 * RFC 8414 §3.1 (inserted), then OpenID Connect discovery inserted and appended. The document's issuer must be
 * the configured one byte for byte (RFC 8414 §3.3), or the server is unusable; another issuer is never adopted.
 */
async function fetchMetadata(server: AuthorizationServer, fetch: Fetch): Promise<MetadataAnswer> {
  const [issuer] = server.issuers;
  const details: string[] = [];
  for (const url of metadataUrls(issuer)) {
    const fetched = await fetchDocument(fetch, url, limitsOf(server));
    if (!fetched.ok) {
      details.push(fetched.detail);
      continue;
    }
    const { document, text } = fetched;
    const members = (typeof document === 'object' && document !== null ? document : {}) as Record<
      string,
      unknown
    >;
    if (members['issuer'] === issuer) return { ok: true, metadata: { url, text, members } };
    return {
      ok: false,
      detail: `${url} says issuer ${JSON.stringify(members['issuer'])}, configured is ${JSON.stringify(issuer)}`,
    };
  }
  return { ok: false, detail: details.join('; ') };
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

/** Far above any real metadata or key set. */
const maximumDocumentBytes = 256 * 1024;

/** What one document of this server may cost. */
export function limitsOf(server: AuthorizationServer): FetchLimits {
  return { timeoutMs: server.keys.timeout, maximumBytes: maximumDocumentBytes };
}
