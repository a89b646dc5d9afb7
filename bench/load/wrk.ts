import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { connections } from './load.ts';
import type { Load, LoadFigures, Target } from './load.ts';
import { runTool } from './run-tool.ts';

interface WrkFigures {
  readonly requests: number;
  readonly micros: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  readonly refused: number;
  readonly firstRefusal: string;
  readonly connect: number;
  readonly read: number;
  readonly write: number;
  readonly timeout: number;
}

const script = fileURLToPath(new URL('exchange.lua', import.meta.url));

/** The wrk on PATH, if there is one. */
export function findWrk(): Load | undefined {
  // wrk prints its version and then exits with 1.
  const version = /^wrk (\S+)/.exec(spawnSync('wrk', ['-v'], { encoding: 'utf8' }).stdout ?? '')?.[1];
  return version === undefined ? undefined : { name: `wrk ${version}`, put };
}

async function put(target: Target, seconds: number): Promise<LoadFigures> {
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--timeout',
    '5s',
    '-s',
    script,
    target.url,
    '--',
  ];
  args.push(target.method, String(target.status), target.bodyFile, ...Object.entries(target.headers).flat());
  return readWrkFigures(await runTool('wrk', args, (seconds + 15) * 1000));
}

/** Reads the line of figures that exchange.lua prints. */
export function readWrkFigures(stdout: string): LoadFigures {
  const line = /^figures (\{.*\})$/m.exec(stdout)?.[1];
  if (line === undefined) throw new Error(`wrk printed no figures: ${stdout}`);
  const figures = JSON.parse(line) as WrkFigures;
  const faults: string[] = [];
  if (figures.refused > 0)
    faults.push(`${figures.refused} answers with another status, the first: ${figures.firstRefusal}`);
  for (const kind of ['connect', 'read', 'write', 'timeout'] as const) {
    if (figures[kind] > 0) faults.push(`${figures[kind]} socket errors (${kind})`);
  }
  return {
    answered: figures.requests - figures.refused,
    seconds: figures.micros / 1e6,
    p50Millis: figures.p50Micros / 1000,
    p99Millis: figures.p99Micros / 1000,
    faults,
  };
}
