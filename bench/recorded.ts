import { readFileSync } from 'node:fs';

import { benchFile } from './node-process.ts';
import type { Section, SteadyRatio } from './section.ts';

/** How much worse than the recorded one a ratio may be: less than this comes and goes by itself. */
const toleratedFactor = 1.25;

export interface Regression extends SteadyRatio {
  readonly part: string;
  readonly recorded: number;
}

/** The ratios that a short run is held to, by name; what isn't named isn't held to anything. */
export function readRecorded(): Readonly<Record<string, number>> {
  return JSON.parse(readFileSync(benchFile('recorded.json'), 'utf8')) as Record<string, number>;
}

/** The ratios that are worse than recorded by more than a machine's mood. */
export function findRegressions(
  sections: readonly Section[],
  recorded: Readonly<Record<string, number>>,
): readonly Regression[] {
  return sections.flatMap(({ part, ratios }) =>
    ratios.flatMap(({ name, value }) => {
      const before = recorded[name];
      return before !== undefined && value > before * toleratedFactor
        ? [{ part, name, value, recorded: before }]
        : [];
    }),
  );
}

/** Those that were found both times, each at its better value. */
export function confirmRegressions(
  first: readonly Regression[],
  second: readonly Regression[],
): readonly Regression[] {
  return first.flatMap((regression) => {
    const again = second.find(({ name }) => name === regression.name);
    return again === undefined ? [] : [{ ...regression, value: Math.min(regression.value, again.value) }];
  });
}

export function describeRegression({ name, value, recorded }: Regression): string {
  return `${name}: ${value.toFixed(2)}, recorded ${recorded.toFixed(2)}`;
}
