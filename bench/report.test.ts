import { expect, test } from 'vitest';

import type { ContestantName } from './contestants/contestant.ts';
import type { Round } from './measure.ts';
import { renderDisturbance, renderRatios, renderTable, steadyRatio } from './report.ts';
import type { Comparison } from './report.ts';

const comparisons: readonly Comparison[] = [
  { own: 'gateway', over: 'stock', figure: 'requestsPerSecond', mark: 1.6, better: 'higher' },
  { own: 'gateway', over: 'bare', figure: 'cpuMicros', mark: 1.5, better: 'lower' },
];

function round(contestant: ContestantName, requestsPerSecond: number, cpuMicros: number): Round {
  return {
    contestant,
    answered: 1000,
    seconds: 2,
    requestsPerSecond,
    cpuMicros,
    upstreamCpuMicros: 20,
    loadCpuMicros: Number.NaN,
    othersPercent: 3.3,
    p50Millis: 1,
    p99Millis: 2,
    residentMegabytes: Number.NaN,
  };
}

test('says reached where the ratio of the medians meets the mark and missed where it does not', () => {
  const rounds = [
    round('bare', 200, 50),
    round('stock', 100, 100),
    round('gateway', 160, 80),
    round('bare', 200, 50),
    round('stock', 100, 100),
    round('gateway', 190, 76),
    round('bare', 200, 50),
    round('stock', 100, 100),
    round('gateway', 150, 70),
  ];
  expect(renderRatios(rounds, comparisons)).toEqual([
    'gateway/stock requests/s: 1.60 (rounds 1.50–1.90; mark ≥ 1.6): reached',
    'gateway/bare CPU per request: 1.52 (rounds 1.40–1.60; mark ≤ 1.5): missed',
  ]);
  expect(steadyRatio('call', rounds, { own: 'gateway', over: 'bare' })).toEqual([
    { name: 'call: gateway/bare CPU', value: 1.4 },
  ]);
});

test('leaves out a ratio whose other contestant did not run', () => {
  expect(renderRatios([round('gateway', 160, 80)], comparisons)).toEqual([]);
  expect(steadyRatio('call', [round('gateway', 160, 80)], { own: 'gateway', over: 'bare' })).toEqual([]);
});

test('shows the median of the rounds and a dash for what the system does not tell', () => {
  const rounds = [round('bare', 100, 51), round('bare', 900, 50), round('bare', 300, 40)];
  expect(renderTable(rounds).split('\n')[2]).toBe(
    '| bare       |        300 |           50.0 |   1.00 |   2.00 |      – |            20.0 |           – |           3 |',
  );
});

test('warns when other processes took more than 15 % of the machine in any round', () => {
  const quiet = round('bare', 100, 50);
  expect(renderDisturbance([quiet])).toEqual([]);
  expect(renderDisturbance([quiet, { ...quiet, othersPercent: 41.6 }])).toEqual([
    'Other processes took up to 42 % of the machine: measure again when it is quiet.',
  ]);
});
