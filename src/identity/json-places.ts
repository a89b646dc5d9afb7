import { endOfString } from '../vocabulary/strict-json.ts';

/*
 * Where things stand in the bytes of JSON. All of it takes bytes that the strict reader has taken before: the text is
 * whole, and no member occurs twice.
 */

/** From the quotation mark of its name to the end of its value. */
export interface MemberPlace {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** Where the value of a member begins, by its name in whatever spelling; undefined where the object lacks it. */
export function valueOf(bytes: Buffer, open: number, name: string): number | undefined {
  let from = afterSpace(bytes, open + 1);
  while (bytes[from] === quote) {
    const end = endOfString(bytes, from);
    const value = afterColon(bytes, end + 1);
    if (isNamed(bytes, { from, end }, name)) return value;
    from = afterComma(bytes, endOfValue(bytes, value));
  }
  return undefined;
}

/** The members of the object that begins at `open`, in their order. */
export function membersOf(bytes: Buffer, open: number): readonly MemberPlace[] {
  const members: MemberPlace[] = [];
  let from = afterSpace(bytes, open + 1);
  while (bytes[from] === quote) {
    const end = endOfString(bytes, from);
    const to = endOfValue(bytes, afterColon(bytes, end + 1));
    members.push({ name: nameIn(bytes, from, end), from, to });
    from = afterComma(bytes, to);
  }
  return members;
}

/** Where the elements of the array that begins at `open` begin. */
export function elementsOf(bytes: Buffer, open: number): readonly number[] {
  const elements: number[] = [];
  let from = afterSpace(bytes, open + 1);
  while (bytes[from] !== closeBracket) {
    elements.push(from);
    from = afterComma(bytes, endOfValue(bytes, from));
  }
  return elements;
}

/** The first byte after what begins at `from`. */
export function endOfValue(bytes: Buffer, from: number): number {
  const first = bytes[from];
  if (first === quote) return endOfString(bytes, from) + 1;
  if (first !== openBrace && first !== openBracket) return endOfWord(bytes, from);
  let depth = 0;
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === quote) at = endOfString(bytes, at);
    else if (byte === openBrace || byte === openBracket) depth += 1;
    else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return bytes.length;
}

/** The first byte from here on that isn't space. */
export function afterSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

function afterColon(bytes: Buffer, from: number): number {
  return afterSpace(bytes, afterSpace(bytes, from) + 1);
}

/** The next member or element; without a comma, the end of what holds them. */
function afterComma(bytes: Buffer, from: number): number {
  const at = afterSpace(bytes, from);
  return bytes[at] === comma ? afterSpace(bytes, at + 1) : at;
}

/** A number or a word. */
function endOfWord(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && !isSpace(bytes[at]) && !endsWord.has(bytes[at] ?? 0)) at += 1;
  return at;
}

const endsWord: ReadonlySet<number> = new Set([comma, closeBracket, closeBrace]);

// RFC 8259 §2.
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** What is looked for is plain ASCII, so what spells it with escapes is longer; only that has to be read. */
function isNamed(bytes: Buffer, { from, end }: Quoted, name: string): boolean {
  const length = end - from - 1;
  if (length < name.length) return false;
  for (let at = 0; at < length; at += 1) {
    const byte = bytes[from + 1 + at];
    if (byte === backslash) return nameIn(bytes, from, end) === name;
    if (length === name.length && byte !== name.charCodeAt(at)) return false;
  }
  return length === name.length;
}

/** The quotation marks around a name. */
interface Quoted {
  readonly from: number;
  readonly end: number;
}

function nameIn(bytes: Buffer, from: number, end: number): string {
  const written = bytes.toString('utf8', from + 1, end);
  return written.includes('\\') ? (JSON.parse(`"${written}"`) as string) : written;
}
