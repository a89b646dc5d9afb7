import { EventLines } from './event-lines.ts';
import type { Shows } from './filter-lists.ts';
import { filterLists } from './filter-lists.ts';
import { ListWatch } from './list-watch.ts';
import type { Sieve, Sifted } from './sifted.ts';
import { held, lateList, listTooLong, maximumHeldBytes, maximumListBytes } from './sifted.ts';

export interface EventSieveParts {
  readonly shows: Shows;
  /** JSON text of the id of the one request that the stream answers; null: it answers none, or several. */
  readonly requestId: string | null;
  /** An answer was replaced by an error. */
  readonly onWithheld: (detail: string) => void;
}

const colon = 0x3a;
const space = 0x20;
const lineFeed = Buffer.from('\n');
const dataField = Buffer.from('data: ');
/** All that is left of a comment: a sign of life. */
const comment = Buffer.from(':\n');
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** By so many bytes a line tells whether it is data: a byte order mark, `data:` and a space. */
const tellingBytes = 9;

/**
 * Lets an event stream through, event by event, with the lists in it filtered. Every event is written anew, in the one form
 * that no reader takes for another: `event`, `id`, `retry` and `data` as WHATWG HTML §9.2.6 reads them, nothing else; comments
 * without their text. What can't be filtered becomes an error for its request, and where nobody knows which one that is, the
 * end of the stream.
 */
export class EventSieve implements Sieve {
  readonly #parts: EventSieveParts;
  readonly #lines = new EventLines({ part: (bytes) => this.#take(bytes), end: () => this.#endLine() });
  #out: Buffer[] = [];
  #fault: Sifted | undefined;
  #isFirstLine = true;
  /** The open line; of a line of data its value. */
  #line: Buffer[] = [];
  #isData: boolean | undefined;
  /** The open event: its other fields, and its data. */
  #fields: Buffer[] = [];
  #data: Buffer[] = [];
  #watch = new ListWatch();
  #heldBytes = 0;
  /** Some of the open event has gone on: it is long and no list. */
  #isFlowing = false;
  #isLineFlowing = false;
  sawList = false;

  constructor(parts: EventSieveParts) {
    this.#parts = parts;
  }

  pass(chunk: Buffer): Sifted {
    this.#lines.pass(chunk);
    return this.#result();
  }

