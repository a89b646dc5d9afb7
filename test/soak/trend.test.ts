import { expect, it } from 'vitest';
import { slopePerMinute } from './trend.ts';

it('a heap that grows by 3 a minute, up and down, shows as such; a level one as 0', () => {
  const readings = [1, 4, 7, 10].map((value, minutes) => ({ minutes, value }));
  expect(slopePerMinute(readings)).toBeCloseTo(3);
  expect(slopePerMinute([5, 6, 5, 6, 5].map((value, minutes) => ({ minutes, value })))).toBeCloseTo(0);
  expect(slopePerMinute([{ minutes: 1, value: 9 }])).toBe(0);
});
