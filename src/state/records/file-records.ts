import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import type {
  RecordClaim,
  RecordName,
  RecordOutcome,
  RecordReading,
  RecordStore,
  RecordText,
} from './record-store.ts';

/** No record is near it; whatever else lies there isn't read into memory. */
const maximumBytes = 256 * 1024;

const ownerOnly = { folder: 0o700, file: 0o600 } as const;

/**
 * Records as files of one folder, for its owner alone. A file is replaced by a rename, so that a reader has the old
 * one or the new one whole; that another process replaced it is seen by its inode, size and time.
 */
export class FileRecords implements RecordStore {
  readonly #folder: string;
  readonly #clock: () => number;

  /** Opens nothing. `clock` in milliseconds since the epoch, of the machine that keeps the files' times. */
  constructor(folder: string, clock: () => number) {
    this.#folder = folder;
    this.#clock = clock;
  }

  async read(name: RecordName, known?: string): Promise<RecordReading> {
    const path = this.#pathOf(name);
    try {
      if (known !== undefined && versionOf(await stat(path, { bigint: true })) === known)
        return { is: 'same' };
      return { is: 'read', ...(await readWhole(path)) };
    } catch (error) {
      return isMissing(error) ? { is: 'absent' } : unavailable(error);
    }
  }

  async write(name: RecordName, text: string): Promise<RecordOutcome> {
    const path = this.#pathOf(name);
    const unfinished = `${path}.${randomUUID()}.tmp`;
    try {
      await this.#makeFolder();
      await writeWhole(unfinished, text);
      await rename(unfinished, path);
      await syncFolder(this.#folder);
      return { is: 'kept' };
    } catch (error) {
      await unlink(unfinished).catch(() => undefined);
      return unavailable(error);
    }
  }

  async remove(name: RecordName): Promise<RecordOutcome> {
    try {
      await unlink(this.#pathOf(name));
      return { is: 'kept' };
    } catch (error) {
      return isMissing(error) ? { is: 'kept' } : unavailable(error);
    }
  }

  async claim(name: RecordName, ttlMs: number): Promise<RecordClaim> {
    const path = `${this.#pathOf(name)}.lock`;
    try {
      await this.#makeFolder();
      await this.#dropLeftBehind(path, ttlMs);
      const holder = randomUUID();
      await writeClaim(path, holder);
      return { is: 'held', release: () => endClaim(path, holder) };
    } catch (error) {
      return codeOf(error) === 'EEXIST' ? { is: 'taken' } : unavailable(error);
    }
  }

  #pathOf(name: RecordName): string {
    return join(this.#folder, name);
  }

  /** A folder that is there already, such as a mounted one, is closed to others as well, or not used. */
  async #makeFolder(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: ownerOnly.folder });
    const { mode } = await stat(this.#folder);
    if ((mode & 0o777) !== ownerOnly.folder) await chmod(this.#folder, ownerOnly.folder);
  }

  /** Only a process that died while it held the claim leaves it behind. */
  async #dropLeftBehind(path: string, ttlMs: number): Promise<void> {
    try {
      const { mtimeMs } = await stat(path);
      if (Math.abs(this.#clock() - mtimeMs) > ttlMs) await unlink(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

/** A disk without room shows here, before anything is begun whose end couldn't be kept. */
async function writeClaim(path: string, holder: string): Promise<void> {
  const handle = await open(path, 'wx', ownerOnly.file);
  try {
    await handle.writeFile(holder);
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
}

/** Only whoever holds the claim ends it: its time may be over, and another have it by now. Never rejects. */
async function endClaim(path: string, holder: string): Promise<void> {
  try {
    if ((await readWhole(path)).text === holder) await unlink(path);
  } catch {
    // It ends with its time.
  }
}

async function readWhole(path: string): Promise<RecordText> {
  const handle = await open(path, 'r');
  try {
    // Of the open file: the name may lead to another one by now.
    const found = await handle.stat({ bigint: true });
    const version = versionOf(found);
    if (!found.isFile() || found.size > maximumBytes) return { text: '', version };
    return { text: await handle.readFile('utf8'), version };
  } finally {
    await handle.close();
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const handle: FileHandle = await open(path, 'wx', ownerOnly.file);
  try {
    // The mask of the process may have taken rights away from us as well.
    await handle.chmod(ownerOnly.file);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Without it a crash could bring the old name back. Some file systems have no such thing. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (codeOf(error) !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}

function versionOf({
  ino,
  size,
  mtimeNs,
}: {
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}): string {
  return `${ino} ${size} ${mtimeNs}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'failed';
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

function unavailable(error: unknown): { readonly is: 'unavailable'; readonly detail: string } {
  return { is: 'unavailable', detail: `the token store: ${codeOf(error)}` };
}
