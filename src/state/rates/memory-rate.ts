import type { Rate, RateOf } from './rate.ts';
import type { Window, Windows } from './windows.ts';

export interface MemoryRateParts {
  readonly windows: Windows;
  /** Milliseconds. */
  readonly clock: () => number;
}

/**
 * Counts in this process: a window begins with the first request of a key and lasts for the time of the limit. Around
 * the end of a window twice the limit can pass in a short time; over any longer time the limit holds.
 */
export class MemoryRate implements Rate {
  readonly #name: string;
  readonly #requests: number;
  readonly #perMs: number;
  readonly #windows: Windows;
  readonly #clock: () => number;

  constructor({ name, limit }: Pick<RateOf, 'name' | 'limit'>, { windows, clock }: MemoryRateParts) {
    this.#name = name;
    this.#requests = limit.requests;
    this.#perMs = limit.per;
    this.#windows = windows;
    this.#clock = clock;
  }

  take(key: string, requests: number): number {
    const now = this.#clock();
    const window = this.#windowOf(key, now);
    window.used += requests;
    return window.used > this.#requests ? window.endsAt - now : 0;
  }

  /** For how many milliseconds nothing more is within the limit, without counting anything. */
  exhaustedFor(key: string): number {
    const now = this.#clock();
    const window = this.#windows.get(this.#inside(key));
    return window !== undefined && !this.#isOver(window, now) && window.used >= this.#requests
      ? window.endsAt - now
      : 0;
  }

  /** Takes over what someone else has counted. */
  note(key: string, used: number, endsInMs: number): void {
    const now = this.#clock();
    const window = this.#windowOf(key, now);
    window.used = used;
    window.endsAt = now + endsInMs;
  }

  #windowOf(key: string, now: number): Window {
    const inside = this.#inside(key);
    const window = this.#windows.get(inside);
    if (window === undefined) return this.#windows.begin(inside, now + this.#perMs);
    if (this.#isOver(window, now)) {
      window.used = 0;
      window.endsAt = now + this.#perMs;
    }
    return window;
  }

  /** Nor does a clock that was set back make anyone wait for longer than a window. */
  #isOver({ endsAt }: Window, now: number): boolean {
    return endsAt <= now || endsAt > now + this.#perMs;
  }

  #inside(key: string): string {
    return `${this.#name}\n${key}`;
  }
}
