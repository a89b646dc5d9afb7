import type { Refusal } from '../vocabulary/refusal.ts';
import type { RevisionHeaders } from './check-agreement.ts';
import { checkAgreement, isModern } from './check-agreement.ts';
import type { ReadMessage } from './read-message.ts';
import { repeatedIn, revisionIn } from './repeated.ts';

/**
 * What MCP 2026-07-28 and later ask of a body beyond JSON-RPC: one request or notification, no batch, no response,
 * and headers that agree with it. Earlier revisions are held to none of it, on the same route and connection.
 */
export function checkRevision(
  headers: RevisionHeaders,
  { call, value }: Extract<ReadMessage, { ok: true }>,
): Refusal | undefined {
  const claims = Array.isArray(value) ? (value as unknown[]).map(revisionIn) : [revisionIn(value)];
  if (!claims.some((revision) => isModern(headers, revision))) return undefined;
  const [message] = call.messages;
  if (call.batch) return { kind: 'message-refused', reason: 'batch', code: -32600 };
  if (message.kind === 'response') return { kind: 'message-refused', reason: 'shape', code: -32600 };
  return checkAgreement(headers, repeatedIn(message, value));
}
