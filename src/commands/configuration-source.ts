import type { Configuration } from '../config/configuration.ts';
import type { CommandIo } from './io.ts';
import { readConfiguration } from './read-configuration.ts';

/** A configuration as it is now, or why it is none. */
export type ConfigurationReading =
  | { readonly ok: true; readonly configuration: Configuration }
  | { readonly ok: false; readonly faults: string; readonly exitCode: number };

/** Where the configuration of a gateway comes from, to be read as often as it changes. */
export class ConfigurationSource {
  /** What changes when the configuration does, first of all. */
  readonly configuration: string;
  readonly #file: string | undefined;
  readonly #io: CommandIo;
  #files: readonly string[] = [];

  /** Without a file the environment, and a `.env` of the folder. */
  constructor(file: string | undefined, io: CommandIo) {
    this.configuration = file ?? '.env';
    this.#file = file;
    this.#io = io;
  }

  /** All that the last reading looked at, there or not: the file, the files that it names, a `.env`. */
  get files(): readonly string[] {
    return this.#files;
  }

  read(): ConfigurationReading {
    const files = new Set([this.configuration]);
    const told: string[] = [];
    const read = readConfiguration(this.#file, {
      ...this.#io,
      err: (text) => told.push(text),
      readFile: (path) => {
        files.add(path);
        return this.#io.readFile(path);
      },
    });
    this.#files = [...files];
    return typeof read === 'number'
      ? { ok: false, faults: told.join(''), exitCode: read }
      : { ok: true, configuration: read };
  }
}
