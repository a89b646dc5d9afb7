const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Follows the bytes of an event stream (WHATWG HTML §9.2.6) just far enough to know whether they stand between
 * two events. Only there may a comment be put in.
 */
export class EventBoundary {
  /** Line ends seen in a row, counting CR LF once; two make an empty line. */
  #lineEnds = 2;
  #afterCarriageReturn = false;

  /** Whether the stream stands at its start or behind a complete event. */
  get between(): boolean {
    // Behind a lone CR the LF of the same line end may still follow.
    return this.#lineEnds >= 2 && !this.#afterCarriageReturn;
  }

  pass(chunk: Uint8Array): void {
    // More than the last four bytes can't matter once there is another byte before them.
    const from = Math.max(0, chunk.length - 4);
    if (from > 0) {
      this.#lineEnds = 0;
      this.#afterCarriageReturn = chunk[from - 1] === carriageReturn;
    }
    for (let index = from; index < chunk.length; index += 1) this.#step(chunk[index] ?? 0);
  }

  #step(byte: number): void {
    if (byte === lineFeed && this.#afterCarriageReturn) this.#afterCarriageReturn = false;
    else if (byte === lineFeed || byte === carriageReturn) {
      this.#lineEnds += 1;
      this.#afterCarriageReturn = byte === carriageReturn;
    } else {
      this.#lineEnds = 0;
      this.#afterCarriageReturn = false;
    }
  }
}
