import type { Call, Message } from '../vocabulary/call.ts';
import type { MessageReason, Refusal } from '../vocabulary/refusal.ts';
import { JsonCursor } from '../vocabulary/strict-json.ts';

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
  const cursor = new JsonCursor(bytes);
  const messages: Message[] = [];
  const batch = cursor.peek() === '[';
  let fault: EnvelopeFault | undefined;
  const element = (depth: number): boolean => {
    const envelope = readEnvelope(cursor, depth);
    if (envelope === undefined) return false;
    const message = judgeEnvelope(envelope);
    if ('reason' in message) fault = message;
    else messages.push(message);
    return fault === undefined && messages.length <= maximumBatch;
  };
  const read = cursor.document(() =>
    batch ? cursor.array(0, () => element(1)) : cursor.peek() === '{' ? element(0) : cursor.value(0),
  );
  if (fault !== undefined) return refused(fault.reason, batch ? null : fault.id);
  if (cursor.fault !== undefined) return refused(cursor.fault, null);
  const [first, ...others] = messages;
  if (!read || first === undefined) return refused(batch ? 'batch' : 'shape', null);
  return { ok: true, call: { messages: [first, ...others], batch, bytes } };
}

interface Envelope {
  version: string | undefined;
  method: string | undefined;
  /** JSON text. */
  id: string | undefined;
  hasMethod: boolean;
  hasResult: boolean;
  hasError: boolean;
  name: string | undefined;
  uri: string | undefined;
  /** A member that differs from a reserved one by case alone. */
  lookalike: boolean;
}

interface EnvelopeFault {
  readonly reason: MessageReason;
  readonly id: string | null;
}

function readEnvelope(cursor: JsonCursor, depth: number): Envelope | undefined {
  const envelope: Envelope = {
    version: undefined,
    method: undefined,
    id: undefined,
    hasMethod: false,
    hasResult: false,
    hasError: false,
    name: undefined,
    uri: undefined,
    lookalike: false,
  };
  return cursor.object(depth, (key) => readMember(cursor, depth + 1, envelope, key)) ? envelope : undefined;
}

function readMember(cursor: JsonCursor, depth: number, envelope: Envelope, key: string): boolean {
  switch (key) {
    case 'jsonrpc':
      envelope.version = readText(cursor, depth);
      break;
    case 'method':
      envelope.hasMethod = true;
      envelope.method = readText(cursor, depth);
      break;
    case 'id': {
      cursor.peek();
      const from = cursor.at;
      if (cursor.value(depth)) envelope.id = cursor.slice(from, cursor.at);
      break;
    }
    case 'params':
      return cursor.peek() === '{' ? readParams(cursor, depth, envelope) : cursor.value(depth);
    case 'result':
      envelope.hasResult = true;
      return cursor.value(depth);
    case 'error':
      envelope.hasError = true;
      return cursor.value(depth);
    default:
      envelope.lookalike ||= envelopeMembers.has(fold(key));
      return cursor.value(depth);
  }
  return cursor.fault === undefined;
}

function readParams(cursor: JsonCursor, depth: number, envelope: Envelope): boolean {
  return cursor.object(depth, (key) => {
    if (key === 'name' || key === 'uri') {
      envelope[key] = readText(cursor, depth + 1);
      return cursor.fault === undefined;
    }
    envelope.lookalike ||= !paramsMembers.has(key) && paramsMembers.has(fold(key));
    return cursor.value(depth + 1);
  });
}

function readText(cursor: JsonCursor, depth: number): string | undefined {
  if (cursor.peek() === '"') return cursor.stringValue();
  cursor.value(depth);
  return undefined;
}

function judgeEnvelope(envelope: Envelope): Message | EnvelopeFault {
  const id = envelope.id !== undefined && isRequestId(envelope.id) ? envelope.id : null;
  const fault = (reason: MessageReason): EnvelopeFault => ({ reason, id });
  if (envelope.lookalike) return fault('member_case');
  if (envelope.version !== '2.0') return fault('shape');
  if (!envelope.hasMethod) return judgeResponse(envelope, fault);
  if (envelope.hasResult || envelope.hasError) return fault('shape');
  const { method } = envelope;
  if (method === undefined || method === '' || method.length > maximumMethodLength) return fault('method');
  // A resource is named by its uri, a tool or prompt by its name; a second one beside it says nothing.
  const target = method.startsWith('resources/') ? envelope.uri : envelope.name;
  if (envelope.id === undefined) return { kind: 'notification', method, target };
  // MCP base protocol: an id is a string or an integer and never null.
  if (id === null) return fault('id');
  return { kind: 'request', method, id, target };
}

function judgeResponse(
  envelope: Envelope,
  fault: (reason: MessageReason) => EnvelopeFault,
): Message | EnvelopeFault {
  if (envelope.hasResult === envelope.hasError) return fault('shape');
  // JSON-RPC 2.0 §5: an error answers null where the request's id couldn't be read.
  const anonymousError = envelope.hasError && (envelope.id === undefined || envelope.id === 'null');
  if (!anonymousError && (envelope.id === undefined || !isRequestId(envelope.id))) return fault('id');
  return { kind: 'response' };
}

/** Integers that every language reads alike, or a string. */
function isRequestId(text: string): boolean {
  if (text.startsWith('"')) return true;
  return /^(?:0|-?[1-9][0-9]{0,15})$/.test(text) && Number.isSafeInteger(Number(text));
}

// Go's encoding/json matches member names without regard to case, by Unicode's simple folding: "ſ" is an s, "K" (Kelvin) a k.
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}

const envelopeMembers = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const paramsMembers = new Set([
  'name',
  'uri',
  'arguments',
  '_meta',
  'cursor',
  'ref',
  'level',
  'requestid',
  'taskid',
  'task',
]);

function refused(reason: MessageReason, id: string | null): ReadMessage {
  const code = reason === 'not_json' || reason === 'not_utf8' ? -32700 : -32600;
  return { ok: false, refusal: { kind: 'message-refused', reason, code }, id };
}
