export interface BreakerPorts {
  /** Milliseconds; any epoch. */
  readonly clock: () => number;
  /** Asks the server something that no client had a hand in. Never rejects. */
  readonly probe: () => Promise<ProbeResult>;
  readonly onSwitch: (to: Switch) => void;
}

export type ProbeResult =
  | { readonly alive: true }
  | {
      readonly alive: false;
      readonly detail: string;
      /** What the server asked for. */
      readonly retryAfterSeconds: number | undefined;
    };

export type Switch =
  | { readonly to: 'paused'; readonly seconds: number; readonly detail: string }
  | { readonly to: 'asked' };

/** Failures in a row that raise the suspicion. */
const suspicious = 5;

/** From opening to the next probe, unless the server asks for more. */
const pauseSeconds = 10;

/**
 * Stops asking a server that doesn't answer. Five failures in a row raise a suspicion, and a probe confirms it
 * or not: what a client sent may have provoked the failures, and then it would shut everyone else out. While it is open nothing is
 * asked for ten seconds; then one probe decides.
 */
export class Breaker {
  readonly #ports: BreakerPorts;
  #failures = 0;
  /** Undefined: closed. */
  #open: { readonly since: number; readonly seconds: number } | undefined;
  #isProbing = false;

  constructor(ports: BreakerPorts) {
    this.#ports = ports;
  }

  /** Until a probe finds the server alive, however long ago it was asked last. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Undefined where the server may be asked; else in how many seconds to come again. */
  async pauseSeconds(): Promise<number | undefined> {
    if (this.#open === undefined) return undefined;
    const left = this.#secondsLeft();
    if (left > 0) return left;
    // One request waits for the probe, the others come again: held back together they would arrive together.
    if (this.#isProbing) return 1;
    return this.#ask();
  }

  answered(): void {
    this.#failures = 0;
  }

  failed(): void {
    if (this.#open !== undefined) return;
    this.#failures += 1;
    if (this.#failures >= suspicious && !this.#isProbing) void this.#ask();
  }

  #secondsLeft(): number {
    if (this.#open === undefined) return 0;
    const { since, seconds } = this.#open;
    const passed = (this.#ports.clock() - since) / 1000;
    // A clock that was set back says nothing of how long it has been.
    return passed < 0 ? 0 : Math.max(0, Math.ceil(seconds - passed));
  }

  /** Answers as `pauseSeconds` does. */
  async #ask(): Promise<number | undefined> {
    this.#isProbing = true;
    const result = await this.#ports.probe();
    this.#isProbing = false;
    this.#failures = 0;
    if (result.alive) {
      this.#close();
      return undefined;
    }
    const seconds = Math.max(pauseSeconds, result.retryAfterSeconds ?? 0);
    this.#pause(result.detail, seconds);
    return seconds;
  }

  #pause(detail: string, seconds: number): void {
    const wasClosed = this.#open === undefined;
    this.#open = { since: this.#ports.clock(), seconds };
    if (wasClosed) this.#ports.onSwitch({ to: 'paused', seconds, detail });
  }

  #close(): void {
    const wasOpen = this.#open !== undefined;
    this.#open = undefined;
    if (wasOpen) this.#ports.onSwitch({ to: 'asked' });
  }
}
