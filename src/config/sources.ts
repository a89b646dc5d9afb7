import { dirname, resolve } from 'node:path';

/** Where a configuration is read from: its own place, and what its keys may name. */
export interface Sources {
  readonly file: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Throws like `readFileSync`. */
  readonly readFile: (path: string) => string;
  /** Names of the credential providers that the embedding program injects. */
  readonly providers?: readonly string[];
}

export type FileReading =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: string };

/** Where a secret is; never the secret. */
export type SecretName = { readonly env: string } | { readonly file: string };

/** Reads each file once, so that what was checked is what is used. */
export class NamedFiles {
  readonly #sources: Sources;
  readonly #read = new Map<string, FileReading>();

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** Paths are relative to the folder of the configuration file. */
  locate(path: string): string {
    return resolve(dirname(this.#sources.file), path);
  }

  read(path: string): FileReading {
    const place = this.locate(path);
    const known = this.#read.get(place) ?? this.#readNow(place);
    this.#read.set(place, known);
    return known;
  }

  /** The text of a file that `read` could read before. */
  textOf(path: string): string {
    const reading = this.read(path);
    if (!reading.ok) throw new Error(`${path} was checked before and can't be read: ${reading.reason}`);
    return reading.text;
  }

  /** The secret that was checked to be there. One line break at the end of a file is no part of it. */
  secretOf(named: SecretName): string {
    if ('file' in named) return this.textOf(named.file).replace(/\r?\n$/, '');
    const value = this.#sources.environment[named.env];
    if (value === undefined) throw new Error(`${named.env} was checked before and isn't set`);
    return value;
  }

  #readNow(place: string): FileReading {
    try {
      return { ok: true, text: this.#sources.readFile(place) };
    } catch (error) {
      return { ok: false, reason: reasonOf(error) };
    }
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known: Readonly<Record<string, string>> = {
    ENOENT: "doesn't exist",
    EACCES: 'may not be read by this user',
    EISDIR: 'is a folder',
  };
  return known[code] ?? `can't be read${code === '' ? '' : ` (${code})`}`;
}
