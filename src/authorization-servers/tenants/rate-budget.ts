import { setTimeout as sleep } from 'node:timers/promises';

export interface RateLimit {
  readonly count: number;
  readonly perMs: number;
  /** Milliseconds; any epoch. */
  readonly clock: () => number;
}

/** How many of something may begin in any stretch of `perMs`. */
export class RateBudget {
  readonly #limit: RateLimit;
  #begun: number[] = [];
  #waiting = 0;

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** Whether one more may begin now; who waits already goes first. */
  get isFree(): boolean {
    return this.#waiting === 0 && this.#recent().length < this.#limit.count;
  }

  /** Takes one at once where it is free; answers whether it was. */
  take(): boolean {
    if (!this.isFree) return false;
    this.#begun.push(this.#limit.clock());
    return true;
  }

  /** Takes one as soon as it can, at once where it is free. Rejects when the signal aborts. */
  async turn(signal: AbortSignal): Promise<void> {
    if (this.take()) return;
    this.#waiting += 1;
    try {
      while (this.#recent().length >= this.#limit.count)
        await sleep(this.#untilNextMs(), undefined, { signal, ref: false });
      this.#begun.push(this.#limit.clock());
    } finally {
      this.#waiting -= 1;
    }
  }

  /** A clock that was set back forgets: else nothing could begin until it has caught up. */
  #recent(): readonly number[] {
    const now = this.#limit.clock();
    this.#begun = this.#begun.filter((at) => at <= now && now - at < this.#limit.perMs);
    return this.#begun;
  }

  #untilNextMs(): number {
    const [oldest] = this.#begun;
    const now = this.#limit.clock();
    return oldest === undefined ? 1 : Math.max(1, oldest + this.#limit.perMs - now);
  }
}
