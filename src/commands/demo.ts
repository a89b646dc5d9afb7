import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { packageFolder } from '../version.ts';
import type { CommandIo } from './io.ts';
import { exitCode } from './io.ts';

/** Runs the demo of a checkout; an installed package has none and says where one is found. */
export async function demo(
  args: readonly string[],
  io: CommandIo,
  checkout: string = fileURLToPath(packageFolder),
): Promise<number> {
  const script = join(checkout, 'demo/main.ts');
  // The runtime that a checkout pins: an older one couldn't run TypeScript as it is.
  const pinnedRuntime = join(checkout, 'node_modules/.bin/node');
  if (!existsSync(script)) {
    io.err('the demo is part of a checkout of the repository: there, run npm ci && npm run demo\n');
    return exitCode.usage;
  }
  const runtime = existsSync(pinnedRuntime) ? pinnedRuntime : process.execPath;
  const child = spawn(runtime, [script, ...args], { stdio: 'inherit' });
  // A terminal signals the whole group: the demo ends its parts first, and we wait for it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? exitCode.defect));
  });
}
