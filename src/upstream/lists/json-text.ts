const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const colon = 0x3a;
const comma = 0x2c;

const plainString = /^"[\w./:{}-]*"$/;

/** Deeper nesting than any list needs. */
const maximumDepth = 64;

export interface Span {
  readonly start: number;
  /** Behind it. */
  readonly end: number;
}

/** A member: where its name stands, quotation marks included, and where its value begins. Answers where that ends. */
export type VisitMember = (name: Span, value: number) => number;

/**
 * JSON with the places of what is in it, each byte looked at once: JSON.parse doesn't tell where a value stood, and what is written
 * anew has lost the spelling of its numbers. It isn't a parser: it may find nothing wrong with what is no JSON, which every parser then
 * refuses. But where it finds nothing wrong there is no sign outside of strings that JSON doesn't have, no comment, no other quotation
 * mark, and all brackets match, so that no parser, however lenient, sees a string, an object or an array begin or end elsewhere.
 */
export class JsonText {
  readonly bytes: Buffer;
  /** What was said of it so far means nothing. */
  isBroken = false;
  readonly #closers = new Uint8Array(maximumDepth);

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Where its one value stands, which `visit` goes through. */
  walk(visit: (start: number) => number): void {
    const start = this.#skipSpace(0);
    if (start === this.bytes.length || this.#skipSpace(visit(start)) !== this.bytes.length) this.#break();
  }

  isObject(at: number): boolean {
    return this.bytes[at] === openBrace;
  }

  isArray(at: number): boolean {
    return this.bytes[at] === openBracket;
  }

  /** Goes through the object that stands there; answers where it ends. */
  walkObject(start: number, visit: VisitMember): number {
    return this.#walkItems(start, closeBrace, (at) => {
      if (this.bytes[at] !== quote) return this.#break();
      const name = { start: at, end: this.#endOfString(at) };
      const between = this.#skipSpace(name.end);
      if (this.bytes[between] !== colon) return this.#break();
      return visit(name, this.#skipSpace(between + 1));
    });
  }

  /** Goes through the elements of the array that stands there, and answers likewise. */
  walkArray(start: number, visit: (element: number) => number): number {
    return this.#walkItems(start, closeBracket, visit);
  }

  /** Where the value that stands there ends. */
  endOfValue(start: number): number {
    const first = this.bytes[start];
    if (first === quote) return this.#endOfString(start);
    if (first === openBrace || first === openBracket) return this.#endOfContainer(start);
    let at = start;
    while (kinds[this.bytes[at] ?? comma] === scalar) at += 1;
    return at === start ? this.#break() : at;
  }

  /** What a value says that is neither object nor array; undefined for what is no such value. */
  read({ start, end }: Span): unknown {
    const text = this.bytes.toString('utf8', start, end);
    // Most strings are their text.
    if (plainString.test(text)) return text.slice(1, -1);
    try {
      return JSON.parse(text);
    } catch {
      this.#break();
      return undefined;
    }
  }

  #walkItems(start: number, closer: number, visit: (at: number) => number): number {
    let at = this.#skipSpace(start + 1);
    if (this.bytes[at] === closer) return at + 1;
    while (!this.isBroken) {
      at = this.#skipSpace(visit(at));
      if (this.bytes[at] === closer) return at + 1;
      if (this.bytes[at] !== comma) return this.#break();
      at = this.#skipSpace(at + 1);
    }
    return this.bytes.length;
  }

  #skipSpace(from: number): number {
    const { bytes } = this;
    let at = from;
    while (kinds[bytes[at] ?? comma] === space) at += 1;
    return at;
  }

  #endOfContainer(start: number): number {
    const { bytes } = this;
    const { length } = bytes;
    let depth = 0;
    for (let at = start; at < length; at += 1) {
      const byte = bytes[at] ?? 0;
      const kind = kinds[byte];
      if (kind === string) at = this.#endOfString(at) - 1;
      else if (kind === opener) {
        if (depth === maximumDepth) return this.#break();
        // Each stands two before the one that closes it.
        this.#closers[depth] = byte + 2;
        depth += 1;
      } else if (kind === closing) {
        depth -= 1;
        if (this.#closers[depth] !== byte) return this.#break();
        if (depth === 0) return at + 1;
      } else if (kind === foreign) return this.#break();
    }
    return this.#break();
  }

  #endOfString(start: number): number {
    const { bytes } = this;
    const { length } = bytes;
    for (let at = start + 1; at < length; at += 1) {
      const byte = bytes[at];
      if (byte === quote) return at + 1;
      if (byte === backslash) at += 1;
    }
    return this.#break();
  }

  /** Its end, so that whoever goes on finds nothing more. */
  #break(): number {
    this.isBroken = true;
    return this.bytes.length;
  }
}

const foreign = 0;
const space = 1;
const scalar = 2;
const separator = 3;
const string = 4;
const opener = 5;
const closing = 6;

/** What each byte is outside of a string (RFC 8259 §2, §3, §6). */
const kinds = kindsOf([
  [space, ' \t\r\n'],
  [scalar, '0123456789+-.eEtrufalsn'],
  [separator, ',:'],
  [string, '"'],
  [opener, '{['],
  [closing, '}]'],
]);

function kindsOf(groups: readonly (readonly [number, string])[]): Uint8Array {
  const table = new Uint8Array(256).fill(foreign);
  for (const [kind, signs] of groups) for (const byte of Buffer.from(signs)) table[byte] = kind;
  return table;
}
