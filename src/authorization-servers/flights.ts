interface Flight<T> {
  readonly startedAt: number;
  readonly answer: Promise<T>;
  next: Promise<T> | undefined;
}

/** Work that several want at once is done once. */
export class Flights<T> {
  /** Milliseconds; any epoch. */
  readonly #clock: () => number;
  readonly #running = new Map<string, Flight<T>>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /**
   * The answer of the work that runs for this key, or of new work. What began `tooOldMs` ago or earlier is waited
   * for and then done once more, for all who came meanwhile: its answer may be older than they can use. `start` must not reject.
   */
  share(key: string, tooOldMs: number, start: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key);
    if (running === undefined) return this.#begin(key, start);
    if (this.#clock() - running.startedAt < tooOldMs) return running.answer;
    running.next ??= running.answer.then(() => this.#begin(key, start));
    return running.next;
  }

  #begin(key: string, start: () => Promise<T>): Promise<T> {
    const flight: Flight<T> = {
      startedAt: this.#clock(),
      answer: start().finally(() => {
        if (this.#running.get(key) === flight) this.#running.delete(key);
      }),
      next: undefined,
    };
    this.#running.set(key, flight);
    return flight.answer;
  }
}
