import { hash } from 'node:crypto';

import type { Claim, ReplayStore, Use } from './replay-store.ts';

export interface MemoryReplaysOptions {
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly maximumUses?: number;
  readonly maximumUsesPerHolder?: number;
}

/** About 20 MiB. With the usual 70 s for a proof, and a slice more, that is 3000 requests per second. */
const usualMaximum = 250_000;

/** A fifth of all: whoever has one good token and one key can't fill the store for everybody else. */
const usualMaximumPerHolder = 50_000;

/** Few, because each use is looked for in all of them; many, because uses are kept for one slice more than they have to be. */
const slicesPerTtl = 7;

/** The uses of one stretch of time that last equally long; forgotten together. */
interface Slice {
  readonly ttlMs: number;
  /** Of this time to live; slices of one begin where the one before ends. */
  readonly number: number;
  readonly endsAtMs: number;
  readonly uses: Set<string>;
  readonly byHolder: Map<string, number>;
}

/**
 * Remembers uses in this process. Bounded: where there is no room it says `full`. To forget a use that still
 * counts would be to let its replay pass. Uses are forgotten slice by slice: one by one they would wear out the
 * table that holds them (decision 0021), and all at once hold up whoever comes next.
 */
export class MemoryReplays implements ReplayStore {
  readonly knowsSinceMs: number;
  readonly #clock: () => number;
  readonly #maximum: number;
  readonly #maximumPerHolder: number;
  #slices: readonly Slice[] = [];

  constructor({
    clock,
    maximumUses = usualMaximum,
    maximumUsesPerHolder = usualMaximumPerHolder,
  }: MemoryReplaysOptions) {
    this.#clock = clock;
    this.#maximum = maximumUses;
    this.#maximumPerHolder = maximumUsesPerHolder;
    this.knowsSinceMs = clock();
  }

  claim({ holder, id, ttlMs }: Use): Claim {
    const now = this.#clock();
    if (this.#slices.some(({ endsAtMs }) => endsAtMs <= now))
      this.#slices = this.#slices.filter(({ endsAtMs }) => endsAtMs > now);
    const digest = hash('sha256', JSON.stringify([holder, id]), 'base64');
    if (this.#slices.some(({ uses }) => uses.has(digest))) return 'seen';
    if (this.size >= this.#maximum || this.#heldBy(holder) >= this.#maximumPerHolder) return 'full';
    const { uses, byHolder } = this.#sliceAt(now, ttlMs);
    uses.add(digest);
    byHolder.set(holder, (byHolder.get(holder) ?? 0) + 1);
    return 'new';
  }

  get size(): number {
    return this.#slices.reduce((sum, { uses }) => sum + uses.size, 0);
  }

  #heldBy(holder: string): number {
    return this.#slices.reduce((sum, { byHolder }) => sum + (byHolder.get(holder) ?? 0), 0);
  }

  #sliceAt(now: number, ttlMs: number): Slice {
    const lengthMs = Math.ceil(ttlMs / slicesPerTtl);
    const number = Math.floor(now / lengthMs);
    const known = this.#slices.find((slice) => slice.ttlMs === ttlMs && slice.number === number);
    if (known !== undefined) return known;
    const endsAtMs = (number + 1) * lengthMs + ttlMs;
    const slice: Slice = { ttlMs, number, endsAtMs, uses: new Set(), byHolder: new Map() };
    this.#slices = [...this.#slices, slice];
    return slice;
  }
}
