import { describe, expect, it } from 'vitest';

import { Flights } from './flights.ts';

describe('work that several want at once', () => {
  it('is done once for each key, and no key waits for another (S05)', async () => {
    const flights = new Flights<number>(() => 0);
    const held = Promise.withResolvers<number>();
    let runs = 0;
    const start = (): Promise<number> => {
      runs += 1;
      return held.promise;
    };
    const waiting = Array.from({ length: 100 }, () => flights.share('a', Infinity, start));
    expect(await flights.share('b', Infinity, () => Promise.resolve(7))).toBe(7);
    held.resolve(0);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([0]));
    expect(runs).toBe(1);
  });

  it('is done anew once it has ended, whatever came of it (S06)', async () => {
    const flights = new Flights<string>(() => 0);
    expect(await flights.share('a', Infinity, () => Promise.resolve('failed'))).toBe('failed');
    expect(await flights.share('a', Infinity, () => Promise.resolve('done'))).toBe('done');
  });

  it('is waited for and done once more for those who need it younger', async () => {
    let now = 0;
    const flights = new Flights<number>(() => now);
    const first = Promise.withResolvers<number>();
    const old = flights.share('a', 10, () => first.promise);
    now = 10;
    let runs = 0;
    const again = (): Promise<number> => Promise.resolve((runs += 1));
    const young = [flights.share('a', 10, again), flights.share('a', 10, again)];
    first.resolve(0);
    expect([await old, await young[0], await young[1]]).toEqual([0, 1, 1]);
  });
});
