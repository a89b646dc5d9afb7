import { statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';

/** While something has changed lately: how often it is looked whether the writer is done. */
const restlessIntervalMs = 50;
/** A file that didn't change for so long is whole, as far as anyone can tell from outside. */
const quietMs = 200;
/** Files that are replaced all the time, each by a rename and so whole, are taken after that long. */
const longestWaitMs = 500;
/** For what no event tells of: network file systems, and files in other folders. */
const restfulIntervalMs = 1000;

export interface Watched<Reading> {
  /** What is read; the file without which there is nothing to watch. */
  readonly configuration: string;
  /** All that the last reading looked at, there or not; the configuration first. */
  readonly files: () => readonly string[];
  /** At once, from beginning to end. */
  readonly read: () => Reading;
  /** What was read while nothing changed. */
  readonly take: (reading: Reading) => void;
  /** Milliseconds of a clock that is never set back. */
  readonly now: () => number;
}

/**
 * Reads a configuration anew when it or a file that it names has changed and is whole again: written in place, replaced
 * by a rename, or swapped as Kubernetes does it, where a link in the folder comes to stand for another folder. Answers
 * how to end.
 */
export function watchConfiguration<Reading>(watched: Watched<Reading>): () => void {
  const changes = new Changes(watched);
  const { configuration } = watched;
  const watcher = watchFolder(dirname(configuration), (name) => {
    // Other files of the folder may change often, such as a log.
    if (name === null || name === basename(configuration) || name.startsWith('..')) changes.look();
  });
  return () => {
    watcher?.close();
    changes.end();
  };
}

/** Undefined where the system can't tell of changes. */
function watchFolder(folder: string, onEvent: (name: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, (_type, name) => onEvent(name));
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

class Changes<Reading> {
  readonly #watched: Watched<Reading>;
  #taken: string;
  #last: string;
  #lastChangeAt = 0;
  #restlessSince: number | undefined;
  #timer: NodeJS.Timeout;

  constructor(watched: Watched<Reading>) {
    this.#watched = watched;
    this.#taken = stampsOf(watched.files());
    this.#last = this.#taken;
    this.#timer = this.#lookLater();
  }

  look(): void {
    clearTimeout(this.#timer);
    const now = this.#watched.now();
    const stamps = stampsOf(this.#watched.files());
    const isReplaced = inodeOf(stamps) !== inodeOf(this.#last);
    if (stamps !== this.#last) this.#lastChangeAt = now;
    this.#last = stamps;
    if (stamps === this.#taken) this.#restlessSince = undefined;
    else {
      this.#restlessSince ??= now;
      const isQuiet = now - this.#lastChangeAt >= quietMs;
      if (isQuiet || (isReplaced && now - this.#restlessSince >= longestWaitMs)) this.#take(stamps);
    }
    this.#timer = this.#lookLater();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #take(stamps: string): void {
    const files = this.#watched.files();
    const reading = this.#watched.read();
    // Half of it may be older than the other half.
    if (stampsOf(files) !== stamps) return;
    this.#restlessSince = undefined;
    // It may name other files than the one before.
    this.#taken = stampsOf(this.#watched.files());
    this.#last = this.#taken;
    this.#watched.take(reading);
  }

  #lookLater(): NodeJS.Timeout {
    const afterMs = this.#restlessSince === undefined ? restfulIntervalMs : restlessIntervalMs;
    return setTimeout(() => this.look(), afterMs).unref();
  }
}

/** Of the files that links lead to. One that isn't there has a stamp too: its coming is a change. */
function stampsOf(files: readonly string[]): string {
  return files.map(stampOf).join('\n');
}

function stampOf(file: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(file, { bigint: true });
    return `${dev}:${ino} ${size} ${mtimeNs}`;
  } catch {
    return 'none';
  }
}

/** Which file the first one is, whatever stands in it. */
function inodeOf(stamps: string): string {
  return stamps.split(' ', 1)[0] ?? '';
}
