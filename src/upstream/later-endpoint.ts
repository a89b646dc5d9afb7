/** The line that makes an event an `endpoint` one, with whatever space a reader might pass over, and its end. */
const naming = /[\r\n]event:[ \t]*endpoint[ \t]*[\r\n]/;

/** Longer than any such line is without its space, so that no more of an unfinished one has to be kept. */
const longestLine = 64;

/** Stands for the beginning of a line that can't be the one. */
const otherLine = ':';

/**
 * Watches a legacy stream behind its `endpoint` event for another one. Clients take whichever comes last: a server
 * that could name a second address would have them post elsewhere, with their tokens. A client takes
 * an event at the empty line that ends it (WHATWG HTML §9.2.6), so a stream that ends with the line that is found here
 * has not named anything.
 */
export class LaterEndpoint {
  /** The unfinished line at the end of what was seen, behind the line end before it. */
  #unfinished = '\n';

  /** Whether the bytes so far hold that line. */
  isNamedIn(chunk: Buffer): boolean {
    // One character for each byte: what is looked for is ASCII.
    const text = this.#unfinished + chunk.toString('latin1');
    if (naming.test(text)) return true;
    // However much space stands in it, one is enough to know it by.
    const line = text
      .slice(Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r'), 0))
      .replace(/[ \t]+/g, ' ');
    this.#unfinished = line.length > longestLine ? otherLine : line;
    return false;
  }
}
