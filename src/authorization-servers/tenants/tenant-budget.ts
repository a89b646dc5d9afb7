import { RateBudget } from './rate-budget.ts';

/** In all ten in a second: a gateway for tenants whose issuers share one login server must not be a tool against it. */
const perMs = 1000;
const forAll = 7;
/** A tenant that has answered needs two fetches in an hour: three a second are enough for five thousand. */
const forAnswered = 3;

/** `new`: anyone may have invented it. */
export type Standing = 'new' | 'answered';

/**
 * Whose turn it is to have a tenant's server asked. Some turns are for tenants that have answered before: a flood of
 * invented ones would else keep their keys from being fetched again, until they are too old to count.
 */
export class TenantBudget {
  readonly #forAll: RateBudget;
  readonly #forAnswered: RateBudget;

  /** `clock` in milliseconds of any epoch. */
  constructor(clock: () => number) {
    this.#forAll = new RateBudget({ count: forAll, perMs, clock });
    this.#forAnswered = new RateBudget({ count: forAnswered, perMs, clock });
  }

  isFree(standing: Standing): boolean {
    return this.#forAll.isFree || (standing === 'answered' && this.#forAnswered.isFree);
  }

  /** Takes a turn as soon as it can. Rejects when the signal aborts. */
  turn(standing: Standing, signal: AbortSignal): Promise<void> {
    const isForAll = standing === 'new' || this.#forAll.isFree;
    return (isForAll ? this.#forAll : this.#forAnswered).turn(signal);
  }
}
