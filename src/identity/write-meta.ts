import type { Call, Message } from '../vocabulary/call.ts';
import { assertionName } from './assertions.ts';
import { afterSpace, elementsOf, endOfValue, membersOf, valueOf } from './json-places.ts';

/**
 * The bytes of a call with the assertion in `params._meta` of each request, and without any that the client sent: in
 * requests and notifications there, in responses in `result._meta`, in every spelling of the name and in any case,
 * which some servers don't tell apart. Every other member keeps its bytes. Without a member to put in, copies are only
 * taken out. Undefined where a request has `params` or `_meta` that can't hold a member.
 */
export function writeMeta({ messages, batch, bytes }: Call, member: string | undefined): Buffer | undefined {
  const start = afterSpace(bytes, 0);
  const places = batch ? elementsOf(bytes, start) : [start];
  const edits: Edit[] = [];
  for (const [index, message] of messages.entries()) {
    const wanted = message.kind === 'request' ? member : undefined;
    const edit = editOf(bytes, { kind: message.kind, at: places[index] ?? start }, wanted);
    if (edit === 'impossible') return undefined;
    if (edit !== undefined) edits.push(edit);
  }
  return edits.length === 0 ? bytes : applied(bytes, edits);
}

interface Place {
  readonly kind: Message['kind'];
  /** The brace of the message. */
  readonly at: number;
}

/** Bytes from one place to another, and what stands there instead. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

function editOf(
  bytes: Buffer,
  { kind, at }: Place,
  member: string | undefined,
): Edit | 'impossible' | undefined {
  const holder = valueOf(bytes, at, kind === 'response' ? 'result' : 'params');
  if (holder === undefined)
    return member === undefined ? undefined : inserted(at, `"params":{"_meta":{${member}}},`);
  if (bytes[holder] !== brace) return member === undefined ? undefined : 'impossible';
  const meta = valueOf(bytes, holder, '_meta');
  if (meta === undefined)
    return member === undefined
      ? undefined
      : inserted(holder, `"_meta":{${member}}${commaBeforeRest(bytes, holder)}`);
  if (bytes[meta] !== brace) return member === undefined ? undefined : 'impossible';
  return editOfMeta(bytes, meta, member);
}

function editOfMeta(bytes: Buffer, meta: number, member: string | undefined): Edit | undefined {
  const members = membersOf(bytes, meta);
  const kept = members.filter(({ name }) => fold(name) !== foldedName);
  if (kept.length === members.length)
    return member === undefined ? undefined : inserted(meta, `${member}${members.length === 0 ? '' : ','}`);
  const written = kept.map(({ from, to }) => bytes.toString('utf8', from, to));
  const text = `{${(member === undefined ? written : [member, ...written]).join(',')}}`;
  return { from: meta, to: endOfValue(bytes, meta), text };
}

const brace = 0x7b;
const closeBrace = 0x7d;

/** Right behind a brace. */
function inserted(open: number, text: string): Edit {
  return { from: open + 1, to: open + 1, text };
}

function commaBeforeRest(bytes: Buffer, open: number): string {
  return bytes[afterSpace(bytes, open + 1)] === closeBrace ? '' : ',';
}

/** Names that differ by case alone, by Unicode's simple folding, are one: "ſ" is an s. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

const foldedName = fold(assertionName);

function applied(bytes: Buffer, edits: readonly Edit[]): Buffer {
  let length = bytes.length;
  for (const { from, to, text } of edits) length += Buffer.byteLength(text) - (to - from);
  const written = Buffer.allocUnsafe(length);
  let [end, at] = [0, 0];
  for (const { from, to, text } of edits) {
    end += bytes.copy(written, end, at, from);
    end += written.write(text, end);
    at = to;
  }
  bytes.copy(written, end, at);
  return written;
}
