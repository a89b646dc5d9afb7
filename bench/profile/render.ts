import type { Round } from '../measure.ts';
import { renderColumns } from '../table.ts';
import { totalOf } from './summary.ts';
import type { ProfileSummary } from './summary.ts';
import type { Cost } from './costs.ts';

export interface Profiled {
  readonly summary: ProfileSummary;
  readonly costs: readonly Cost[];
  readonly round: Round;
  /** How many functions are shown. */
  readonly top: number;
}

/**
 * The summary as text, in microseconds per request. Samples are taken by the clock, so where other processes held the
 * core they count too much: then all figures are scaled down to the CPU time that the process really got.
 */
export function renderSummary({ summary, costs, round, top }: Profiled): string {
  const scale = scaleOf({ summary, round });
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
  const costRows = [...costsPerRequest({ summary, costs, round })].map(([name, micros]) => [
    name,
    micros.toFixed(2),
    `${((100 * micros) / round.cpuMicros).toFixed(1)} %`,
  ]);
  return [
    `${round.contestant}: ${round.answered} requests, ${round.requestsPerSecond.toFixed(0)} per second; main thread idle ${idle.toFixed(1)} %.`,
    `CPU µs per request: main thread ${perRequest(summary.busyMicros)}${scaled}, the process with all its threads ${round.cpuMicros.toFixed(2)}.`,
    '',
    renderColumns(['cost', 'µs/request', 'share'], costRows),
    '',
    renderColumns(
      ['module', 'µs/request', 'share', 'its own JS', "Node's JS for it", 'native for it'],
      modules,
    ),
    '',
    renderColumns(['function (native ← caller ← caller outside Node)', 'µs/request', 'share'], functions),
  ].join('\n');
}

/** The costs of each contestant side by side, the first one's most expensive first. */
export function renderCostsBeside(profiled: readonly Profiled[]): string {
  const all = profiled.map(costsPerRequest);
  const names = [...new Set(all.flatMap((costs) => [...costs.keys()]))];
  return renderColumns(
    ['CPU µs per request', ...profiled.map(({ round }) => round.contestant)],
    [
      ...names.map((name) => [name, ...all.map((costs) => costs.get(name)?.toFixed(1) ?? '–')]),
      ['all', ...profiled.map(({ round }) => round.cpuMicros.toFixed(1))],
    ],
  );
}

/** Microseconds of one request by the name of what they went into; all threads of the process together. */
function costsPerRequest({
  summary,
  costs,
  round,
}: Pick<Profiled, 'summary' | 'costs' | 'round'>): ReadonlyMap<string, number> {
  const scale = scaleOf({ summary, round });
  const perRequest = costs.map(({ name, micros }) => [name, (scale * micros) / round.answered] as const);
  const others = round.cpuMicros - (scale * summary.busyMicros) / round.answered;
  return new Map([...perRequest, ['other threads', Math.max(0, others)]]);
}

function scaleOf({ summary, round }: Pick<Profiled, 'summary' | 'round'>): number {
  return Math.min(1, (round.cpuMicros * round.answered) / summary.busyMicros);
}
