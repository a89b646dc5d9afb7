import type { ExchangeEnd } from '../vocabulary/exchange.ts';

/** Something that is under way and can be ended from outside. */
export interface Endable {
  /** A server's stream that answers no call: nothing is lost when it ends. */
  readonly answersNothing: boolean;
  end(reason: ExchangeEnd): void;
}

/** The exchanges of one route that are under way; the route's cap counts them, a stop ends them. */
export class OpenExchanges {
  readonly #open = new Set<Endable>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get full(): boolean {
    return this.#open.size >= this.#limit;
  }

  get size(): number {
    return this.#open.size;
  }

  add(exchange: Endable): void {
    this.#open.add(exchange);
  }

  remove(exchange: Endable): void {
    this.#open.delete(exchange);
  }

  endIdle(): void {
    for (const exchange of this.#open) if (exchange.answersNothing) exchange.end('stopping');
  }

  endAll(): void {
    for (const exchange of this.#open) exchange.end('stopping');
  }
}
