import { LRUCache } from 'lru-cache';

/** What one key has used up of one limit, until when. */
export interface Window {
  used: number;
  /** Milliseconds. */
  endsAt: number;
}

/** About 15 MiB. */
const usualMaximum = 50_000;

/**
 * The windows of all limits of one kind. Bounded: whoever fills it makes the windows be forgotten that were asked for
 * the longest time ago. A window that is over is used again, so that whoever asks all the time turns nothing over (decision 0021).
 */
export class Windows {
  // It takes its whole room at once, and most gateways have no limit of one kind or of either.
  #held: LRUCache<string, Window> | undefined;
  readonly #maximum: number;

  constructor(maximum = usualMaximum) {
    this.#maximum = maximum;
  }

  get size(): number {
    return this.#held?.size ?? 0;
  }

  get(key: string): Window | undefined {
    return this.#held?.get(key);
  }

  /** Begins one in which nothing is used up. */
  begin(key: string, endsAt: number): Window {
    const window = { used: 0, endsAt };
    this.#held ??= new LRUCache({ max: this.#maximum });
    this.#held.set(key, window);
    return window;
  }
}
