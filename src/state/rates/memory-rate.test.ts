import { describe, expect, it } from 'vitest';

import { MemoryRate } from './memory-rate.ts';
import { Windows } from './windows.ts';

const limit = { requests: 10, per: 60_000 };

function rate(options: { readonly maximum?: number; readonly clock?: () => number } = {}) {
  const windows = new Windows(options.maximum);
  const clock = options.clock ?? (() => 0);
  return { windows, counted: new MemoryRate({ name: 'a', limit }, { windows, clock }) };
}

describe('a rate in memory', () => {
  it('admits as many as the limit says, then none until the window ends (P5)', () => {
    let now = 1000;
    const { counted } = rate({ clock: () => now });
    for (let index = 0; index < 10; index += 1) expect(counted.take('alice', 1)).toBe(0);
    expect(counted.take('alice', 1)).toBe(60_000);
    expect(counted.take('bob', 1)).toBe(0);
    now = 60_999;
    expect(counted.take('alice', 1)).toBe(1);
    now = 61_000;
    expect(counted.take('alice', 10)).toBe(0);
    expect(counted.take('alice', 1)).toBe(60_000);
  });

  it('says when nothing is left without counting', () => {
    const { counted } = rate();
    expect(counted.exhaustedFor('alice')).toBe(0);
    counted.take('alice', 9);
    for (let index = 0; index < 5; index += 1) expect(counted.exhaustedFor('alice')).toBe(0);
    counted.take('alice', 1);
    expect(counted.exhaustedFor('alice')).toBe(60_000);
  });

  it('goes on from what was counted elsewhere', () => {
    const { counted } = rate();
    counted.note('alice', 8, 5000);
    expect(counted.take('alice', 2)).toBe(0);
    expect(counted.take('alice', 1)).toBe(5000);
  });

  it('makes no one wait longer than a window when the clock is set back', () => {
    let now = 10_000_000;
    const { counted } = rate({ clock: () => now });
    counted.take('alice', 11);
    now = 0;
    expect(counted.exhaustedFor('alice')).toBe(0);
    expect(counted.take('alice', 1)).toBe(0);
  });

  it('tells limits apart that share their windows', () => {
    const windows = new Windows();
    const [one, other] = ['one', 'other'].map(
      (name) => new MemoryRate({ name, limit }, { windows, clock: () => 0 }),
    );
    one?.take('alice', 10);
    expect(other?.take('alice', 10)).toBe(0);
  });

  it('is bounded, whoever invents keys (D-011)', () => {
    const { windows, counted } = rate();
    for (let index = 0; index < 200_000; index += 1) counted.take(`198.51.${index}`, 1);
    expect(windows.size).toBe(50_000);
  });
});
