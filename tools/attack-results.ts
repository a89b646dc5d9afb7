/**
 * Prints what came of the attack catalogue in one or more runs of tests, and fails where a test of a case did:
 *
 *     node tools/attack-results.ts RESULTS.json...
 *
 * The files are written by `vitest run --reporter=json`.
 */
import { readFileSync } from 'node:fs';

import { readCatalogue } from './attack-cases.ts';

interface TestResult {
  readonly fullName: string;
  readonly status: string;
}

interface RunResults {
  readonly testResults: readonly { readonly assertionResults: readonly TestResult[] }[];
}

type Outcome = 'passed' | 'failed' | 'left out';

/** A case without a test that ran was left out: another command runs it, or what it needs isn't on this machine. */
export function outcomesOf(
  ids: readonly string[],
  { testResults }: RunResults,
): ReadonlyMap<string, Outcome> {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  return new Map(
    ids.map((id) => {
      const found = new Set(
        tests.filter(({ fullName }) => fullName.includes(id)).map(({ status }) => status),
      );
      if (found.has('failed')) return [id, 'failed'];
      return [id, found.has('passed') ? 'passed' : 'left out'];
    }),
  );
}

if (import.meta.main) {
  const files = process.argv.slice(2);
  if (files.length === 0) {
    process.stderr.write('usage: node tools/attack-results.ts RESULTS.json...\n');
    process.exitCode = 64;
  } else {
    const runs = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as RunResults);
    const outcomes = outcomesOf(
      readCatalogue().map(({ id }) => id),
      { testResults: runs.flatMap(({ testResults }) => testResults) },
    );
    const withOutcome = (wanted: Outcome): readonly string[] =>
      [...outcomes].filter(([, outcome]) => outcome === wanted).map(([id]) => id);
    const told = (['passed', 'failed', 'left out'] as const).map((outcome) => {
      const ids = withOutcome(outcome);
      const names = outcome === 'passed' || ids.length === 0 ? '' : ` (${ids.join(', ')})`;
      return `${ids.length} ${outcome}${names}`;
    });
    process.stdout.write(`attack cases: ${told.join(', ')}\n`);
    if (withOutcome('failed').length > 0) process.exitCode = 1;
  }
}
