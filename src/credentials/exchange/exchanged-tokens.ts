import { LRUCache } from 'lru-cache';

import { Flights } from '../../authorization-servers/flights.ts';
import { WaitingRoom } from '../../authorization-servers/waiting-room.ts';
import type { ExchangeAnswer, ExchangeFault } from './exchange-client.ts';

export interface ExchangedToken {
  readonly ok: true;
  /** As it goes upstream. */
  readonly headers: readonly string[];
  /** Milliseconds. */
  readonly exchangedAt: number;
  readonly freshUntil: number;
}

export type NotExchanged =
  | ExchangeFault
  | {
      readonly ok: false;
      readonly fault: 'busy';
      readonly detail: string;
      readonly retryAfterSeconds: number;
    };

export interface ExchangePorts {
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Never rejects. */
  readonly exchange: (subjectToken: string) => Promise<ExchangeAnswer>;
}

/** A token that ends on its way is worth nothing; of one that lives shortly a fifth is left. */
const latestRenewalMs = 30_000;

/** A server that doesn't say how long a token lives is asked again soon. */
const unsaidLifetimeSeconds = 60;

/** Of users; who has many tokens only pushes others back to one exchange each. */
const maximumTokens = 10_000;
const maximumCharacters = 16 * 1024 * 1024;

/** A server that answers in 20 ms gives a thousand tokens a second through them. */
const maximumInFlight = 20;

/**
 * The tokens of the upstream by whom they speak for: asked for once however many requests want one, kept until shortly
 * before they end, and in bounds. What failed isn't kept: the next request tries again.
 */
export class ExchangedTokens {
  readonly #ports: ExchangePorts;
  readonly #kept = new LRUCache<string, ExchangedToken>({ max: maximumTokens, maxSize: maximumCharacters });
  readonly #flights: Flights<ExchangedToken | NotExchanged>;
  readonly #room = new WaitingRoom();
  #inFlight = 0;

  constructor(ports: ExchangePorts) {
    this.#ports = ports;
    this.#flights = new Flights(ports.clock);
  }

  /** Answers at once where there is one. */
  get(
    key: string,
    subjectToken: string,
  ): ExchangedToken | NotExchanged | Promise<ExchangedToken | NotExchanged> {
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#isFresh(kept)) return kept;
    // A slow server lets many users wait: it is the waiting that has to end somewhere.
    if (this.#room.isFull) return busy('too many requests wait for exchanges');
    return this.#room.hold(this.#flights.share(key, Infinity, () => this.#exchange(key, subjectToken)));
  }

  /** Drops the token, unless another has taken its place since, or it is as new as any could be. */
  dropRefused(key: string, headers: readonly string[]): 'dropped' | 'replaced' | 'new' {
    const kept = this.#kept.peek(key);
    if (kept === undefined || kept.headers[1] !== headers[1]) return 'replaced';
    if (this.#ports.clock() - kept.exchangedAt < newForMs) return 'new';
    this.#kept.delete(key);
    return 'dropped';
  }

  // A clock that was set back says nothing of how old it is.
  #isFresh({ exchangedAt, freshUntil }: ExchangedToken): boolean {
    const now = this.#ports.clock();
    return exchangedAt <= now && now < freshUntil;
  }

  async #exchange(key: string, subjectToken: string): Promise<ExchangedToken | NotExchanged> {
    if (this.#inFlight >= maximumInFlight) return busy('too many exchanges are running');
    this.#inFlight += 1;
    const exchangedAt = this.#ports.clock();
    const answer = await this.#ports.exchange(subjectToken);
    this.#inFlight -= 1;
    if (!answer.ok) return answer;
    const lifetimeMs = (answer.lifetimeSeconds ?? unsaidLifetimeSeconds) * 1000;
    const freshUntil = exchangedAt + lifetimeMs - Math.min(latestRenewalMs, lifetimeMs / 5);
    const headers = ['authorization', `Bearer ${answer.token}`];
    const exchanged: ExchangedToken = { ok: true, headers, exchangedAt, freshUntil };
    this.#kept.set(key, exchanged, { size: key.length + answer.token.length });
    return exchanged;
  }
}

/** An upstream that refuses every token must not make an exchange of each request. */
const newForMs = 10_000;

function busy(detail: string): NotExchanged {
  return { ok: false, fault: 'busy', detail, retryAfterSeconds: 1 };
}
