import { describe, expect, it } from 'vitest';

import type { ExchangeEnd } from '../vocabulary/exchange.ts';
import type { Endable } from './open-exchanges.ts';
import { OpenExchanges } from './open-exchanges.ts';

interface Watched extends Endable {
  readonly ended: ExchangeEnd[];
}

function exchange(answersNothing = false, whenEnded?: (self: Endable) => void): Watched {
  const ended: ExchangeEnd[] = [];
  const self: Watched = {
    answersNothing,
    place: 0,
    ended,
    end(reason) {
      ended.push(reason);
      whenEnded?.(self);
    },
  };
  return self;
}

describe('the open exchanges of a route', () => {
  it('are counted up to the limit, in whatever order they end', () => {
    const open = new OpenExchanges(3);
    const [a, b, c] = [exchange(), exchange(), exchange()];
    for (const each of [a, b, c]) open.add(each);
    expect(open.full).toBe(true);
    open.remove(a);
    expect(open.full).toBe(false);
    open.remove(c);
    open.remove(b);
    expect(open.size).toBe(0);
  });

  it('lose one only once, and no other with it', () => {
    const open = new OpenExchanges(10);
    const [a, b, c] = [exchange(), exchange(), exchange()];
    for (const each of [a, b, c]) open.add(each);
    open.remove(a);
    open.remove(a);
    expect(open.size).toBe(2);
    open.endAll();
    expect([a.ended, b.ended, c.ended]).toEqual([[], ['stopping'], ['stopping']]);
  });

  it('are all ended by a stop, though each one leaves as it ends', () => {
    const open = new OpenExchanges(10);
    const all = [true, false, true].map((idle) => exchange(idle, (self) => open.remove(self)));
    for (const each of all) open.add(each);
    open.endIdle();
    expect(all.map(({ ended }) => ended.length)).toEqual([1, 0, 1]);
    open.endAll();
    expect(all.map(({ ended }) => ended.length)).toEqual([1, 1, 1]);
    expect(open.size).toBe(0);
  });
});
