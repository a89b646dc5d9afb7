/**
 * Writes docs/reference/configuration.md from the configuration's schema. With `--check` it writes nothing and exits
 * with 1 when the file is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';

import { referencePage } from '../src/config/reference-page.ts';

const target = new URL('../docs/reference/configuration.md', import.meta.url);

if (!process.argv.includes('--check')) {
  writeFileSync(target, referencePage());
} else if (read() !== referencePage()) {
  process.stderr.write('docs/reference/configuration.md is out of date: npm run generate\n');
  process.exitCode = 1;
}

function read(): string | undefined {
  try {
    return readFileSync(target, 'utf8');
  } catch {
    return undefined;
  }
}
