import { setImmediate as nextTurn } from 'node:timers/promises';

import type { ExchangeEnd } from '../vocabulary/exchange.ts';
import type { Standing } from '../vocabulary/standing.ts';

/** Something that is under way and can be ended from outside. */
export interface Endable {
  /** A server's stream that answers no call: nothing is lost when it ends. */
  readonly answersNothing: boolean;
  /** Of the configuration that it runs on. */
  readonly standing: Standing;
  /** Where it stands among the open ones; theirs to write. */
  place: number;
  end(reason: ExchangeEnd): void;
  /** Tells the client, where that can still be said, that its connection ends with this answer. */
  sayLast(): void;
  /** Ends a stream that the newest configuration wouldn't let begin. */
  reconsider(): Promise<void>;
}

/** So many streams are looked at before others get their turn. */
const streamsPerTurn = 50;

/** The exchanges of one route that are under way; the route's cap counts them, a stop ends them. */
export class OpenExchanges {
  // No Set: its table, once outgrown, points to the next one, so a dead table that has come of age keeps every
  // table after it through all young collections, with the requests in them: a sixth of the CPU of a call.
  readonly #open: Endable[] = [];

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

  /** A stop begins: what answers nothing ends, the rest is the last on its connection. */
  beginStop(): void {
    for (const exchange of this.#open.slice())
      if (exchange.answersNothing) exchange.end('stopping');
      else exchange.sayLast();
  }

  endAll(): void {
    for (const exchange of this.#open.slice()) exchange.end('stopping');
  }

  /** Ends what runs on this configuration. */
  endOf(standing: Standing): void {
    for (const exchange of this.#open.slice())
      if (exchange.standing === standing) exchange.end('config_reloaded');
  }

  /** Looks at all of them with the newest configuration. Never rejects. */
  async reconsiderAll(): Promise<void> {
    const all = this.#open.slice();
    for (let from = 0; from < all.length; from += streamsPerTurn) {
      await Promise.all(all.slice(from, from + streamsPerTurn).map((exchange) => exchange.reconsider()));
      await nextTurn();
    }
  }
}
