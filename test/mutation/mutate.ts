import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Stryker } from '@stryker-mutator/core';

import { type MutatedFolder, sourcesOf, testsOf } from './folders.ts';

/** A small change of the code, and what came of it. */
export type Mutant = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

export interface Manner {
  /** Processes at one time. */
  readonly concurrency: number;
  /** Only what changed, code or tests, since the last run. */
  readonly sinceLast: boolean;
}

/**
 * Has Stryker change the code of a folder in every way it knows, in a copy of this repository, and says how each mutant
 * ended. A mutant is shown the tests that reach it, until one fails.
 */
export async function mutate(
  folder: MutatedFolder,
  { concurrency, sinceLast }: Manner,
): Promise<readonly Mutant[]> {
  const kept = `coverage/mutation/${folder.name}`;
  // Inherited by the processes that run the tests.
  process.env['MUTATION_TESTS'] = testsOf(folder).join(',');
  return await new Stryker({
    mutate: [...sourcesOf(folder)],
    plugins: ['@stryker-mutator/vitest-runner'],
    testRunner: 'vitest',
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false, pool: 'forks' },
    coverageAnalysis: 'perTest',
    concurrency,
    // A shared machine stalls for seconds: what is slow for that long isn't a loop yet.
    timeoutMS: 15_000,
    incremental: true,
    incrementalFile: `${kept}.incremental.json`,
    force: !sinceLast,
    reporters: ['clear-text', 'html', 'progress-append-only'],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: false },
    htmlReporter: { fileName: `${kept}.html` },
    warnings: { unknownOptions: true, preprocessorErrors: true, unserializableOptions: true, slow: false },
    allowConsoleColors: false,
    tempDirName: `${join(tmpdir(), 'portcullis-mutation')}-${process.pid}`,
    ignorePatterns: ['/bench', '/docs', '/helm'],
    // Types are gone before a test runs, and Stryker's reading of tsconfig.json wants an older TypeScript.
    disableTypeChecks: false,
    tsconfigFile: 'none',
  }).runMutationTest();
}
