import { expect, test } from 'vitest';

import { renderMark } from './mark.ts';

const marked = { title: 'cost', value: 5, rounds: [4, 6.5], mark: 5, better: 'lower', unit: ' µs' } as const;

test('says reached on the mark, missed beyond it, on either side', () => {
  expect(renderMark(marked)).toBe('cost: 5.00 µs (rounds 4.00–6.50; mark ≤ 5 µs): reached');
  expect(renderMark({ ...marked, value: 5.01 })).toMatch(/: missed$/);
  expect(renderMark({ ...marked, better: 'higher' })).toBe(
    'cost: 5.00 µs (rounds 4.00–6.50; mark ≥ 5 µs): reached',
  );
  expect(renderMark({ ...marked, better: 'higher', value: 4.99 })).toMatch(/: missed$/);
});

test('shows no range of a single round, and never takes what was not measured for reached', () => {
  expect(renderMark({ ...marked, rounds: [5] })).toBe('cost: 5.00 µs (mark ≤ 5 µs): reached');
  expect(renderMark({ ...marked, value: Number.NaN })).toMatch(/: missed$/);
});
