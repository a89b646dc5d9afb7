import { closeSync, openSync } from 'node:fs';

import { pino } from 'pino';

import type { LineSink } from '../vocabulary/ports.ts';
import { TroubleReport } from './line-trouble.ts';

/** What may wait for a reader that doesn't read, before lines are dropped and counted. */
const maximumWaitingBytes = 16 * 1024 * 1024;

/** Lines leave in pieces of this size or after the interval: one write, and one look at its length, for many requests. */
const pieceLength = 32 * 1024;
const flushIntervalMs = 100;

export interface LineOutput extends LineSink {
  /** Lines lost so far because the reader was too slow or gone. */
  readonly dropped: number;
  onTrouble: NonNullable<LineSink['onTrouble']>;
  /** Goes on in a new file under the same name, after the old one was moved away; what still waits goes into either. */
  reopen(): void;
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
  // Joined once: put together line by line, the text is made flat twice.
  let waiting: string[] = [];
  let length = 0;
  let timer: NodeJS.Timeout | undefined;
  let dropped = 0;
  let isFailing = false;
  let isOver = false;
  const trouble = new TroubleReport();
  // A reader that is too slow, a closed pipe or a full disk must not end the gateway; what is lost is counted.
  const lose = (piece: string): void => {
    const lines = piece.split('\n').length - 1;
    dropped += lines;
    trouble.lost(lines);
  };
  stream.on('drop', lose);
  stream.on('error', (error: NodeJS.ErrnoException) => {
    isFailing = true;
    // Nobody will read again, and the library passes over all that is written from now on.
    if (error.code === 'EPIPE') isOver = true;
    trouble.failed(error);
  });
  stream.on('write', () => (isFailing = false));
  const release = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const piece = waiting.join('');
    waiting = [];
    length = 0;
    if (isOver) lose(piece);
    else if (piece !== '') stream.write(piece);
  };
  return {
    get dropped() {
      return dropped;
    },
    write(line) {
      waiting.push(line);
      length += line.length;
      if (length >= pieceLength) release();
      else timer ??= setTimeout(release, flushIntervalMs);
    },
    onTrouble: (hear) => trouble.tell(hear),
    reopen() {
      if (destination === 1 || isOver) return;
      release();
      const fault = unwritable(destination.file);
      // Where there can be no new file the old one is better than none.
      if (fault === undefined) stream.reopen();
      else trouble.failed(fault);
    },
    flush() {
      release();
      if (isFailing) {
        // Here and at the exit of the process the library would try again without end.
        isOver = true;
        stream.destroy();
        return;
      }
      try {
        stream.flushSync();
      } catch {
        dropped += 1;
      }
    },
  };
}

/** Why lines can't be appended to a file; undefined where they can. A new one is for its owner and group alone. */
export function unwritable(file: string): Error | undefined {
  try {
    closeSync(openSync(file, 'a', 0o640));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
