import { isAscii, isUtf8 } from 'node:buffer';

/** Deeper nesting than any MCP message or token needs; a hostile one would exhaust another parser's stack. */
const maximumDepth = 64;

/** From here on a set finds a repeated key sooner than a look at each. */
const manyKeys = 12;

export type JsonFault = 'not_utf8' | 'not_json' | 'too_deep' | 'duplicate_member';

/**
 * Walks JSON text (RFC 8259) the one way that no other parser can read differently. What parsers disagree
 * about is a fault: invalid UTF-8, a byte order mark, a member that occurs twice in one object in whatever
 * spelling, trailing data, nesting beyond 64. The walk builds nothing: the caller asks for what it wants while
 * the cursor passes, and every method answers false once there is a fault.
 */
export class JsonCursor {
  /** The bytes as one-byte characters: structure is ASCII, so offsets are those of the bytes. */
  readonly text: string;
  at = 0;
  fault: JsonFault | undefined;
  readonly #ascii: boolean;
  readonly #keys: string[] = [];
  /** Whether the string read last held an escape. */
  #escaped = false;

  constructor(bytes: Uint8Array) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.text = buffer.toString('latin1');
    this.#ascii = isAscii(buffer);
    if (!this.#ascii && !isUtf8(buffer)) this.fault = 'not_utf8';
  }

  /** Reads the one value that the text must consist of. */
  document(value: () => boolean): boolean {
    if (this.fault !== undefined) return false;
    if (!value()) return false;
    this.#skipSpace();
    return this.at === this.text.length || this.#fail('not_json');
  }

  /** The first character of the next value; the value isn't read. */
  peek(): string {
    this.#skipSpace();
    return this.text[this.at] ?? '';
  }

  /** Reads any value, `depth` containers down. */
  value(depth: number): boolean {
    this.#skipSpace();
    switch (this.text.charCodeAt(this.at)) {
      case 0x7b:
        return this.object(depth);
      case 0x5b:
        return this.array(depth);
      case 0x22:
        return this.#string();
      case 0x74:
        return this.#literal('true');
      case 0x66:
        return this.#literal('false');
      case 0x6e:
        return this.#literal('null');
      default:
        return this.#number();
    }
  }

  /** Reads an object; `member` must read the value of each key it is handed. */
  object(depth: number, member?: (key: string) => boolean): boolean {
    if (depth >= maximumDepth) return this.#fail('too_deep');
    if (!this.#expect(0x7b)) return false;
    const base = this.#keys.length;
    let seen: Set<string> | undefined;
    this.#skipSpace();
    if (this.text.charCodeAt(this.at) === 0x7d) {
      this.at += 1;
      return true;
    }
    for (;;) {
      const key = this.#key();
      if (key === undefined) return false;
      if (seen === undefined && this.#keys.length - base >= manyKeys) seen = new Set(this.#keys.slice(base));
      if (seen === undefined ? this.#keys.includes(key, base) : seen.has(key))
        return this.#fail('duplicate_member');
      seen?.add(key);
      if (seen === undefined) this.#keys.push(key);
      if (!this.#expect(0x3a)) return false;
      if (!(member === undefined ? this.value(depth + 1) : member(key))) return false;
      this.#skipSpace();
      const next = this.text.charCodeAt(this.at);
      this.at += 1;
      if (next === 0x7d) break;
      if (next !== 0x2c) return this.#fail('not_json');
    }
    this.#keys.length = base;
    return true;
  }

  /** Reads an array; `element` must read each of its values. */
  array(depth: number, element?: () => boolean): boolean {
    if (depth >= maximumDepth) return this.#fail('too_deep');
    if (!this.#expect(0x5b)) return false;
    this.#skipSpace();
    if (this.text.charCodeAt(this.at) === 0x5d) {
      this.at += 1;
      return true;
    }
    for (;;) {
      if (!(element === undefined ? this.value(depth + 1) : element())) return false;
      this.#skipSpace();
      const next = this.text.charCodeAt(this.at);
      this.at += 1;
      if (next === 0x5d) return true;
      if (next !== 0x2c) return this.#fail('not_json');
    }
  }

  /** Reads a string value and gives its text; undefined where the next value isn't a well-formed string. */
  stringValue(): string | undefined {
    this.#skipSpace();
    const from = this.at;
    if (!this.#string()) return undefined;
    return this.#decode(from + 1, this.at - 1);
  }

  /** The JSON text of a value read before, as it stands in the bytes. */
  slice(from: number, to: number): string {
    const raw = this.text.slice(from, to);
    return this.#ascii ? raw : Buffer.from(raw, 'latin1').toString('utf8');
  }

  #fail(fault: JsonFault): false {
    this.fault ??= fault;
    return false;
  }

  #skipSpace(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.at += 1;
    }
  }

  #expect(character: number): boolean {
    this.#skipSpace();
    if (this.text.charCodeAt(this.at) !== character) return this.#fail('not_json');
    this.at += 1;
    return true;
  }

  #key(): string | undefined {
    this.#skipSpace();
    const from = this.at;
    if (!this.#string()) return undefined;
    return this.#decode(from + 1, this.at - 1);
  }

  /** Two spellings of one string must come out equal, and one that UTF-8 can't carry not at all. */
  #decode(from: number, to: number): string | undefined {
    const raw = this.text.slice(from, to);
    const escaped = this.#escaped;
    if (!escaped && this.#ascii) return raw;
    const text = this.#ascii ? raw : Buffer.from(raw, 'latin1').toString('utf8');
    if (!escaped) return text;
    const decoded = JSON.parse(`"${text}"`) as string;
    if (decoded.isWellFormed()) return decoded;
    this.#fail('not_utf8');
    return undefined;
  }

  #string(): boolean {
    const { text } = this;
    if (text.charCodeAt(this.at) !== 0x22) return this.#fail('not_json');
    let at = this.at + 1;
    this.#escaped = false;
    for (;;) {
      const c = text.charCodeAt(at);
      if (c === 0x22) break;
      if (c === 0x5c) {
        const length = escapeLength(text, at);
        if (length === 0) return this.#fail('not_json');
        at += length;
        this.#escaped = true;
      } else if (c >= 0x20) at += 1;
      // A control character, or NaN at the end of the text.
      else return this.#fail('not_json');
    }
    this.at = at + 1;
    return true;
  }

  #literal(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return this.#fail('not_json');
    this.at += word.length;
    return true;
  }

  #number(): boolean {
    numberGrammar.lastIndex = this.at;
    if (!numberGrammar.test(this.text)) return this.#fail('not_json');
    this.at = numberGrammar.lastIndex;
    return true;
  }
}

// RFC 8259 §6.
const numberGrammar = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const unicodeEscape = /\\u[0-9A-Fa-f]{4}/y;

function escapeLength(text: string, at: number): number {
  const c = text.charAt(at + 1);
  if (c === 'u') {
    unicodeEscape.lastIndex = at;
    return unicodeEscape.test(text) ? 6 : 0;
  }
  return c !== '' && '"\\/bfnrt'.includes(c) ? 2 : 0;
}

/** Whether the bytes are one JSON object without anything that parsers read differently. */
export function strictObjectFault(bytes: Uint8Array): JsonFault | undefined {
  const cursor = new JsonCursor(bytes);
  return cursor.document(() => cursor.object(0)) ? undefined : (cursor.fault ?? 'not_json');
}
