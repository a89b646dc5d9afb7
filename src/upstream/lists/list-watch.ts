import { fold, isListName } from './list-names.ts';

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const colon = 0x3a;
const comma = 0x2c;

/** `resourceTemplates` with every letter written as an escape has 102. */
const longestKey = 128;

/**
 * Watches JSON as it comes, piece by piece, for a result that has a list in it, in a message or in a batch of them. Of
 * JSON that any parser takes it misses none, however it is spelt; it doesn't check the JSON.
 */
export class ListWatch {
  /** A list was named: what is in it comes after its name. */
  sawList = false;
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  /** The next string at this depth would be a key. */
  #awaitsKey = false;
  /** What came of a key that may matter, one character for each byte. */
  #key: string | undefined;
  /** Where the members of messages stand: in an object, or in an object in an array. */
  #messageDepth = 0;
  /** Where those of the open result stand; 0: none is open. */
  #resultDepth = 0;
  #afterResultKey = false;

  /** Whether something that was opened is still to be closed; of a list it isn't known. */
  get isOpen(): boolean {
    return !this.sawList && (this.#depth > 0 || this.#inString);
  }

  feed(bytes: Buffer): void {
    // What is still to come doesn't change what has to be done.
    if (this.sawList) return;
    // JSON has no such byte, but text in UTF-16 has, and some clients read that.
    if (bytes.includes(0)) this.sawList = true;
    let at = 0;
    while (at < bytes.length && !this.sawList)
      at = this.#inString ? this.#readString(bytes, at) : this.#readSigns(bytes, at);
  }

  /** Up to the first quotation mark that begins a string. */
  #readSigns(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === quote) {
        this.#inString = true;
        this.#key = this.#awaitsKey && this.#isWatched && mayMatter(bytes[at + 1]) ? '' : undefined;
        return at + 1;
      }
      if (byte === openBrace) this.#open(true);
      else if (byte === openBracket) this.#open(false);
      else if (byte === closeBrace || byte === closeBracket) this.#close();
      else if (byte === colon) this.#awaitsKey = false;
      else if (byte === comma) {
        this.#awaitsKey = this.#isWatched;
        this.#afterResultKey &&= this.#depth !== this.#messageDepth;
      }
    }
    return bytes.length;
  }

  /** Up to the end of the string. */
  #readString(bytes: Buffer, from: number): number {
    const end = this.#endOfString(bytes, from);
    if (this.#key !== undefined && this.#key.length < longestKey)
      this.#key += bytes.toString('latin1', from, end);
    if (end === bytes.length) return end;
    this.#inString = false;
    if (this.#key !== undefined) this.#takeKey(this.#key);
    return end + 1;
  }

  /** Where the quotation mark stands that ends it. */
  #endOfString(bytes: Buffer, from: number): number {
    const { length } = bytes;
    let isEscaped = this.#isEscaped;
    let at = from;
    for (; at < length; at += 1) {
      const byte = bytes[at];
      if (isEscaped) isEscaped = false;
      else if (byte === backslash) isEscaped = true;
      else if (byte === quote) break;
    }
    this.#isEscaped = isEscaped;
    return at;
  }

  get #isWatched(): boolean {
    return this.#depth > 0 && (this.#depth === this.#messageDepth || this.#depth === this.#resultDepth);
  }

  #open(isObject: boolean): void {
    const begins = this.#depth === 0 || (this.#depth === 1 && this.#messageDepth === 2);
    if (this.#depth === 0) this.#messageDepth = isObject ? 1 : 2;
    if (isObject && !begins && this.#afterResultKey && this.#depth === this.#messageDepth)
      this.#resultDepth = this.#depth + 1;
    this.#depth += 1;
    this.#awaitsKey = isObject && this.#isWatched;
  }

  #close(): void {
    if (this.#depth === this.#resultDepth) this.#resultDepth = 0;
    if (this.#depth === this.#messageDepth) this.#afterResultKey = false;
    this.#depth = Math.max(0, this.#depth - 1);
    this.#awaitsKey = false;
  }

  #takeKey(latin1: string): void {
    const key = nameIn(latin1);
    if (this.#depth === this.#resultDepth) this.sawList ||= isListName(key);
    // A comma ends it. What follows without one is no JSON, and must not be judged by how it was cut into pieces.
    else this.#afterResultKey ||= fold(key) === 'result';
  }
}

/** By its first byte, as far as that has come: `result`, or one of the lists, in either case or as an escape, or not ASCII. */
function mayMatter(byte: number | undefined): boolean {
  if (byte === undefined || byte === backslash || byte >= 0x80) return true;
  const lower = byte | 0x20;
  return lower === 0x70 || lower === 0x72 || lower === 0x74;
}

/** Whatever is longer than the longest key is no name of a list. */
function nameIn(latin1: string): string {
  if (/^[\w.-]*$/.test(latin1) || latin1.length > longestKey) return latin1;
  const text = Buffer.from(latin1, 'latin1').toString('utf8');
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}
