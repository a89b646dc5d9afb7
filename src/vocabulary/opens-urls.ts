import type { Call } from './call.ts';
import { isModernRevision } from './revision.ts';

/** Requests whose result may be that something else is needed first (MCP 2026-07-28, multi round-trip requests). */
const asking = new Set(['tools/call', 'prompts/get', 'resources/read']);

const capabilities = 'io.modelcontextprotocol/clientCapabilities';

/** Names the gateway's question among those of a result. */
export const loginInputName = 'portcullis_login';

/**
 * Whether the client of this call can have its person open an address: it declares `elicitation.url`, in 2026-07-28 with
 * each request, and its person hasn't said no a moment ago. `revision` is the header's, with which the call agrees.
 */
export function opensUrls(call: Call | null, revision: string | string[] | undefined): boolean {
  const first = call?.messages[0];
  if (call === null || first?.kind !== 'request' || !asking.has(first.method)) return false;
  if (!isModernRevision(revision)) return false;
  const params = memberOf(JSON.parse(call.bytes.toString()), 'params');
  const elicitation = memberOf(memberOf(memberOf(params, '_meta'), capabilities), 'elicitation');
  const action = memberOf(memberOf(memberOf(params, 'inputResponses'), loginInputName), 'action');
  return isObject(memberOf(elicitation, 'url')) && action !== 'decline' && action !== 'cancel';
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
