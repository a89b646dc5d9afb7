import type { ExchangeEnd } from '../vocabulary/exchange.ts';

/** Something that is under way and can be ended from outside. */
export interface Endable {
  /** A server's stream that answers no call: nothing is lost when it ends. */
  readonly answersNothing: boolean;
  /** Where it stands among the open ones; theirs to write. */
  place: number;
  end(reason: ExchangeEnd): void;
}

/** The exchanges of one route that are under way; the route's cap counts them, a stop ends them. */
export class OpenExchanges {
  // No Set: its table, once outgrown, points to the next one, so a dead table that has come of age keeps every
  // table after it through all young collections, with the requests in them: a sixth of the CPU of a call.
  readonly #open: Endable[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get full(): boolean {
    return this.#open.length >= this.#limit;
  }

  get size(): number {
    return this.#open.length;
  }

  add(exchange: Endable): void {
    exchange.place = this.#open.length;
    this.#open.push(exchange);
  }

  remove(exchange: Endable): void {
    if (this.#open[exchange.place] !== exchange) return;
    const last = this.#open.pop();
    if (last === undefined || last === exchange) return;
    this.#open[exchange.place] = last;
    last.place = exchange.place;
  }

  endIdle(): void {
    for (const exchange of this.#open.slice()) if (exchange.answersNothing) exchange.end('stopping');
  }

  endAll(): void {
    for (const exchange of this.#open.slice()) exchange.end('stopping');
  }
}
