import { expect, test } from 'vitest';

import { partNames, readPlan } from './plan.ts';

const plan = (...args: string[]): ReturnType<typeof readPlan> => readPlan(args, () => {});

test('measures everything in five rounds on warm processes unless told otherwise', () => {
  const full = plan();
  expect(full.parts).toEqual(partNames);
  expect(full).toMatchObject({ size: 'full', rounds: 5, warmUpSeconds: 20 });
});

test('takes contestants without a part for those of the small call', () => {
  expect(plan('--only', 'gateway', '--only', 'bare')).toMatchObject({
    parts: ['call'],
    contestants: ['bare', 'gateway'],
  });
  expect(plan('--short', '--only', 'events')).toMatchObject({
    parts: ['events'],
    contestants: ['bare', 'stock', 'haproxy-jwt', 'gateway'],
  });
});

test('refuses what it does not know', () => {
  expect(() => plan('--only', 'everything')).toThrow(TypeError);
  expect(() => plan('--rounds', '0')).toThrow(TypeError);
});
