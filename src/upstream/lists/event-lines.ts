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
    while (from < chunk.length) {
      const end = endOfLine(chunk, from);
      if (end > from) this.#reader.part(chunk.subarray(from, end));
      if (end === chunk.length) return;
      this.#reader.end();
      const isReturn = chunk[end] === carriageReturn;
      from = isReturn && chunk[end + 1] === lineFeed ? end + 2 : end + 1;
      this.#afterCarriageReturn = isReturn && end + 1 === chunk.length;
    }
  }
}

function endOfLine(chunk: Buffer, from: number): number {
  const feed = chunk.indexOf(lineFeed, from);
  const end = feed === -1 ? chunk.length : feed;
  const back = chunk.subarray(from, end).indexOf(carriageReturn);
  return back === -1 ? end : from + back;
}
