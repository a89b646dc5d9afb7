import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { connections } from './load.ts';
import type { Load, LoadFigures, Target } from './load.ts';
import { runTool } from './run-tool.ts';

interface AutocannonFigures {
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
  const body = target.bodyFile === '' ? [] : ['-i', target.bodyFile];
  args.push('-t', '5', '-m', target.method, ...headers, ...body, target.url);
  const stdout = await runTool(process.execPath, args, (seconds + 15) * 1000);
  return readAutocannonFigures(stdout, target.status);
}

/** Reads autocannon's JSON. It counts statuses but keeps no bodies. */
export function readAutocannonFigures(stdout: string, status: number): LoadFigures {
  const figures = JSON.parse(stdout) as AutocannonFigures;
  const { [status]: wanted, ...others } = figures.statusCodeStats;
  const faults: string[] = [];
  if (Object.keys(others).length > 0)
    faults.push(`answers with another status than ${status}: ${JSON.stringify(others)}`);
  if (figures.errors > 0)
    faults.push(`${figures.errors} socket errors, ${figures.timeouts} of them timeouts`);
  return {
    answered: wanted?.count ?? 0,
    seconds: figures.duration,
    p50Millis: figures.latency.p50,
    p99Millis: figures.latency.p99,
    faults,
  };
}
