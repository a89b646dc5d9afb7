const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export interface LineReader {
  /** The next bytes of the line that is open. */
  readonly part: (bytes: Buffer) => void;
  /** The line is over. */
  readonly end: () => void;
}

/** Cuts an event stream into lines as WHATWG HTML §9.2.6 has them: CR LF, LF and CR each end one. */
export class EventLines {
  readonly #reader: LineReader;
  #afterCarriageReturn = false;

  constructor(reader: LineReader) {
    this.#reader = reader;
  }

  pass(chunk: Buffer): void {
    let from = this.#afterCarriageReturn && chunk[0] === lineFeed ? 1 : 0;
    if (chunk.length > 0) this.#afterCarriageReturn = false;
    // Each is looked for again only once it was passed, or many short lines would take the square of their number.
    let feed = -1;
    let back = -1;
    while (from < chunk.length) {
      if (feed < from) feed = next(chunk, lineFeed, from);
      if (back < from) back = next(chunk, carriageReturn, from);
      const end = Math.min(feed, back);
      if (end > from) this.#reader.part(chunk.subarray(from, end));
      if (end === chunk.length) return;
      this.#reader.end();
      const isReturn = chunk[end] === carriageReturn;
      from = isReturn && chunk[end + 1] === lineFeed ? end + 2 : end + 1;
      this.#afterCarriageReturn = isReturn && end + 1 === chunk.length;
    }
  }
}

function next(chunk: Buffer, sign: number, from: number): number {
  const at = chunk.indexOf(sign, from);
  return at === -1 ? chunk.length : at;
}
