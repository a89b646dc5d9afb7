import { expect, test } from 'vitest';

import type { Round } from '../measure.ts';
import { renderCostsBeside } from './render.ts';
import type { Profiled } from './render.ts';

/** Its main thread was sampled for 800 µs in ten requests. */
function profiled(contestant: string, cpuMicros: number, ...costs: [string, number][]): Profiled {
  return {
    summary: { busyMicros: 800, idleMicros: 0, functions: [], modules: [] },
    costs: costs.map(([name, micros]) => ({ name, micros })),
    round: { contestant, cpuMicros, answered: 10 } as Round,
    top: 1,
  };
}

test('puts the costs of one beside those of the other, scaled to the CPU time that each really got', () => {
  const gateway = profiled('gateway', 100, ['reading', 500], ['writing', 300]);
  const disturbed = profiled('bare', 40, ['writing', 800]);
  expect(renderCostsBeside([gateway, disturbed]).split('\n').slice(2)).toEqual([
    '| reading            |    50.0 |    – |',
    '| writing            |    30.0 | 40.0 |',
    '| other threads      |    20.0 |  0.0 |',
    '| all                |   100.0 | 40.0 |',
  ]);
});
