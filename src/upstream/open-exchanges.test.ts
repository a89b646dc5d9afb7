import { describe, expect, it } from 'vitest';

import type { ExchangeEnd } from '../vocabulary/exchange.ts';
import type { Standing } from '../vocabulary/standing.ts';
import type { Endable } from './open-exchanges.ts';
import { OpenExchanges } from './open-exchanges.ts';

interface Watched extends Endable {
  readonly ended: ExchangeEnd[];
  isLast: boolean;
  /** How often it was looked at. */
  looks: number;
}

const newest: Standing = { supersededAt: undefined };

function exchange(
  answersNothing = false,
  whenEnded?: (self: Endable) => void,
  standing: Standing = newest,
): Watched {
  const ended: ExchangeEnd[] = [];
  const self: Watched = {
    answersNothing,
    standing,
    place: 0,
    ended,
    isLast: false,
    looks: 0,
    sayLast() {
      self.isLast = true;
    },
    reconsider() {
      self.looks += 1;
      return Promise.resolve();
    },
    end(reason) {
      ended.push(reason);
      whenEnded?.(self);
    },
  };
  return self;
}

describe('the open exchanges of a route', () => {
  it('are counted, in whatever order they end', () => {
    const open = new OpenExchanges();
    const [a, b, c] = [exchange(), exchange(), exchange()];
    for (const each of [a, b, c]) open.add(each);
    expect(open.size).toBe(3);
    open.remove(a);
    expect(open.size).toBe(2);
    open.remove(c);
    open.remove(b);
    expect(open.size).toBe(0);
  });

  it('lose one only once, and no other with it', () => {
    const open = new OpenExchanges();
    const [a, b, c] = [exchange(), exchange(), exchange()];
    for (const each of [a, b, c]) open.add(each);
    open.remove(a);
    open.remove(a);
    expect(open.size).toBe(2);
    open.endAll();
    expect([a.ended, b.ended, c.ended]).toEqual([[], ['stopping'], ['stopping']]);
  });

  it('are all ended by a stop, though each one leaves as it ends', () => {
    const open = new OpenExchanges();
    const all = [true, false, true].map((idle) => exchange(idle, (self) => open.remove(self)));
    for (const each of all) open.add(each);
    open.beginStop();
    expect(all.map(({ ended }) => ended.length)).toEqual([1, 0, 1]);
    expect(all.map(({ isLast }) => isLast)).toEqual([false, true, false]);
    open.endAll();
    expect(all.map(({ ended }) => ended.length)).toEqual([1, 1, 1]);
    expect(open.size).toBe(0);
  });

  it('end with the configuration that they run on, and no other with them (D-017)', () => {
    const open = new OpenExchanges();
    const old: Standing = { supersededAt: 1 };
    const all = [old, newest, old].map((standing) => exchange(false, (self) => open.remove(self), standing));
    for (const each of all) open.add(each);
    open.endOf(old);
    expect(all.map(({ ended }) => ended)).toEqual([['config_reloaded'], [], ['config_reloaded']]);
  });

  it('are all looked at once after a reload, though some leave meanwhile (D-017)', async () => {
    const open = new OpenExchanges();
    const all = Array.from({ length: 120 }, () => exchange());
    for (const each of all) open.add(each);
    const looked = open.reconsiderAll();
    open.remove(all[110] ?? exchange());
    await looked;
    expect(all.map(({ looks }) => looks)).toEqual(all.map(() => 1));
  });
});
