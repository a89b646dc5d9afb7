/**
 * The type of an `endpoint` event, with whatever space a reader might pass over: languages differ in what they take for it, and
 * some of it has several bytes.
 */
const named = '[^!-~\\r\\n]*endpoint[^!-~\\r\\n]*';
const wholeType = new RegExp(`^${named}$`);

/** The line that makes an event such a one, and its end. */
const naming = new RegExp(`[\\r\\n]event:${named}[\\r\\n]`);

/** Whether any reader takes an event of this type, one character for each byte, for an `endpoint` one. */
export function isEndpoint(type: string): boolean {
  return wholeType.test(type);
}

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
      .replace(/[^!-~\r\n]+/g, ' ');
    this.#unfinished = line.length > longestLine ? otherLine : line;
    return false;
  }
}
