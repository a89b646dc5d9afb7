// npm run mutate -- --only token: changes the code of a folder in every small way, and says which change no test notices.
import { parseArgs } from 'node:util';

import { countMutants, head, rowOf, scoreOf } from './figures.ts';
import { type MutatedFolder, mutatedFolders } from './folders.ts';
import { type Manner, mutate } from './mutate.ts';

/** Per cent; below it a folder is red. */
const mark = 85;

const usage = `npm run mutate -- [--only FOLDER] [--concurrency N] [--since-last]
  --only         ${mutatedFolders.map(({ name }) => name).join(', ')}; default all
  --concurrency  processes at one time; default 2
  --since-last   only what changed, code or tests, since the last run of the folder. Stryker doesn't try again what runs
                 while a file is loaded: not for figures to keep`;

interface Wanted extends Manner {
  readonly folders: readonly MutatedFolder[];
}

function readWanted(args: readonly string[]): Wanted {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      concurrency: { type: 'string', default: '2' },
      'since-last': { type: 'boolean', default: false },
    },
  });
  const folders = mutatedFolders.filter(({ name }) => values.only === undefined || name === values.only);
  const concurrency = Number(values.concurrency);
  if (folders.length === 0) throw new TypeError(`nothing is known of ${values.only}`);
  if (!Number.isSafeInteger(concurrency) || concurrency < 1)
    throw new TypeError('--concurrency is a whole number above 0');
  return { folders, concurrency, sinceLast: values['since-last'] };
}

let wanted: Wanted;
try {
  wanted = readWanted(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n${usage}`);
  process.exit(64);
}
const rows: string[] = [];
for (const folder of wanted.folders) {
  const began = performance.now();
  const figures = countMutants(await mutate(folder, wanted));
  rows.push(rowOf(folder.name, figures));
  console.log(`${rows.at(-1)} ${((performance.now() - began) / 60_000).toFixed(1)} min`);
  if (!(scoreOf(figures) >= mark)) process.exitCode = 1;
}
console.log(`\n${head}\n${rows.join('\n')}`);
