/** A real browser, headless, with a new profile: Debian's Chromium, or the one that `CHROMIUM` names. */
import { spawnSync } from 'node:child_process';
import { chromium, type Browser } from 'playwright-core';

const program = process.env['CHROMIUM'] ?? 'chromium';

/** Where it is; undefined where there is none. */
const path: string | undefined = pathOf(program);

/** Why there can't be one here; undefined where there can. */
export const browserMissing: string | undefined =
  path === undefined ? 'left out, there is no chromium on PATH' : undefined;

/** Ends the titles of tests that need a browser: says why they were left out. */
export const browserNote = browserMissing === undefined ? '' : ` (${browserMissing})`;

/** Its own connections to the outside are switched off; what pages may do is left as it is. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: path ?? program,
    // The sandbox needs a user of its own, which containers and CI don't have.
    chromiumSandbox: false,
    args: ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
    timeout: 20_000,
  });
}

function pathOf(name: string): string | undefined {
  const found = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : undefined;
}
