import { LRUCache } from 'lru-cache';

import type { RecordName, RecordOutcome, RecordStore } from '../../state/records/record-store.ts';
import type { StoredLogin } from './stored-login.ts';
import { readLogin } from './stored-login.ts';

export type Look =
  | { readonly is: 'login'; readonly login: StoredLogin }
  | { readonly is: 'absent' }
  | { readonly is: 'unavailable'; readonly detail: string };

interface Held {
  readonly login: StoredLogin;
  /** Of the store when it was looked at last; undefined: nothing was there. */
  readonly version: string | undefined;
  /** When saving it failed last, in milliseconds since the epoch; undefined: it is saved. */
  readonly unsavedAtMs: number | undefined;
  /** A look that is under way. */
  glance?: Promise<Look> | undefined;
}

/** Each is a few kilobytes; whoever is pushed out is read again. */
const maximumHeld = 10_000;

/** How often a login that couldn't be saved is tried again. */
const saveAgainMs = 1000;

/**
 * Logins as the store has them at this moment: it is asked each time whether another process changed them, and read
 * only then. A login that couldn't be saved is held and used, and saved as soon as that works; another one in the
 * store wins over it.
 */
export class KeptLogins {
  readonly #store: RecordStore;
  readonly #clock: () => number;
  readonly #held = new LRUCache<RecordName, Held>({ max: maximumHeld });

  constructor(store: RecordStore, clock: () => number) {
    this.#store = store;
    this.#clock = clock;
  }

  /** A look, shared with whoever looks at the same moment: for every request, where a look of its own would cost as much as all else. */
  glance(name: RecordName): Promise<Look> {
    const held = this.#held.get(name);
    if (held === undefined) return this.look(name);
    held.glance ??= this.look(name).finally(() => {
      held.glance = undefined;
    });
    return held.glance;
  }

  /** Begins after it is asked for, so that it sees what was there then. */
  async look(name: RecordName): Promise<Look> {
    const held = this.#held.get(name);
    const reading = await this.#store.read(name, held?.version);
    // Whoever saved meanwhile knows better than this look.
    const now = this.#held.get(name);
    if (now !== held && now !== undefined) return { is: 'login', login: now.login };
    if (held?.unsavedAtMs !== undefined && this.#isAsBefore(held, reading)) {
      if (this.#clock() - held.unsavedAtMs >= saveAgainMs) await this.save(name, held.login);
      return { is: 'login', login: held.login };
    }
    if (reading.is === 'same' && held !== undefined) return { is: 'login', login: held.login };
    if (reading.is === 'unavailable') return reading;
    const login = reading.is === 'read' ? readLogin(reading.text) : undefined;
    if (reading.is !== 'read' || login === undefined) {
      this.#held.delete(name);
      return { is: 'absent' };
    }
    this.#held.set(name, { login, version: reading.version, unsavedAtMs: undefined });
    return { is: 'login', login };
  }

  /** Saved or not, from now on this is the login. */
  async save(name: RecordName, login: StoredLogin): Promise<RecordOutcome> {
    const before = this.#held.get(name)?.version;
    const outcome = await this.#store.write(name, JSON.stringify(login));
    const unsavedAtMs = outcome.is === 'kept' ? undefined : this.#clock();
    // What was written has a version that only the next look can tell; until then it differs from every other.
    const version = outcome.is === 'kept' ? '' : before;
    this.#held.set(name, { login, version, unsavedAtMs });
    return outcome;
  }

  /** Nothing was put there since the last look, as far as can be told. */
  #isAsBefore({ version }: Held, reading: Awaited<ReturnType<RecordStore['read']>>): boolean {
    return (
      reading.is === 'same' ||
      reading.is === 'unavailable' ||
      (reading.is === 'absent' && version === undefined)
    );
  }
}
