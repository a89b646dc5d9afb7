import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Writes every generated file anew, or with `--check` fails for those that are stale. */
const root = fileURLToPath(new URL('..', import.meta.url));
const generators = ['tools', 'helm'].flatMap((folder) =>
  readdirSync(`${root}${folder}`)
    .filter((file) => /^generate-.*\.ts$/.test(file))
    .map((file) => `${folder}/${file}`),
);
for (const generator of generators.toSorted()) {
  const { status } = spawnSync(process.execPath, [generator, ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
