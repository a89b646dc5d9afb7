import { describe, expect, it } from 'vitest';

import { RateBudget } from './rate-budget.ts';

const never = new AbortController().signal;

describe('a budget of three in a second (W04)', () => {
  it('gives three, and the next when the first of them is a second old', () => {
    let now = 0;
    const budget = new RateBudget({ count: 3, perMs: 1000, clock: () => now });
    for (const at of [0, 100, 200]) {
      now = at;
      expect(budget.take()).toBe(true);
    }
    now = 999;
    expect(budget.take()).toBe(false);
    now = 1000;
    expect(budget.take()).toBe(true);
    expect(budget.take()).toBe(false);
  });

  it('lets those go first that wait', async () => {
    const budget = new RateBudget({ count: 1, perMs: 30, clock: () => performance.now() });
    await budget.turn(never);
    const order: string[] = [];
    const waiting = budget.turn(never).then(() => order.push('waited'));
    expect(budget.isFree).toBe(false);
    await waiting;
    expect(order).toEqual(['waited']);
    expect(budget.take()).toBe(false);
  });

  it('keeps nobody waiting past the end of their patience, and no place for them', async () => {
    let now = 0;
    const budget = new RateBudget({ count: 1, perMs: 60_000, clock: () => now });
    await budget.turn(never);
    await expect(budget.turn(AbortSignal.timeout(10))).rejects.toThrow(/abort/);
    now = 60_000;
    expect(budget.isFree).toBe(true);
  });

  it('forgets what it counted when the clock is set back', () => {
    let now = 1_000_000;
    const budget = new RateBudget({ count: 1, perMs: 1000, clock: () => now });
    expect(budget.take()).toBe(true);
    now = 5;
    expect(budget.take()).toBe(true);
  });
});
