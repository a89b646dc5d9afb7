import { isUtf8 } from 'node:buffer';

/** Deeper nesting than any MCP message or token needs; a hostile one would exhaust another parser's stack. */
const maximumDepth = 64;

/** Members, and objects with arrays. A megabyte of them holds every other request up for seconds; no call has so many. */
const maximumCount = 50_000;

export type JsonFault = 'not_utf8' | 'not_json' | 'too_deep' | 'too_many' | 'duplicate_member';

export type StrictJson =
  | { readonly ok: true; readonly value: unknown; readonly text: string }
  | { readonly ok: false; readonly fault: JsonFault };

/**
 * Reads JSON (RFC 8259) the one way that no other parser can read differently. Grammar is JSON.parse's; beyond it
 * what parsers disagree about is a fault: invalid UTF-8, a byte order mark, a member that occurs twice in one
 * object in whatever spelling, a key that UTF-8 can't carry, nesting beyond 64. Numbers come as JavaScript has
 * them: whoever needs their spelling looks at the text.
 */
export function readStrictJson(bytes: Buffer): StrictJson {
  if (!isUtf8(bytes)) return notUtf8;
  const written = countWritten(bytes);
  if (written.members > maximumCount || written.containers > maximumCount) return tooMany;
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return notJson;
  }
  const kept = countKept(value, 0, text.includes('\\u'));
  if (typeof kept === 'string') return { ok: false, fault: kept };
  // JSON.parse keeps one member of each name, the last. Whatever the spelling, a lost one is missing from the count.
  return kept === written.members ? { ok: true, value, text } : duplicateMember;
}

const notUtf8: StrictJson = { ok: false, fault: 'not_utf8' };
const tooMany: StrictJson = { ok: false, fault: 'too_many' };
const notJson: StrictJson = { ok: false, fault: 'not_json' };
const duplicateMember: StrictJson = { ok: false, fault: 'duplicate_member' };

const quote = 0x22;
const colon = 0x3a;
const backslash = 0x5c;
const openBracket = 0x5b;
const openBrace = 0x7b;

/**
 * What a text writes down outside its strings: a colon for each member, a brace or bracket for each container. No
 * byte of a longer UTF-8 sequence looks like one of these.
 */
function countWritten(bytes: Buffer): { readonly members: number; readonly containers: number } {
  let members = 0;
  let containers = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === quote) at = endOfString(bytes, at);
    else if (byte === colon) members += 1;
    else if (byte === openBrace || byte === openBracket) containers += 1;
  }
  return { members, containers };
}

/** Up to here looking at each byte is cheaper than having the next quotation mark found. */
const shortString = 64;

/** Where the string that begins at `from` ends: its closing quotation mark; the end of the text where it doesn't. */
export function endOfString(bytes: Buffer, from: number): number {
  let at = from + 1;
  while (at < bytes.length) {
    const near = Math.min(at + shortString, bytes.length);
    for (; at < near; at += 1) {
      if (bytes[at] === quote) return at;
      if (bytes[at] === backslash) at += 1;
    }
    at = bytes.indexOf(quote, at);
    if (at === -1) return bytes.length;
    if (escapesBefore(bytes, at) % 2 === 0) return at;
    at += 1;
  }
  return bytes.length;
}

function escapesBefore(bytes: Buffer, at: number): number {
  let escapes = 0;
  while (bytes[at - 1 - escapes] === backslash) escapes += 1;
  return escapes;
}

/** The members that a parsed value has, however deep; a fault where it is too deep or a key has no UTF-8. */
function countKept(value: unknown, depth: number, mayBeMalformed: boolean): number | JsonFault {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth >= maximumDepth) return 'too_deep';
  let count = 0;
  if (Array.isArray(value)) {
    for (const child of value as unknown[]) {
      const below = countKept(child, depth + 1, mayBeMalformed);
      if (typeof below === 'string') return below;
      count += below;
    }
    return count;
  }
  // What was parsed has no members but its own.
  for (const key in value) {
    if (mayBeMalformed && !key.isWellFormed()) return 'not_utf8';
    const below = countKept((value as JsonObject)[key], depth + 1, mayBeMalformed);
    if (typeof below === 'string') return below;
    count += 1 + below;
  }
  return count;
}

type JsonObject = Readonly<Record<string, unknown>>;
