/** One use of something that may be used once. */
export interface Use {
  /** Whose it is: the thumbprint of a key. Two holders may use the same id. */
  readonly holder: string;
  /** Text of any form; stores keep only a digest of it. */
  readonly id: string;
  /** How long another use of it has to be refused; one of a few numbers that the configuration leads to. */
  readonly ttlMs: number;
}

/**
 * What became of a use. `new`: nobody used it before, and from now on it counts as used. `full` and `unavailable`
 * mean that nothing is known: whoever lets such a use pass lets replays pass.
 */
export type Claim = 'new' | 'seen' | 'full' | 'unavailable';

/** Remembers what was used, so that nothing is used twice. */
export interface ReplayStore {
  claim(use: Use): Claim | Promise<Claim>;
  /** Of uses before this time nothing is known; milliseconds since the epoch. Undefined where the store outlives the process. */
  readonly knowsSinceMs: number | undefined;
}
