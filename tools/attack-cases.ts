/** The attack catalogue, and the tests that name its cases in their titles. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface AttackCase {
  /** Such as `A-001`. */
  readonly id: string;
  readonly severity: 'critical' | 'high' | 'medium';
  readonly title: string;
  readonly expected: string;
  /** What of the case can't be shown in this repository, and why. */
  readonly notHere?: string;
}

/** A test, a group of tests or a row of a table of tests. */
export interface NamedTest {
  /** From the root of the repository. */
  readonly file: string;
  readonly title: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));
/** Tests of this file, with ids as examples. */
const ownTest = 'test/attack/index.test.ts';
const anyId = /\b[A-E]-\d{3}\b/g;

/** Comments are matched to be passed over: an id in a comment is no test. */
const commentOrText =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g;

/** Every case of the catalogue, in its order. */
export function readCatalogue(): readonly AttackCase[] {
  const text = readFileSync(`${root}test/attack/catalogue.json`, 'utf8');
  return (JSON.parse(text) as { readonly cases: readonly AttackCase[] }).cases;
}

/** Every text of every test file that names a case, by the case, in the order of files. */
export function findNamedTests(): ReadonlyMap<string, readonly NamedTest[]> {
  const files = ['test/**/*.test.ts', 'src/**/*.test.ts'].flatMap((pattern) =>
    globSync(pattern, { cwd: root }),
  );
  const found = new Map<string, NamedTest[]>();
  for (const file of files.filter((each) => each !== ownTest).toSorted()) {
    for (const title of titlesIn(readFileSync(`${root}${file}`, 'utf8'))) {
      for (const [id] of title.matchAll(anyId)) found.set(id, [...(found.get(id) ?? []), { file, title }]);
    }
  }
  return found;
}

/** The texts of a program that name a case. Doesn't check what the program does with them. */
export function titlesIn(program: string): readonly string[] {
  return [...program.matchAll(commentOrText)]
    .map(([, single, double, template]) => single ?? double ?? template ?? '')
    .filter((text) => text.search(anyId) !== -1)
    .map((text) => text.replaceAll(/\\(['"`])/g, '$1').replaceAll(/\s*\n\s*/g, ' '));
}

/** What is wrong with catalogue and tests, each in a sentence: cases without a test, tests of no case. */
export function findGaps(
  cases: readonly AttackCase[],
  tests: ReadonlyMap<string, readonly NamedTest[]>,
): readonly string[] {
  const known = new Set(cases.map(({ id }) => id));
  return [
    ...cases.filter(({ id }) => !tests.has(id)).map(({ id, title }) => `${id} has no test: ${title}`),
    ...[...tests]
      .filter(([id]) => !known.has(id))
      .map(([id, [test]]) => `${id} isn't in the catalogue: ${test?.file}`),
  ];
}
