import type { Call, Message } from '../vocabulary/call.ts';
import type { MessageReason, Refusal } from '../vocabulary/refusal.ts';
import { readStrictJson } from '../vocabulary/strict-json.ts';

/** MCP 2025-03-26 allows batches without a bound; more than this is no client's need. */
const maximumBatch = 50;

/** The longest method of any MCP revision has 36 characters. */
const maximumMethodLength = 256;

export type ReadMessage =
  | {
      readonly ok: true;
      readonly call: Call;
      /** The same bytes, parsed. */
      readonly value: unknown;
    }
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
  const writtenIds = idsAsWritten(value, text);
  if (!Array.isArray(value)) {
    const message = judgeEnvelope(value, writtenIds);
    return 'kind' in message
      ? { ok: true, call: { messages: [message], batch: false, bytes }, value }
      : refused(message.reason, message.id);
  }
  if (value.length > maximumBatch) return refused('batch', null);
  const messages: Message[] = [];
  for (const element of value as unknown[]) {
    const message = judgeEnvelope(element, writtenIds);
    if (!('kind' in message)) return refused(message.reason, null);
    messages.push(message);
  }
  const [first, ...others] = messages;
  return first === undefined
    ? refused('batch', null)
    : { ok: true, call: { messages: [first, ...others], batch: true, bytes }, value };
}

interface EnvelopeFault {
  readonly reason: MessageReason;
  /** JSON text. */
  readonly id: string | null;
}

type JsonObject = Readonly<Record<string, unknown>>;

function judgeEnvelope(value: unknown, writtenIds: WrittenIds): Message | EnvelopeFault {
  if (!isObject(value)) return { reason: 'shape', id: null };
  const { jsonrpc, method, params } = value;
  const id = requestId(value, writtenIds);
  const fault = (reason: MessageReason): EnvelopeFault => ({ reason, id });
  if (hasLookalike(value, envelopeMembers) || (isObject(params) && paramsHaveLookalike(params)))
    return fault('member_case');
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

/**
 * A resource is named by its uri, a tool or prompt by its name, a completion by its ref. The method alone says which:
 * a caller who adds `type` or `uri` to a call mustn't have another name judged than the one that is run.
 */
function targetOf(method: string, params: unknown): string | undefined {
  if (!isObject(params)) return undefined;
  const target =
    method === 'completion/complete' ? targetOfReference(params['ref']) : namedBy(method, params);
  return typeof target === 'string' ? target : undefined;
}

function namedBy(method: string, { uri, name }: JsonObject): unknown {
  return method.startsWith('resources/') ? uri : name;
}

function targetOfReference(ref: unknown): unknown {
  if (!isObject(ref)) return undefined;
  return ref['type'] === 'ref/resource' ? ref['uri'] : ref['name'];
}

/** The JSON text of an id that every language reads alike: a string, or an integer written as one. */
function requestId(envelope: JsonObject, writtenIds: WrittenIds): string | null {
  const { id } = envelope;
  if (typeof id === 'string') return id.isWellFormed() ? JSON.stringify(id) : null;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) return null;
  const written = writtenIds === undefined ? String(id) : writtenIds.get(envelope);
  return written !== undefined && /^(?:0|-?[1-9][0-9]*)$/.test(written) ? written : null;
}

/** How the numbers under `id` were written, by the object they stand in; undefined where all are plain. */
type WrittenIds = ReadonlyMap<unknown, string> | undefined;

// 1.0, 1e0 and -0 are integers to some languages only.
const unusualNumber = /"id"[ \t\r\n]*:[ \t\r\n]*(?:-0[ \t\r\n]*[,}]|-?[0-9]+[.eE])/;

/** How i (0x69) and d (0x64) begin where a key is spelt with escapes. */
const escapedLetter = '\\u006';

/** Parsed numbers don't tell how they were written. Only where one may be unusual the text is parsed again to know. */
function idsAsWritten(value: unknown, text: string): WrittenIds {
  const hasNumber = Array.isArray(value) ? (value as unknown[]).some(hasNumberAsId) : hasNumberAsId(value);
  if (!hasNumber || !(unusualNumber.test(text) || text.includes(escapedLetter))) return undefined;
  const written = new Map<unknown, string>();
  const again = JSON.parse(
    text,
    function revive(this: unknown, key: string, member: unknown, context?: { source?: string }) {
      if (key === 'id' && typeof member === 'number') written.set(this, context?.source ?? '');
      return member;
    },
  ) as unknown;
  // The envelopes of the second reading stand for those of the first.
  const pairs = Array.isArray(value)
    ? (value as unknown[]).map((each, index) => [each, (again as unknown[])[index]])
    : [[value, again]];
  return new Map(
    pairs.flatMap(([first, second]) =>
      written.has(second) ? [[first, written.get(second) ?? ''] as const] : [],
    ),
  );
}

function hasNumberAsId(value: unknown): boolean {
  return isObject(value) && typeof value['id'] === 'number';
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Whether a member differs from one that is read by its case alone. Go's encoding/json matches names without
 * regard to case, by Unicode's simple folding: "ſ" is an s, "K" (Kelvin) a k.
 */
function hasLookalike(object: JsonObject, members: Members): boolean {
  for (const key in object) {
    if (!members.exact.has(key) && members.folded.has(fold(key))) return true;
  }
  return false;
}

/** What policy reads below `params` stands in members of its own. */
function paramsHaveLookalike(params: JsonObject): boolean {
  if (hasLookalike(params, paramsMembers)) return true;
  const { ref, notifications } = params;
  return (
    (isObject(ref) && hasLookalike(ref, refMembers)) ||
    (isObject(notifications) && hasLookalike(notifications, filterMembers))
  );
}

interface Members {
  readonly exact: ReadonlySet<string>;
  readonly folded: ReadonlySet<string>;
}

function membersNamed(...names: readonly string[]): Members {
  return { exact: new Set(names), folded: new Set(names.map(fold)) };
}

function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}

const envelopeMembers = membersNamed('jsonrpc', 'id', 'method', 'params', 'result', 'error');
const callMembers = membersNamed('name', 'uri', 'arguments', '_meta', 'cursor');
const paramsMembers = membersNamed(
  ...callMembers.exact,
  'ref',
  'level',
  'task',
  'taskId',
  'requestId',
  'notifications',
);
const refMembers = membersNamed('type', 'name', 'uri');
const filterMembers = membersNamed('resourceSubscriptions');

function refused(reason: MessageReason, id: string | null): ReadMessage {
  const code = reason === 'not_json' || reason === 'not_utf8' ? -32700 : -32600;
  return { ok: false, refusal: { kind: 'message-refused', reason, code }, id };
}
