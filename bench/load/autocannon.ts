import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { connections } from './load.ts';
import type { Load, LoadFigures, Target } from './load.ts';
import { runTool } from './run-tool.ts';

interface AutocannonFigures {
  readonly '2xx': number;
  readonly non2xx: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly duration: number;
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly statusCodeStats: Readonly<Record<string, { readonly count: number }>>;
}

const require = createRequire(import.meta.url);

/** The autocannon that npm installed. */
export function findAutocannon(): Load {
  const manifest = readFileSync(require.resolve('autocannon/package.json'), 'utf8');
  return { name: `autocannon ${(JSON.parse(manifest) as { version: string }).version}`, put };
}

async function put(target: Target, seconds: number): Promise<LoadFigures> {
  const headers = Object.entries(target.headers).flatMap(([name, value]) => ['-H', `${name}=${value}`]);
  const args = [require.resolve('autocannon'), '-j', '-n', '-c', String(connections), '-d', String(seconds)];
  args.push('-t', '5', '-m', 'POST', ...headers, '-b', target.body, target.url);
  return readAutocannonFigures(await runTool(process.execPath, args, (seconds + 15) * 1000));
}

/** Reads autocannon's JSON. It counts statuses but keeps no bodies. */
export function readAutocannonFigures(stdout: string): LoadFigures {
  const figures = JSON.parse(stdout) as AutocannonFigures;
  const faults: string[] = [];
  if (figures.non2xx > 0)
    faults.push(`${figures.non2xx} answers not 2xx: ${JSON.stringify(figures.statusCodeStats)}`);
  if (figures.errors > 0)
    faults.push(`${figures.errors} socket errors, ${figures.timeouts} of them timeouts`);
  return {
    answered: figures['2xx'],
    seconds: figures.duration,
    p50Millis: figures.latency.p50,
    p99Millis: figures.latency.p99,
    faults,
  };
}
