/**
 * Prints the commands of a page's ```sh blocks, one per line and each once, so that `.ci/run` can run every
 * command that readers are told to type. Blocks marked ```console show a dialogue and aren't run.
 *
 *     node tools/readme-commands.ts README.md
 */
import { readFileSync } from 'node:fs';

/** Joins continued lines, drops comments and splits what `&&` chains. */
export function readCommands(markdown: string): readonly string[] {
  const blocks = markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm);
  const lines = [...blocks].flatMap(([, block = '']) => block.replaceAll(/\\\n\s*/g, '').split('\n'));
  const commands = lines
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .flatMap((line) => line.split(/\s+&&\s+/))
    .filter((command) => command !== '');
  return [...new Set(commands)];
}

if (import.meta.main) {
  const [page] = process.argv.slice(2);
  if (page === undefined) {
    process.stderr.write('usage: node tools/readme-commands.ts FILE\n');
    process.exitCode = 64;
  } else {
    process.stdout.write(`${readCommands(readFileSync(page, 'utf8')).join('\n')}\n`);
  }
}
