import { WaitingRoom } from '../authorization-servers/waiting-room.ts';
import type { AuthorizationServer, Configuration, Route } from '../config/configuration.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import type { Document } from './publications.ts';

export interface MirrorSource {
  /** Never rejects. */
  get(): Promise<
    | { readonly ok: true; readonly metadata: { readonly text: string } }
    | { readonly ok: false; readonly detail: string }
  >;
}

/** Time enough for a restart of the server; clients ask rarely. */
const retryAfterSeconds = 10;

/**
 * The authorization server's own document (RFC 8414 §3.2), byte for byte: clients of MCP 2025-03-26 look for it at
 * the origin of the MCP server. Its `issuer` stays the true one.
 */
export function mirroredMetadata(
  { name }: AuthorizationServer,
  source: MirrorSource,
): () => Promise<Document | Refusal> {
  const room = new WaitingRoom();
  return async () => {
    const answer = room.isFull ? crowded : await room.hold(source.get());
    if (answer.ok) return { text: answer.metadata.text, cacheControl: 'public, max-age=300' };
    return {
      kind: 'authorization-server-unavailable',
      reason: 'metadata_unavailable',
      retryAfterSeconds,
      detail: `${name}: ${answer.detail}`,
    };
  };
}

const crowded = { ok: false, detail: 'too many wait for its metadata' } as const;

const bare = '/.well-known/oauth-authorization-server';

/**
 * The bare well-known, which MCP 2025-03-26 names, and with the path inserted (RFC 8414 §3.1) that of the public URL
 * and of each published route which takes the server's tokens: clients try those first.
 */
export function mirrorPaths(
  { publicUrl, mirror }: Configuration,
  published: readonly Route[],
): readonly string[] {
  const accepting = published.filter(({ authorizationServers }) =>
    authorizationServers.some((server) => server === mirror),
  );
  const paths = [new URL(publicUrl).pathname, ...accepting.map(({ path }) => path)];
  return [...new Set([bare, ...paths.map((path) => (path === '/' ? bare : `${bare}${path}`))])];
}