  /** An event without the empty line behind it is none to a client; it stays without one. */
  end(): Sifted {
    if (this.#line.length > 0) this.#endLine();
    if (!this.#isFlowing && !this.#watch.isOpen) this.#endEvent();
    return this.#result();
  }

  #result(): Sifted {
    if (this.#fault !== undefined) return this.#fault;
    const out = this.#out;
    this.#out = [];
    return out.length === 0 ? held : { state: 'open', bytes: joined(out) };
  }

  #take(bytes: Buffer): void {
    if (this.#fault !== undefined) return;
    this.#line.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#isData === undefined) {
      if (lengthOf(this.#line) < tellingBytes) return;
      this.#tellField();
    } else if (this.#isData) this.#watch.feed(bytes);
    this.#keepWithinBounds();
  }

  #tellField(): void {
    const line = joined(this.#line);
    const text = this.#isFirstLine && line.subarray(0, 3).equals(byteOrderMark) ? line.subarray(3) : line;
    this.#isFirstLine = false;
    const value = valueOfData(text);
    this.#isData = value !== undefined;
    this.#line = [value ?? text];
    if (value === undefined) return;
    if (this.#data.length > 0 || this.#isFlowing) this.#watch.feed(lineFeed);
    this.#watch.feed(value);
  }

  #keepWithinBounds(): void {
    this.sawList ||= this.#watch.sawList;
    if (this.#isFlowing && this.#watch.sawList) this.#fault = lateList;
    else if (this.#isLineFlowing) this.#emit(this.#line.splice(0));
    else if (this.#watch.sawList) {
      if (this.#heldBytes > maximumListBytes) this.#fault = listTooLong;
    } else if (this.#heldBytes > maximumHeldBytes) this.#flow();
  }

  /** Lets go what is held of an event without a list. */
  #flow(): void {
    if (this.#isData !== true) {
      this.#fault = { state: 'fault', detail: 'an event with a line of more than 1 MiB that is no data' };
      return;
    }
    this.#emit(this.#fields, this.#data.flatMap(dataLine), [dataField], this.#line);
    this.#forget();
    this.#isFlowing = true;
    this.#isLineFlowing = true;
  }

  #endLine(): void {
    if (this.#fault !== undefined) return;
    const isEmpty = this.#line.length === 0 && this.#isData === undefined;
    if (this.#isData === undefined) this.#tellField();
    if (isEmpty) return this.#endEvent(lineFeed);
    this.#keepWithinBounds();
    const line = joined(this.#line);
    if (this.#isLineFlowing) this.#out.push(lineFeed);
    else if (this.#isData !== true) this.#keepField(line);
    else if (this.#isFlowing) this.#emit(dataLine(line));
    else this.#data.push(line);
    if (this.#isFlowing) this.#heldBytes = 0;
    this.#line = [];
    this.#isData = undefined;
    this.#isLineFlowing = false;
  }

  #keepField(line: Buffer): void {
    if (/^(?:event|id|retry)(?::|$)/.test(line.toString('latin1', 0, 6))) {
      (this.#isFlowing ? this.#out : this.#fields).push(line, lineFeed);
      return;
    }
    this.#heldBytes -= line.length;
    if (line[0] === colon) this.#out.push(comment);
  }

  #endEvent(...closing: readonly Buffer[]): void {
    if (this.#isFlowing || this.#data.length === 0) this.#emit(this.#fields, closing);
    else {
      const data = joined(this.#data.flatMap((line, index) => (index === 0 ? [line] : [lineFeed, line])));
      const passing = this.#filter(data);
      if (passing !== undefined) this.#emit(this.#fields, linesOf(passing).flatMap(dataLine), closing);
    }
    if (this.#watch.isOpen) this.#fault ??= brokenEvent;
    this.#forget();
    this.#watch = new ListWatch();
    this.#isData = undefined;
    this.#isFlowing = false;
  }

  /** The data that may go on; undefined where nothing may any more. */
  #filter(data: Buffer): Buffer | undefined {
    if (!this.#watch.sawList && !this.#watch.isOpen) return data;
    const filtered = filterLists(data, this.#parts.shows);
    if (filtered.ok) return filtered.bytes;
    const id = filtered.id ?? this.#parts.requestId;
    const detail = `a list that can't be filtered: ${filtered.says}`;
    if (id === null) {
      this.#fault = { state: 'fault', detail };
      return undefined;
    }
    this.#parts.onWithheld(detail);
    this.#watch = new ListWatch();
    return Buffer.from(errorFor(id));
  }

  /** An event may have more pieces than one call takes arguments. */
  #emit(...groups: readonly (readonly Buffer[])[]): void {
    for (const pieces of groups) for (const piece of pieces) this.#out.push(piece);
  }

  #forget(): void {
    this.#fields = [];
    this.#data = [];
    this.#line = [];
    this.#heldBytes = 0;
  }
}

const brokenEvent: Sifted = { state: 'fault', detail: 'an event whose data is no whole JSON' };

/** In the words of a refusal for an upstream that failed: the status of the stream has gone out already. */
function errorFor(id: string): string {
  return `{"jsonrpc":"2.0","id":${id},"error":{"code":50200,"message":"The MCP server failed"}}`;
}

/** The value of a line of data; undefined for any other line. `database` is no data, and a line without a colon is all name. */
function valueOfData(line: Buffer): Buffer | undefined {
  if (line.toString('latin1', 0, 4) !== 'data') return undefined;
  if (line.length === 4) return line.subarray(4);
  if (line[4] !== colon) return undefined;
  return line.subarray(line[5] === space ? 6 : 5);
}

function joined(parts: readonly Buffer[]): Buffer {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}

function dataLine(value: Buffer): readonly Buffer[] {
  return [dataField, value, lineFeed];
}

function linesOf(data: Buffer): readonly Buffer[] {
  const lines: Buffer[] = [];
  let from = 0;
  for (let end = data.indexOf(lineFeed); end !== -1; end = data.indexOf(lineFeed, from)) {
    lines.push(data.subarray(from, end));
    from = end + 1;
  }
  return [...lines, data.subarray(from)];
}

function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
