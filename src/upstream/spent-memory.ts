/** Smaller ones aren't worth the trouble. */
const worthFreeingBytes = 16 * 1024;

/** What one read of a socket brought. */
interface Read {
  readonly memory: ArrayBuffer;
  /** Not shared out among small buffers. */
  isOwn: boolean;
  /** The parser has gone on to the next. */
  isParsed: boolean;
  /** Pieces that haven't gone out yet. */
  pending: number;
}

export type OnSent = (error?: Error | null) => void;

/**
 * Gives back the memory of a long answer as it goes out. Each read of a socket has up to 64 KiB of its own, of which
 * V8 sees a small object only: it would let more than 32 MiB of them lie. A read's memory is freed at once when three
 * things are known: all its pieces have gone out; the parser has gone on to another, so that no rest of it is still to
 * be read; and it is no memory that Node shares out among small buffers.
 */
export class SpentMemory {
  #read: Read | undefined;

  /** The next piece of the answer, which is about to be written; what to call when it has gone out. */
  follow({ buffer, length }: Buffer): OnSent | undefined {
    if (buffer.byteLength < worthFreeingBytes || !(buffer instanceof ArrayBuffer)) return undefined;
    const read = this.#readIn(buffer);
    // Shared memory has one size, and goes to buffers of less than half of it (Buffer.allocUnsafe).
    read.isOwn ||= buffer.byteLength !== Buffer.poolSize || length >= Buffer.poolSize / 2;
    read.pending += 1;
    return (error) => {
      // What didn't go out may still be on its way: it stays pending for ever.
      if (error) return;
      read.pending -= 1;
      free(read);
    };
  }

  #readIn(memory: ArrayBuffer): Read {
    if (this.#read?.memory === memory) return this.#read;
    if (this.#read !== undefined) {
      this.#read.isParsed = true;
      free(this.#read);
    }
    this.#read = { memory, isOwn: false, isParsed: false, pending: 0 };
    return this.#read;
  }
}

function free({ memory, isOwn, isParsed, pending }: Read): void {
  if (isOwn && isParsed && pending === 0) memory.transfer(0);
}
