import { pino } from 'pino';

import type { LineSink } from '../vocabulary/ports.ts';

/** What may wait for a reader that doesn't read, before lines are dropped and counted. */
const maximumWaitingBytes = 16 * 1024 * 1024;

/** Lines leave in pieces of this size or after the interval: one write, and one look at its length, for many requests. */
const pieceLength = 32 * 1024;
const flushIntervalMs = 100;

export interface LineOutput extends LineSink {
  /** Lines lost so far because the reader was too slow or gone. */
  readonly dropped: number;
  flush(): void;
}

/** Writes lines to standard output or a file, in pieces, without ever holding up a request. */
export function openLineOutput(destination: 1 | { readonly file: string }): LineOutput {
  const stream = pino.destination({
    dest: destination === 1 ? 1 : destination.file,
    append: true,
    mkdir: false,
    sync: false,
    maxLength: maximumWaitingBytes,
  });
  let waiting = '';
  let timer: NodeJS.Timeout | undefined;
  let dropped = 0;
  // A reader that is too slow, a closed pipe or a full disk must not end the gateway; what is lost is counted.
  stream.on('drop', (piece: string) => (dropped += piece.split('\n').length - 1));
  stream.on('error', () => (dropped += 1));
  const release = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting !== '') stream.write(waiting);
    waiting = '';
  };
  return {
    get dropped() {
      return dropped;
    },
    write(line) {
      waiting += line;
      if (waiting.length >= pieceLength) release();
      else timer ??= setTimeout(release, flushIntervalMs);
    },
    flush() {
      release();
      try {
        stream.flushSync();
      } catch {
        dropped += 1;
      }
    },
  };
}
