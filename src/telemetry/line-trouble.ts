import type { LineTrouble } from '../vocabulary/ports.ts';

/** What doesn't get through is told of this often, however much it is. */
const tellEveryMs = 10_000;

/** Gathers what goes wrong with an output, and tells of it at once and then from time to time. */
export class TroubleReport {
  #hear: ((trouble: LineTrouble) => void) | undefined;
  #lost = 0;
  #fault: string | undefined;
  #quiet: NodeJS.Timeout | undefined;

  /** From now on `hear` is told. */
  tell(hear: (trouble: LineTrouble) => void): void {
    this.#hear = hear;
    this.#tellNow();
  }

  lost(lines: number): void {
    this.#lost += lines;
    this.#tellNow();
  }

  /** A write or an opening that failed; its lines still wait. */
  failed(error: unknown): void {
    const hasCode = error instanceof Error && 'code' in error;
    this.#fault = hasCode ? String(error.code) : 'unknown';
    this.#tellNow();
  }

  #tellNow(): void {
    const hear = this.#hear;
    if (hear === undefined || this.#quiet !== undefined) return;
    if (this.#lost === 0 && this.#fault === undefined) return;
    const trouble = { lostLines: this.#lost, fault: this.#fault };
    this.#lost = 0;
    this.#fault = undefined;
    this.#quiet = setTimeout(() => {
      this.#quiet = undefined;
      this.#tellNow();
    }, tellEveryMs);
    this.#quiet.unref();
    hear(trouble);
  }
}
