import { RateBudget } from '../tenants/rate-budget.ts';

/** `known`: a token that the server has called active before, or that it signed. `new`: anyone may have invented it. */
export type Lane = 'known' | 'new';

/** A server that answers in 20 ms gives a thousand answers a second through each lane. */
const maximumInFlight = 20;

/** A working day begins with fewer first calls; a flood of invented tokens costs the server no more. */
const newPerSecond = 100;

/**
 * Who may have the server asked right now. Tokens that are known to be someone's have a lane of their own: a flood of
 * invented ones fills the other. Nobody waits: a queue would be filled by the flood as well.
 */
export class CallLimits {
  readonly #inFlight: Record<Lane, number> = { known: 0, new: 0 };
  readonly #newTokens: RateBudget;

  /** `clock` in milliseconds of any epoch. */
  constructor(clock: () => number) {
    this.#newTokens = new RateBudget({ count: newPerSecond, perMs: 1000, clock });
  }

  /** Whether a call may begin; one that began must `leave`. */
  enter(lane: Lane): boolean {
    if (this.#inFlight[lane] >= maximumInFlight) return false;
    if (lane === 'new' && !this.#newTokens.take()) return false;
    this.#inFlight[lane] += 1;
    return true;
  }

  leave(lane: Lane): void {
    this.#inFlight[lane] -= 1;
  }
}
