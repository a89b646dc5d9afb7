import type { Refusal } from '../vocabulary/refusal.ts';
import { isKnownRevision } from '../vocabulary/revision.ts';
import type { RevisionHeaders } from './check-agreement.ts';
import { revisionIn } from './repeated.ts';

/**
 * Whether a request names a revision of MCP that the gateway knows, in its header and in `_meta`. Rules are written for what calls mean; in
 * a revision that nobody here has read they may mean something else. Without a header a request is of 2025-03-26, which is known.
 */
export function checkKnownRevision(headers: RevisionHeaders, value: unknown): Refusal | undefined {
  const { 'mcp-protocol-version': header } = headers;
  if (header !== undefined && !isKnownRevision(header)) return unknown(header);
  for (const message of Array.isArray(value) ? (value as unknown[]) : [value]) {
    const claimed = revisionIn(message);
    if (claimed !== undefined && !isKnownRevision(claimed)) return unknown(claimed);
  }
  return undefined;
}

/** What is no word isn't repeated. */
const word = /^[\w.-]{1,32}$/;

function unknown(named: string | string[]): Refusal {
  const requested = typeof named === 'string' && word.test(named) ? named : '';
  return { kind: 'revision-unknown', reason: 'revision_unknown', requested };
}
