import type { ServerResponse } from 'node:http';

import type { Admitted } from '../vocabulary/passage.ts';
import { EventBoundary } from './event-boundary.ts';
import type { OnSent } from './spent-memory.ts';

export interface EventStreamOptions {
  /** Undefined: no comment may be put in. */
  readonly keepAliveMs: number | undefined;
  /** Until the stream must end; undefined: never. */
  readonly remainingMs: number | undefined;
  readonly onExpired: () => void;
  /** Whether who opened it would still be let in; undefined: nobody is asked. */
  readonly stillAdmitted: (() => Promise<boolean>) | undefined;
  readonly onRevoked: () => void;
}

/** How long a revocation may go unnoticed by a stream, besides what an introspected answer is remembered. */
const admissionIntervalMs = 20_000;

/** The longest delay of a Node timer; a longer one would fire at once. */
const maximumDelayMs = 2 ** 31 - 1;

/** WHATWG HTML §9.2.6: a line that begins with a colon is a comment; the empty line keeps events apart. */
const comment = ':\n\n';

/** An event stream on its way to a client: bytes as they come, a comment into silence, an end at the token's. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #boundary = new EventBoundary();
  readonly #keepAlive: NodeJS.Timeout | undefined;
  readonly #expiry: NodeJS.Timeout | undefined;
  readonly #admission: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, options: EventStreamOptions) {
    this.#response = response;
    if (options.keepAliveMs !== undefined) {
      this.#keepAlive = setInterval(() => this.#breakSilence(), options.keepAliveMs);
    }
    if (options.remainingMs !== undefined) {
      const delayMs = Math.min(Math.max(options.remainingMs, 0), maximumDelayMs);
      this.#expiry = setTimeout(options.onExpired, delayMs);
    }
    const { stillAdmitted, onRevoked } = options;
    if (stillAdmitted !== undefined) {
      this.#admission = setInterval(() => void this.#look(stillAdmitted, onRevoked), admissionIntervalMs);
    }
  }

  /** Answers whether the client keeps up. */
  write(chunk: Buffer, onSent: OnSent | undefined): boolean {
    this.#boundary.pass(chunk);
    this.#keepAlive?.refresh();
    return this.#response.write(chunk, onSent);
  }

  end(): void {
    this.stop();
    this.#response.end();
  }

  stop(): void {
    clearInterval(this.#keepAlive);
    clearTimeout(this.#expiry);
    clearInterval(this.#admission);
  }

  /** Whoever can't be judged isn't admitted. */
  async #look(stillAdmitted: () => Promise<boolean>, onRevoked: () => void): Promise<void> {
    const admitted = await stillAdmitted().catch(() => false);
    if (!admitted && !this.#response.writableEnded) onRevoked();
  }

  #breakSilence(): void {
    // A client that doesn't read what it has needs no sign of life.
    if (this.#boundary.between && !this.#response.writableNeedDrain) this.#response.write(comment);
  }
}

/** How long a stream may outlive its token (MCP authorization: it must be in every request, and a stream is one). */
export function remainingMs({ principal, route }: Admitted, nowMs: number): number | undefined {
  const { closeOnExpiry } = route.streams;
  const expiresAt = principal?.expiresAt;
  if (closeOnExpiry === 'never' || expiresAt === undefined) return undefined;
  return expiresAt * 1000 + closeOnExpiry - nowMs;
}
