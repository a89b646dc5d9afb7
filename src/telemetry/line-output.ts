import { pino } from 'pino';

import type { LineSink } from '../vocabulary/ports.ts';

/** What may wait for a reader that doesn't read, before lines are dropped and counted. */
const maximumWaitingBytes = 16 * 1024 * 1024;

/** Lines leave in pieces of this size, or after the flush interval: one write for many requests. */
const pieceBytes = 32 * 1024;
const flushIntervalMs = 100;

export interface LineOutput extends LineSink {
  /** Lines lost so far because the reader was too slow or gone. */
  readonly dropped: number;
  flush(): void;
}

/** Writes lines to a file descriptor or file, in pieces, without ever holding up a request. */
export function openLineOutput(destination: 1 | { readonly file: string }): LineOutput {
  const stream = pino.destination({
    dest: destination === 1 ? 1 : destination.file,
    append: true,
    mkdir: false,
    sync: false,
    minLength: pieceBytes,
    maxWrite: 2 * pieceBytes,
    periodicFlush: flushIntervalMs,
    maxLength: maximumWaitingBytes,
  });
  let dropped = 0;
  stream.on('drop', () => {
    dropped += 1;
  });
  // A closed pipe or full disk must not end the gateway; what is lost is counted.
  stream.on('error', () => {
    dropped += 1;
  });
  return {
    get dropped() {
      return dropped;
    },
    write: (line) => {
      stream.write(line);
    },
    flush: () => {
      try {
        stream.flushSync();
      } catch {
        dropped += 1;
      }
    },
  };
}
