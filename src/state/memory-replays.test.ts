import { randomUUID } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { MemoryReplays } from './memory-replays.ts';

/** A store whose time the test moves; at the beginning of a slice of uses that last 7 s. */
function storeAt(bounds: { readonly maximumUses?: number; readonly maximumUsesPerHolder?: number } = {}) {
  const time = { nowMs: 1_800_000_000_000 };
  return { time, store: new MemoryReplays({ clock: () => time.nowMs, ...bounds }) };
}

const ttlMs = 7000;

describe('uses in memory (A-072)', () => {
  it('are new once for each holder and id, for as long as they have to be known and little longer', () => {
    const { time, store } = storeAt();
    expect(store.knowsSinceMs).toBe(time.nowMs);
    const use = { holder: 'a', id: '1', ttlMs };
    time.nowMs += 999;
    expect(store.claim(use)).toBe('new');
    expect(store.claim(use)).toBe('seen');
    expect(store.claim({ ...use, holder: 'b' })).toBe('new');
    expect(store.claim({ ...use, id: '2' })).toBe('new');
    time.nowMs += 7000;
    expect(store.claim(use)).toBe('seen');
    time.nowMs += 1;
    expect(store.claim(use)).toBe('new');
    expect(store.size).toBe(1);
  });

  it('are known in every slice of their time, whenever they were made', () => {
    const { time, store } = storeAt();
    for (let step = 0; step < 300; step += 1) {
      const use = { holder: 'a', id: String(step), ttlMs };
      expect(store.claim(use)).toBe('new');
      const madeAt = time.nowMs;
      for (const later of [1, 1000, 3500, 7000]) {
        time.nowMs = madeAt + later;
        expect(store.claim(use)).toBe('seen');
      }
      time.nowMs = madeAt + 7313;
    }
    expect(store.size).toBeLessThan(5);
  });

  it('are told apart whatever stands in holder and id', () => {
    const { store } = storeAt();
    const pairs = [
      ['a', 'b:c'],
      ['a:b', 'c'],
      ['a","b', 'c'],
      ['a', 'b","c'],
      ['', 'a'],
      ['a', ''],
      ['a', '\u0000'],
    ] as const;
    for (const [holder, id] of pairs) expect(store.claim({ holder, id, ttlMs })).toBe('new');
  });

  it('are never forgotten to make room: a full store says so, until some have ended', () => {
    const { time, store } = storeAt({ maximumUses: 3 });
    const claim = (id: string) => store.claim({ holder: id, id, ttlMs });
    expect(['1', '2'].map(claim)).toEqual(['new', 'new']);
    time.nowMs += 5000;
    expect(['3', '4', '1', '2', '3'].map(claim)).toEqual(['new', 'full', 'seen', 'seen', 'seen']);
    time.nowMs += 3000;
    expect(['4', '5', '6', '3'].map(claim)).toEqual(['new', 'new', 'full', 'seen']);
  });

  it('of one holder leave room for those of the others', () => {
    const { time, store } = storeAt({ maximumUses: 10, maximumUsesPerHolder: 2 });
    const claim = (holder: string) => store.claim({ holder, id: randomUUID(), ttlMs });
    expect(claim('flood')).toBe('new');
    time.nowMs += 2000;
    expect(['flood', 'flood', 'other', 'flood'].map(claim)).toEqual(['new', 'full', 'new', 'full']);
    time.nowMs += 6000;
    expect(['flood', 'flood'].map(claim)).toEqual(['new', 'full']);
  });

  it('that last longer don’t keep the room of those that have ended', () => {
    const { time, store } = storeAt({ maximumUses: 3 });
    const claim = (id: string, lastsMs: number) => store.claim({ holder: 'a', id, ttlMs: lastsMs });
    expect([claim('long', 70_000), claim('short', ttlMs), claim('too', ttlMs)]).toEqual([
      'new',
      'new',
      'new',
    ]);
    time.nowMs += 8000;
    expect([claim('4', ttlMs), claim('long', ttlMs), claim('short', 70_000)]).toEqual(['new', 'seen', 'new']);
  });

  it('stay bounded however many come', () => {
    const { time, store } = storeAt({ maximumUses: 25_000, maximumUsesPerHolder: 5000 });
    const holders = Array.from({ length: 10 }, () => randomUUID());
    let refused = 0;
    for (let index = 0; index < 30_000; index += 1) {
      time.nowMs += index % 10 === 0 ? 1 : 0;
      const holder = holders[index % holders.length] ?? '';
      if (store.claim({ holder, id: String(index), ttlMs: 70_000 }) === 'full') refused += 1;
    }
    expect(store.size).toBe(25_000);
    expect(refused).toBe(5000);
  });
});
