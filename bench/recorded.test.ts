import { expect, test } from 'vitest';

import { confirmRegressions, findRegressions } from './recorded.ts';
import type { Section, SteadyRatio } from './section.ts';

function section(part: string, ...ratios: SteadyRatio[]): Section {
  return { part, title: part, notes: [], table: '', lines: [], panels: [], ratios, othersPercent: 0 };
}

test('finds a ratio that is more than a quarter worse than recorded, and no other', () => {
  const sections = [
    section('call', { name: 'call: a/b', value: 2.51 }),
    section('events', { name: 'events: a/b', value: 2.5 }, { name: 'events: unrecorded', value: 99 }),
  ];
  expect(findRegressions(sections, { 'call: a/b': 2, 'events: a/b': 2 })).toEqual([
    { part: 'call', name: 'call: a/b', value: 2.51, recorded: 2 },
  ]);
});

test('believes a regression only when it is found twice, and then its better value', () => {
  const slow = { part: 'call', name: 'call: a/b', value: 4, recorded: 2 };
  expect(confirmRegressions([slow], [])).toEqual([]);
  expect(confirmRegressions([slow], [{ ...slow, value: 3 }])).toEqual([{ ...slow, value: 3 }]);
});
