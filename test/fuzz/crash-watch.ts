/** Hears what nobody caught in this process: a gateway in which that happens ends. */
export class CrashWatch implements Disposable {
  #crashes: string[] = [];
  readonly #hear = (error: unknown): void =>
    void this.#crashes.push(
      `nobody caught ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );

  constructor() {
    process.on('uncaughtException', this.#hear).on('unhandledRejection', this.#hear);
  }

  /** Since the last call. */
  take(): readonly string[] {
    return this.#crashes.splice(0);
  }

  [Symbol.dispose](): void {
    process.off('uncaughtException', this.#hear).off('unhandledRejection', this.#hear);
  }
}
