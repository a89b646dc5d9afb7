import type { Refusal } from '../vocabulary/refusal.ts';
import type { RewriteEndpoint } from './endpoint-event.ts';
import { EndpointEvent } from './endpoint-event.ts';

/** A legacy server says at once where to post; one that doesn't is no such server. */
const endpointPatienceMs = 10_000;

export interface LegacyStreamParts {
  readonly rewrite: RewriteEndpoint;
  /** Begins the answer to the client; false where that failed. */
  readonly start: () => boolean;
  readonly giveUp: (refusal: Refusal) => void;
}

/**
 * The stream of a legacy server on its way to a client. Nothing is promised to the client before the server has named
 * an address for messages that may be passed on, and no second one is.
 */
export class LegacyStream {
  readonly #endpoint: EndpointEvent;
  readonly #parts: LegacyStreamParts;
  /** Until the address was named. */
  #patience: NodeJS.Timeout | undefined;

  constructor(parts: LegacyStreamParts) {
    this.#parts = parts;
    this.#endpoint = new EndpointEvent(parts.rewrite);
    this.#patience = setTimeout(
      () => parts.giveUp({ kind: 'upstream-silent', reason: 'headers_timeout', detail: 'no endpoint event' }),
      endpointPatienceMs,
    );
  }

  get isNamed(): boolean {
    return this.#patience === undefined;
  }

  /** What may go on to the client, if anything. */
  pass(chunk: Buffer): Buffer | undefined {
    const passing = this.#endpoint.pass(chunk);
    if (passing.state === 'pending') return undefined;
    const wasNamed = this.isNamed;
    this.stop();
    if (passing.state === 'fault') {
      this.#parts.giveUp({ kind: 'upstream-failed', reason: 'garbage', detail: passing.detail });
      return undefined;
    }
    return wasNamed || this.#parts.start() ? passing.bytes : undefined;
  }

  stop(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }
}
