import type { Round } from '../measure.ts';
import { renderColumns } from '../table.ts';
import { totalOf } from './summary.ts';
import type { ProfileSummary } from './summary.ts';

/**
 * The summary as text, in microseconds per request. Samples are taken by the clock, so where other processes held the
 * core they count too much: then all figures are scaled down to the CPU time that the process really got.
 */
export function renderSummary(summary: ProfileSummary, round: Round, top: number): string {
  const scale = Math.min(1, (round.cpuMicros * round.answered) / summary.busyMicros);
  const perRequest = (micros: number): string => ((scale * micros) / round.answered).toFixed(2);
  const share = (micros: number): string => `${((100 * micros) / summary.busyMicros).toFixed(1)} %`;
  const idle = (100 * summary.idleMicros) / (summary.idleMicros + summary.busyMicros);
  const scaled = scale < 1 ? ` (scaled by ${scale.toFixed(2)}: others held the core)` : '';
  const modules = summary.modules.map((time) => [
    time.module,
    perRequest(totalOf(time)),
    share(totalOf(time)),
    ...[time.ownMicros, time.nodeMicros, time.nativeMicros].map(perRequest),
  ]);
  const functions = summary.functions
    .slice(0, top)
    .map(({ name, place, selfMicros }) => [`${name}  ${place}`, perRequest(selfMicros), share(selfMicros)]);
  return [
    `${round.contestant}: ${round.answered} requests, ${round.requestsPerSecond.toFixed(0)} per second; main thread idle ${idle.toFixed(1)} %.`,
    `CPU µs per request: main thread ${perRequest(summary.busyMicros)}${scaled}, the process with all its threads ${round.cpuMicros.toFixed(2)}.`,
    '',
    renderColumns(
      ['module', 'µs/request', 'share', 'its own JS', "Node's JS for it", 'native for it'],
      modules,
    ),
    '',
    renderColumns(['function (native ← caller ← caller outside Node)', 'µs/request', 'share'], functions),
  ].join('\n');
}
