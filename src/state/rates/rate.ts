import type { RateLimit } from '../../config/configuration.ts';

/** How much of something may happen in which time, counted for each key by itself. */
export interface Rate {
  /**
   * Counts, and answers for how many milliseconds there is no room: 0 where this much is within the limit. What is
   * over the limit counts as well, but makes no one wait longer.
   */
  take(key: string, requests: number): number | Promise<number>;
}

/** What is counted by a rate, and for whom. */
export interface RateOf {
  /** Tells it apart from other rates; the same for all replicas. */
  readonly name: string;
  readonly limit: RateLimit;
  /** Addresses are anyone's: they are kept apart, so that inventing them makes nobody's count be forgotten. */
  readonly of: 'principals' | 'addresses';
}
