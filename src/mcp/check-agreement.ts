import type { Refusal } from '../vocabulary/refusal.ts';
import { isModernRevision } from '../vocabulary/revision.ts';
import { decodeHeaderValue } from './header-value.ts';
import type { Repeated } from './repeated.ts';

/** As Node has them: one value, for none of them may come twice. */
export type RevisionHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Whether a request is held to agree with its headers: it says so itself, in either place. */
export function isModern(headers: RevisionHeaders, revision: string | undefined): boolean {
  return isModernRevision(headers['mcp-protocol-version']) || isModernRevision(revision);
}

/**
 * MCP 2026-07-28, transports §Server validation: `MCP-Protocol-Version`, `Mcp-Method` and `Mcp-Name` say what the
 * body says. Whoever routes or judges by the one and runs the other could be made to do what was never allowed.
 * Notifications needn't repeat anything, but mustn't contradict. `Mcp-Param-*` decide nothing and aren't looked at.
 */
export function checkAgreement(headers: RevisionHeaders, message: Repeated): Refusal | undefined {
  const { 'mcp-protocol-version': version, 'mcp-method': method, 'mcp-name': name } = headers;
  const isRequest = message.kind === 'request';
  if (version === undefined || (message.revision !== undefined && version !== message.revision))
    return mismatch('version_header');
  if (method === undefined ? isRequest : method !== message.method) return mismatch('method_header');
  if (name === undefined)
    return isRequest && message.name !== undefined ? mismatch('name_header') : undefined;
  return typeof name === 'string' && message.name !== undefined && decodeHeaderValue(name) === message.name
    ? undefined
    : mismatch('name_header');
}

function mismatch(reason: 'version_header' | 'method_header' | 'name_header'): Refusal {
  return { kind: 'header-mismatch', reason };
}
