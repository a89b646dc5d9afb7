import { globSync } from 'node:fs';

/** Code that is changed, and the tests that have to notice: the unit tests beside it. */
export interface MutatedFolder {
  /** Under `src/`. */
  readonly name: string;
  /** Of the tests beside the code: those that take seconds and look at nothing that others don't. */
  readonly slow: readonly string[];
}

export const mutatedFolders: readonly MutatedFolder[] = [
  { name: 'challenge', slow: [] },
  { name: 'identity', slow: [] },
  { name: 'policy', slow: ['admits-all-of.prop.test.ts', 'glob.prop.test.ts', 'rule-index.prop.test.ts'] },
  { name: 'token', slow: [] },
];

/** What is mutated; patterns. */
export function sourcesOf({ name }: MutatedFolder): readonly string[] {
  return [`src/${name}/**/*.ts`, `!src/${name}/**/*.test.ts`];
}

/** The files that have to notice. */
export function testsOf({ name, slow }: MutatedFolder): readonly string[] {
  const leftOut = new Set(slow.map((file) => `src/${name}/${file}`));
  return globSync(`src/${name}/**/*.test.ts`)
    .filter((file) => !leftOut.has(file))
    .toSorted();
}
