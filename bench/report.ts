import type { ContestantName } from './contestants/contestant.ts';
import { renderMark } from './mark.ts';
import { median } from './median.ts';
import type { Round } from './measure.ts';
import { renderColumns } from './table.ts';

type Figure = Exclude<keyof Round, 'contestant'>;

interface Ratio {
  readonly title: string;
  readonly figure: Figure;
  readonly over: ContestantName;
  readonly mark: number;
  readonly better: 'higher' | 'lower';
}

const columns: readonly { readonly title: string; readonly figure: Figure; readonly digits: number }[] = [
  { title: 'requests/s', figure: 'requestsPerSecond', digits: 0 },
  { title: 'CPU µs/request', figure: 'cpuMicros', digits: 1 },
  { title: 'p50 ms', figure: 'p50Millis', digits: 2 },
  { title: 'p99 ms', figure: 'p99Millis', digits: 2 },
  { title: 'upstream CPU µs', figure: 'upstreamCpuMicros', digits: 1 },
  { title: 'load CPU µs', figure: 'loadCpuMicros', digits: 1 },
  { title: 'other CPU %', figure: 'othersPercent', digits: 0 },
];

const ratios: readonly Ratio[] = [
  {
    title: 'gateway/stock requests/s',
    figure: 'requestsPerSecond',
    over: 'stock',
    mark: 1.6,
    better: 'higher',
  },
  { title: 'gateway/bare CPU per request', figure: 'cpuMicros', over: 'bare', mark: 1.5, better: 'lower' },
];

/** The median of the rounds, one row for each contestant. */
export function renderTable(rounds: readonly Round[]): string {
  const names = [...new Set(rounds.map((round) => round.contestant))];
  const rows = names.map((name) => [
    name,
    ...columns.map(({ figure, digits }) => {
      const value = median(figuresOf(rounds, name, figure));
      return Number.isNaN(value) ? '–' : value.toFixed(digits);
    }),
  ]);
  const heads = ['contestant', ...columns.map((column) => column.title)];
  return renderColumns(heads, rows);
}

/** One line for each mark whose two contestants ran: the ratio of the medians, and the range over the rounds. */
export function renderRatios(measured: readonly Round[]): readonly string[] {
  return ratios.flatMap((ratio) => {
    const own = figuresOf(measured, 'gateway', ratio.figure);
    const theirs = figuresOf(measured, ratio.over, ratio.figure);
    if (own.length === 0 || theirs.length === 0) return [];
    const value = median(own) / median(theirs);
    const rounds = own.map((figure, index) => figure / (theirs[index] ?? Number.NaN));
    return [renderMark({ ...ratio, value, rounds, unit: '' })];
  });
}

/** A warning when something else ran meanwhile: it slows all, but not all alike. */
export function renderDisturbance(rounds: readonly Round[]): readonly string[] {
  const worst = Math.max(...rounds.map((round) => round.othersPercent));
  if (!(worst > 10)) return [];
  return [`Other processes took up to ${worst.toFixed(0)} % of the machine: measure again when it is quiet.`];
}

function figuresOf(rounds: readonly Round[], name: string, figure: Figure): readonly number[] {
  return rounds.filter((round) => round.contestant === name).map((round) => round[figure]);
}
