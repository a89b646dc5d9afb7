/** The program as the image runs it, made once for each state of the sources. */
import { hash, randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeBundle } from '../../tools/write-bundle.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const kept = join(repository, 'node_modules/.cache/portcullis-program');
const keptForMs = 3_600_000;

/** What Node is given to run; starting it takes a third of what starting the sources takes. */
export async function buildProgram(): Promise<string> {
  const folder = join(kept, stateOfSources());
  const main = join(folder, 'dist/main.js');
  if (existsSync(main)) return main;
  clearOld();
  // Several test files may build at once: the first that is done is taken, and none sees half a program.
  const making = join(kept, randomBytes(6).toString('hex'));
  mkdirSync(making, { recursive: true });
  copyFileSync(join(repository, 'package.json'), join(making, 'package.json'));
  await writeBundle(join(making, 'dist'));
  try {
    renameSync(making, folder);
  } catch (error) {
    if (!existsSync(main)) throw error;
    rmSync(making, { recursive: true });
  }
  return main;
}

function stateOfSources(): string {
  const files = [
    'package-lock.json',
    'tools/write-bundle.ts',
    ...globSync('src/**/*.ts', { cwd: repository }),
  ];
  const states = files.toSorted().map((file) => {
    const { size, mtimeMs } = statSync(join(repository, file));
    return `${file} ${size} ${mtimeMs}`;
  });
  return hash('sha256', states.join('\n')).slice(0, 16);
}

function clearOld(): void {
  if (!existsSync(kept)) return;
  for (const name of readdirSync(kept)) {
    const path = join(kept, name);
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Infinity };
    if (Date.now() - mtimeMs > keptForMs) rmSync(path, { recursive: true, force: true });
  }
}
