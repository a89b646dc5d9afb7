// npm run fuzz -- --minutes 60: gives changed and generated input to what anyone can send to, and says what went wrong.
import { parseArgs } from 'node:util';

import { corpusOf, keepFailure } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { CrashWatch } from './crash-watch.ts';
import { fuzz } from './fuzz.ts';
import type { FuzzTarget } from './target.ts';
import { targets } from './targets.ts';

const usage = `npm run fuzz -- [--minutes N] [--target NAME] [--seed S]
  --minutes   for all targets together; default 5
  --target    only this one: ${targets.map(({ name }) => name).join(', ')}
  --seed      a whole number; default by chance`;

interface Wanted {
  readonly targets: readonly FuzzTarget[];
  readonly millisForEach: number;
  readonly seed: number;
}

function readWanted(args: readonly string[]): Wanted {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...args], options: { minutes: text, target: text, seed: text } });
  const minutes = Number(values.minutes ?? 5);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
  if (!(minutes > 0)) throw new TypeError('--minutes is a number above 0');
  if (!Number.isSafeInteger(seed)) throw new TypeError('--seed is a whole number');
  if (chosen.length === 0) throw new TypeError(`there is no target ${values.target}`);
  return { targets: chosen, millisForEach: (minutes * 60_000) / chosen.length, seed };
}

/** Answers how many faults were found. */
async function run(target: FuzzTarget, { millisForEach, seed }: Wanted): Promise<number> {
  using crashes = new CrashWatch();
  using coverage = new Coverage(
    (url) => url.startsWith('file:') && url.includes('/src/') && !url.includes('/node_modules/'),
  );
  await using opened = await target.open();
  const began = performance.now();
  const { executions, reachedNew, failures } = await fuzz(target, opened, {
    seed,
    corpus: corpusOf(target.name),
    goesOn: () => performance.now() - began < millisForEach,
    crashes,
    coverage,
  });
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${target.name}: ${executions} inputs in ${seconds.toFixed(0)} s (${Math.round(executions / seconds)}/s), seed ${seed}, ${reachedNew} reached new code (${coverage.functions} functions), ${failures.length} faults`,
  );
  console.log(`  ${opened.tally.text}`);
  for (const { input, says } of failures)
    console.log(`  FAULT in ${keepFailure(target.name, input)}\n    ${says}`);
  return failures.length;
}

let wanted: Wanted;
try {
  wanted = readWanted(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n${usage}`);
  process.exit(64);
}
let faults = 0;
for (const target of wanted.targets) faults += await run(target, wanted);
process.exitCode = faults === 0 ? 0 : 1;
