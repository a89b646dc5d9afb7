/** What one authorization server said of a token that it called active. */
export interface ActiveAnswer {
  readonly claims: Readonly<Record<string, unknown>>;
  /** Milliseconds since the epoch, by the clock of the gateway that asked. */
  readonly askedAt: number;
}

/**
 * Tells other gateways what an authorization server has said, so that each doesn't ask by itself. It may know nothing at any time, and
 * nothing here rejects or is waited for longer than the store is given.
 */
export interface SharedAnswers {
  /** Undefined: nothing is known. How old the answer may be is for the caller to say. */
  recall(name: string): Promise<ActiveAnswer | undefined>;
  /** For at most `ttlMs`. Nobody waits for it. */
  keep(name: string, answer: ActiveAnswer, ttlMs: number): void;
  /** Of a token that is active no more. Nobody waits for it. */
  forget(name: string): void;
}
