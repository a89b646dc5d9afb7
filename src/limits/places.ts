import type { Principal } from '../vocabulary/principal.ts';
import { principalKey } from './principal-key.ts';

/** What one principal has under way on one route. */
export interface Held {
  calls: number;
  streams: number;
  /** Whether it is found by the principal's key. */
  listed: boolean;
}

/** So many principals stay listed though they have nothing under way. */
const usualIdle = 10_000;

/**
 * What each principal has under way, however many tokens it has. Who has nothing under way stays listed until there are
 * many of those, and then they go all at once: entries that came and went with requests would wear out the table (decision
 * 0021). A token's principal is the same object from request to request, so that it is found without its key.
 */
export class Places {
  readonly #byPrincipal = new WeakMap<Principal, Held>();
  readonly #byKey = new Map<string, Held>();
  readonly #usualIdle: number;
  #sweepAt: number;

  constructor(idle = usualIdle) {
    this.#usualIdle = idle;
    this.#sweepAt = idle;
  }

  /** Principals listed. */
  get size(): number {
    return this.#byKey.size;
  }

  /** To be used at once: what has nothing under way may be forgotten. */
  heldBy(principal: Principal): Held {
    const known = this.#byPrincipal.get(principal);
    if (known?.listed === true) return known;
    const key = principalKey(principal);
    const held = this.#byKey.get(key) ?? this.#list(key);
    this.#byPrincipal.set(principal, held);
    return held;
  }

  #list(key: string): Held {
    if (this.#byKey.size >= this.#sweepAt) this.#sweep();
    const held = { calls: 0, streams: 0, listed: true };
    this.#byKey.set(key, held);
    return held;
  }

  #sweep(): void {
    for (const [key, held] of this.#byKey) {
      if (held.calls > 0 || held.streams > 0) continue;
      held.listed = false;
      this.#byKey.delete(key);
    }
    this.#sweepAt = Math.max(this.#usualIdle, this.#byKey.size * 2);
  }
}
