import type { Call, Message } from '../vocabulary/call.ts';
import type { MessageReason, Refusal } from '../vocabulary/refusal.ts';
import { readStrictJson } from '../vocabulary/strict-json.ts';

/** MCP 2025-03-26 allows batches without a bound; more than this is no client's need. */
const maximumBatch = 50;

/** The longest method of any MCP revision has 36 characters. */
const maximumMethodLength = 256;

export type ReadMessage =
  | { readonly ok: true; readonly call: Call }
  | { readonly ok: false; readonly refusal: MessageRefusal; readonly id: string | null };
export type MessageRefusal = Extract<Refusal, { kind: 'message-refused' }>;

/**
 * Reads what a POST body asks for, without changing a byte of it: JSON-RPC 2.0, one message or a batch of up
 * to 50. It proves that every parser reads the same method, name and id out of these bytes. It doesn't check
 * that the method exists, nor anything in `params` but the spelling of the members that policy reads.
 */
export function readMessage(bytes: Buffer): ReadMessage {
  const read = readStrictJson(bytes);
  if (!read.ok) return refused(read.fault, null);
  const { value, text } = read;
  if (!Array.isArray(value)) {
    const message = judgeEnvelope(value, text);
    return 'kind' in message
      ? { ok: true, call: { messages: [message], batch: false, bytes } }
      : refused(message.reason, message.id);
  }
  if (value.length > maximumBatch) return refused('batch', null);
  const messages: Message[] = [];
  for (const element of value as unknown[]) {
    const message = judgeEnvelope(element, text);
    if (!('kind' in message)) return refused(message.reason, null);
    messages.push(message);
  }
  const [first, ...others] = messages;
  return first === undefined
    ? refused('batch', null)
    : { ok: true, call: { messages: [first, ...others], batch: true, bytes } };
}

interface EnvelopeFault {
  readonly reason: MessageReason;
  /** JSON text. */
  readonly id: string | null;
}

type JsonObject = Readonly<Record<string, unknown>>;

function judgeEnvelope(value: unknown, text: string): Message | EnvelopeFault {
  if (!isObject(value)) return { reason: 'shape', id: null };
  const { jsonrpc, method, params } = value;
  const id = requestId(value['id'], text);
  const fault = (reason: MessageReason): EnvelopeFault => ({ reason, id });
  if (hasLookalike(value, envelopeMembers) || (isObject(params) && hasLookalike(params, paramsMembers))) {
    return fault('member_case');
  }
  if (jsonrpc !== '2.0') return fault('shape');
  if (method === undefined) return judgeResponse(value, id);
  if ('result' in value || 'error' in value) return fault('shape');
  if (typeof method !== 'string' || method === '' || method.length > maximumMethodLength)
    return fault('method');
  const target = targetOf(method, params);
  if (!method.isWellFormed() || target?.isWellFormed() === false) return fault('not_utf8');
  if (!('id' in value)) return { kind: 'notification', method, target };
  // MCP base protocol: an id is a string or an integer and never null.
  return id === null ? fault('id') : { kind: 'request', method, id, target };
}

function judgeResponse(value: JsonObject, id: string | null): Message | EnvelopeFault {
  const hasError = 'error' in value;
  if ('result' in value === hasError) return { reason: 'shape', id };
  // JSON-RPC 2.0 §5: an error answers null where the request's id couldn't be read.
  if (id === null && !(hasError && (value['id'] ?? null) === null)) return { reason: 'id', id };
  return { kind: 'response' };
}

/** A resource is named by its uri, a tool or prompt by its name; a second one beside it says nothing. */
function targetOf(method: string, params: unknown): string | undefined {
  if (!isObject(params)) return undefined;
  const target = method.startsWith('resources/') ? params['uri'] : params['name'];
  return typeof target === 'string' ? target : undefined;
}

/** The JSON text of an id that every language reads alike: a string, or an integer written as one. */
function requestId(id: unknown, text: string): string | null {
  if (typeof id === 'string') return id.isWellFormed() ? JSON.stringify(id) : null;
  return typeof id === 'number' && Number.isSafeInteger(id) && isWrittenPlainly(id, text) ? String(id) : null;
}

/** 1.0, 1e0 and -0 are integers to some languages only. Nothing but the text still knows how one was written. */
function isWrittenPlainly(id: number, text: string): boolean {
  const digits = String(id);
  if (Object.is(id, -0)) return false;
  for (let at = text.indexOf('"id"'); at !== -1; at = text.indexOf('"id"', at + 4)) {
    plainId.lastIndex = at + 4;
    if (plainId.exec(text)?.[1] === digits) return true;
  }
  return false;
}

const plainId = /[ \t\r\n]*:[ \t\r\n]*(-?[0-9]+)[ \t\r\n]*[,}]/y;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Whether a member differs from one that is read by its case alone. Go's encoding/json matches names without
 * regard to case, by Unicode's simple folding: "ſ" is an s, "K" (Kelvin) a k.
 */
function hasLookalike(object: JsonObject, members: ReadonlySet<string>): boolean {
  for (const key in object) {
    if (!members.has(key) && members.has(key.toUpperCase().toLowerCase())) return true;
  }
  return false;
}

const envelopeMembers = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const paramsMembers = new Set(['name', 'uri', 'arguments', '_meta', 'cursor', 'ref', 'level', 'task']);

function refused(reason: MessageReason, id: string | null): ReadMessage {
  const code = reason === 'not_json' || reason === 'not_utf8' ? -32700 : -32600;
  return { ok: false, refusal: { kind: 'message-refused', reason, code }, id };
}
