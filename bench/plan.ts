import { parseArgs } from 'node:util';

import { contestantNames } from './contestants/contestant.ts';
import type { ContestantName } from './contestants/contestant.ts';
import { findCpuSource } from './cpu.ts';
import type { CpuSource } from './cpu.ts';
import { loadNames } from './loads.ts';

/** In the order that they run in. */
export const partNames = [...loadNames, 'tokens', 'policy', 'lists', 'sessions', 'start', 'streams'] as const;
export type PartName = (typeof partNames)[number];

export const usage = `npm run bench -- [--short] [--rounds N] [--seconds N] [--warm-up N] [--only NAME]... [--load wrk|autocannon] [--cpu proc|ipc] [--write]
  --short   a minute and a half, not all of it; fails where a ratio is far worse than in bench/recorded.json
  --warm-up seconds of load on each Node process before it is measured for the first time
  --only    ${partNames.join(', ')}; or of call alone ${contestantNames.join(', ')}; may be repeated
  --write   writes bench/RESULTS.md and bench/results.svg`;

export interface BenchPlan {
  readonly size: 'short' | 'full';
  readonly parts: readonly PartName[];
  readonly contestants: readonly ContestantName[];
  readonly rounds: number;
  /** Of each contestant in each round: of the small call, and of everything else. */
  readonly seconds: number;
  readonly otherSeconds: number;
  readonly warmUpSeconds: number;
  readonly load: string | undefined;
  readonly cpuSource: CpuSource;
  readonly write: boolean;
  readonly tell: (line: string) => void;
}

/**
 * Five rounds of all of it take about twenty minutes; V8 compiles for the first twenty seconds of load. A short run has
 * time for what it is held to and for a look at the rest.
 */
const sizes = {
  short: {
    rounds: 2,
    seconds: 1,
    otherSeconds: 1,
    warmUpSeconds: 4,
    parts: partNames.filter((name) => name !== 'body-1m' && name !== 'streams'),
    contestants: ['bare', 'stock', 'haproxy-jwt', 'gateway'],
  },
  full: {
    rounds: 5,
    seconds: 6,
    otherSeconds: 3,
    warmUpSeconds: 20,
    parts: partNames,
    contestants: contestantNames,
  },
} as const;

/** Throws a TypeError for what it doesn't know. */
export function readPlan(args: readonly string[], tell: (line: string) => void): BenchPlan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      load: { type: 'string' },
      cpu: { type: 'string', default: findCpuSource() },
      write: { type: 'boolean', default: false },
    },
  });
  const size = values.short ? 'short' : 'full';
  const { rounds, otherSeconds, warmUpSeconds } = sizes[size];
  const seconds = values.seconds === undefined ? undefined : readCount(values.seconds);
  return {
    size,
    ...pickAll(values.only, size),
    rounds: values.rounds === undefined ? rounds : readCount(values.rounds),
    seconds: seconds ?? sizes[size].seconds,
    otherSeconds: seconds ?? otherSeconds,
    warmUpSeconds: values['warm-up'] === undefined ? warmUpSeconds : readCount(values['warm-up']),
    load: values.load === undefined ? undefined : pick(values.load, ['wrk', 'autocannon']),
    cpuSource: pick(values.cpu, ['proc', 'ipc']),
    write: values.write,
    tell,
  };
}

/** Contestants alone are those of the small call. */
function pickAll(only: readonly string[], size: BenchPlan['size']): Pick<BenchPlan, 'parts' | 'contestants'> {
  const names = new Set(only.map((name) => pick(name, [...partNames, ...contestantNames])));
  const contestants = contestantNames.filter((name) => names.has(name));
  const parts = partNames.filter((name) => names.has(name));
  return {
    contestants: contestants.length > 0 ? contestants : sizes[size].contestants,
    parts: parts.length > 0 ? parts : contestants.length > 0 ? ['call'] : sizes[size].parts,
  };
}

function pick<T extends string>(given: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === given);
  if (choice === undefined) throw new TypeError(`"${given}" is none of ${choices.join(', ')}`);
  return choice;
}

function readCount(given: string): number {
  const count = Number(given);
  if (!Number.isInteger(count) || count < 1) throw new TypeError(`"${given}" is not a number from 1 up`);
  return count;
}
