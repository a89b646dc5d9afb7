import type { Round } from '../measure.ts';
import { medianOf, namesIn } from '../report.ts';
import type { Panel } from './panel.ts';

/** CPU per request, a bar for each contestant; the upstream alone is none. */
export function panelOfCpu(title: string, rounds: readonly Round[], ours: readonly string[]): Panel {
  return {
    title,
    caption: 'CPU µs per request, less is better',
    digits: 0,
    bars: barsOf(rounds, 'cpuMicros', ours),
  };
}

export function panelOfThroughput(title: string, rounds: readonly Round[], ours: readonly string[]): Panel {
  return {
    title,
    caption: 'requests per second, more is better',
    digits: 0,
    bars: barsOf(rounds, 'requestsPerSecond', ours),
  };
}

function barsOf(
  rounds: readonly Round[],
  figure: 'cpuMicros' | 'requestsPerSecond',
  ours: readonly string[],
): Panel['bars'] {
  return namesIn(rounds)
    .filter((name) => name !== 'direct')
    .map((name) => ({ label: name, value: medianOf(rounds, name, figure), isOurs: ours.includes(name) }));
}
