import type { Arbitrary } from 'fast-check';

/** One way into the gateway for bytes that anyone may send. */
export interface FuzzTarget {
  readonly name: string;
  /** Inputs from nothing, near the edges of what is let through. */
  readonly inputs: Arbitrary<Buffer>;
  /** Texts that mutations put in: what the code under test looks for. */
  readonly words: readonly string[];
  open(): Promise<OpenTarget>;
}

export interface OpenTarget extends AsyncDisposable {
  /**
   * Gives each input to the code under test and answers, in order, what an oracle found wrong with what came of it;
   * undefined where nothing is. What throws is a crash.
   */
  judge(inputs: readonly Buffer[]): Promise<readonly (string | undefined)[]>;
  /** What became of the inputs so far, by a word: a run in which nothing was let through proves little. */
  readonly tally: Tally;
}

/** Counts by word. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(word: string): void {
    this.#counts.set(word, this.of(word) + 1);
  }

  of(word: string): number {
    return this.#counts.get(word) ?? 0;
  }

  /** The most frequent first. */
  get text(): string {
    return [...this.#counts]
      .toSorted(([, a], [, b]) => b - a)
      .map(([word, count]) => `${word} ${count}`)
      .join(', ');
  }
}
