import { renderMark } from './mark.ts';
import type { Marked } from './mark.ts';
import { median } from './median.ts';
import type { Round } from './measure.ts';
import type { SteadyRatio } from './section.ts';
import { renderColumns } from './table.ts';

type Figure = Exclude<keyof Round, 'contestant'>;

/** One contestant's figure over another's. */
export interface Comparison {
  readonly figure: Figure;
  readonly own: string;
  readonly over: string;
  readonly better: 'higher' | 'lower';
  /** Absent: nothing is asked of it. */
  readonly mark?: number;
}

/** From here on other processes say more about the figures than the contestants do. */
export const disturbedPercent = 15;

const columns: readonly { readonly title: string; readonly figure: Figure; readonly digits: number }[] = [
  { title: 'requests/s', figure: 'requestsPerSecond', digits: 0 },
  { title: 'CPU µs/request', figure: 'cpuMicros', digits: 1 },
  { title: 'p50 ms', figure: 'p50Millis', digits: 2 },
  { title: 'p99 ms', figure: 'p99Millis', digits: 2 },
  { title: 'RSS MB', figure: 'residentMegabytes', digits: 0 },
  { title: 'upstream CPU µs', figure: 'upstreamCpuMicros', digits: 1 },
  { title: 'load CPU µs', figure: 'loadCpuMicros', digits: 1 },
  { title: 'other CPU %', figure: 'othersPercent', digits: 0 },
];

const words: Partial<Record<Figure, string>> = {
  requestsPerSecond: 'requests/s',
  cpuMicros: 'CPU per request',
  p99Millis: 'p99',
};

/** The median of the rounds, one row for each contestant. */
export function renderTable(rounds: readonly Round[]): string {
  const rows = namesIn(rounds).map((name) => [
    name,
    ...columns.map(({ figure, digits }) => {
      const value = medianOf(rounds, name, figure);
      return Number.isNaN(value) ? '–' : value.toFixed(digits);
    }),
  ]);
  const heads = ['contestant', ...columns.map((column) => column.title)];
  return renderColumns(heads, rows);
}

export function namesIn(rounds: readonly Round[]): readonly string[] {
  return [...new Set(rounds.map((round) => round.contestant))];
}

export function medianOf(rounds: readonly Round[], name: string, figure: Figure): number {
  return median(figuresOf(rounds, name, figure));
}

/** One line for each comparison whose two contestants ran: the ratio of the medians, and the range over the rounds. */
export function renderRatios(
  measured: readonly Round[],
  comparisons: readonly Comparison[],
): readonly string[] {
  return comparisons.flatMap((comparison) => {
    const own = figuresOf(measured, comparison.own, comparison.figure);
    const theirs = figuresOf(measured, comparison.over, comparison.figure);
    if (own.length === 0 || theirs.length === 0) return [];
    const marked: Marked = {
      ...comparison,
      title: `${comparison.own}/${comparison.over} ${words[comparison.figure] ?? comparison.figure}`,
      value: median(own) / median(theirs),
      rounds: own.map((figure, index) => figure / (theirs[index] ?? Number.NaN)),
      unit: '',
    };
    return [renderMark(marked)];
  });
}

/** CPU of one over CPU of the other, each in its best round. */
export function steadyRatio(
  part: string,
  measured: readonly Round[],
  { own, over }: Pick<Comparison, 'own' | 'over'>,
): readonly SteadyRatio[] {
  const best = (name: string): number => Math.min(...figuresOf(measured, name, 'cpuMicros'));
  const value = best(own) / best(over);
  return value > 0 && Number.isFinite(value) ? [{ name: `${part}: ${own}/${over} CPU`, value }] : [];
}

/** What else ran in the worst of the rounds; 0 where the system doesn't tell. */
export function worstOthersPercent(rounds: readonly Round[]): number {
  return Math.max(0, ...rounds.map(({ othersPercent }) => othersPercent).filter(Number.isFinite));
}

/** A warning when something else ran meanwhile: it slows all, but not all alike. */
export function renderDisturbance(rounds: readonly Round[]): readonly string[] {
  const worst = worstOthersPercent(rounds);
  if (worst <= disturbedPercent) return [];
  return [`Other processes took up to ${worst.toFixed(0)} % of the machine: measure again when it is quiet.`];
}

function figuresOf(rounds: readonly Round[], name: string, figure: Figure): readonly number[] {
  return rounds.filter((round) => round.contestant === name).map((round) => round[figure]);
}
