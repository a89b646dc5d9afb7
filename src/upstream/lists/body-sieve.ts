import type { Shows } from './filter-lists.ts';
import { filterLists } from './filter-lists.ts';
import { ListWatch } from './list-watch.ts';
import type { Sieve, Sifted } from './sifted.ts';
import { held, lateList, listTooLong, maximumHeldBytes, maximumListBytes } from './sifted.ts';

/** Lets an answer that is one JSON text through, with its lists filtered, whatever it calls itself. */
export class BodySieve implements Sieve {
  readonly #shows: Shows;
  readonly #watch = new ListWatch();
  /** Undefined once some of it has gone on. */
  #chunks: Buffer[] | undefined = [];
  #bytes = 0;

  constructor(shows: Shows) {
    this.#shows = shows;
  }

  get sawList(): boolean {
    return this.#watch.sawList;
  }

  pass(chunk: Buffer): Sifted {
    this.#watch.feed(chunk);
    const { sawList } = this.#watch;
    if (this.#chunks === undefined) return sawList ? lateList : { state: 'open', bytes: chunk };
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (sawList) return this.#bytes > maximumListBytes ? listTooLong : held;
    return this.#bytes > maximumHeldBytes ? this.#letGo(this.#chunks) : held;
  }

  end(): Sifted {
    const text = this.#letGo(this.#chunks ?? []);
    if (!this.#watch.sawList) return text;
    const filtered = filterLists(text.bytes, this.#shows);
    return filtered.ok
      ? { state: 'open', bytes: filtered.bytes }
      : { state: 'fault', detail: `a list that can't be filtered: ${filtered.says}` };
  }

  #letGo(chunks: readonly Buffer[]): Extract<Sifted, { state: 'open' }> {
    this.#chunks = undefined;
    const [only] = chunks;
    return { state: 'open', bytes: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks) };
  }
}
