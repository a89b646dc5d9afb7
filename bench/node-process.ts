import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { readCpuMicros, readResidentBytes } from './cpu.ts';
import type { CpuSource } from './cpu.ts';
import { pidOf, watchChild } from './measured-process.ts';
import type { MeasuredProcess } from './measured-process.ts';

export interface NodeProcessPlan {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly cpuSource: CpuSource;
  readonly nodeArgs?: readonly string[];
  /** Where stdout is appended; absent: it is read for the line that tells the port. */
  readonly stdoutFile?: string;
}

/** A process of its own on the Node that runs the bench. */
export interface NodeProcess extends MeasuredProcess {
  /** The port it told on stdout; rejects when it ends or stays silent. Not for a process with a `stdoutFile`. */
  readonly port: () => Promise<number>;
  /** Its answer to a question over IPC, one at a time; only with `cpuSource: 'ipc'` is there such a channel. */
  readonly ask: (question: string, limitMillis: number) => Promise<unknown>;
}

const startLimitMillis = 15_000;
const reportCpu = new URL('contestants/report-cpu.ts', import.meta.url).href;

/** Starts a script on the Node that runs the bench. The process is killed when the bench exits, however it exits. */
export function startNode(plan: NodeProcessPlan): NodeProcess {
  const child = launch(plan);
  const watched = watchChild(child);
  const isTold = plan.cpuSource === 'proc';
  return {
    name: plan.name,
    port: () => readPort(child, () => `${plan.name}: ${watched.lastWords()}`),
    cpuMicros: async () => (isTold ? readCpuMicros(pidOf(child)) : askCpuMicros(child)),
    residentBytes: () => (isTold ? readResidentBytes(pidOf(child)) : Number.NaN),
    ask: (question, limitMillis) => ask(child, question, limitMillis),
    ...watched,
  };
}

function launch(plan: NodeProcessPlan): ChildProcess {
  const stdout = plan.stdoutFile === undefined ? 'pipe' : openSync(plan.stdoutFile, 'a');
  const preload = plan.cpuSource === 'ipc' ? ['--import', reportCpu] : [];
  const child = spawn(process.execPath, [...preload, ...(plan.nodeArgs ?? []), plan.script, ...plan.args], {
    stdio: ['pipe', stdout, 'pipe', ...(plan.cpuSource === 'ipc' ? (['ipc'] as const) : [])],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  if (typeof stdout === 'number') closeSync(stdout);
  return child;
}

function readPort(child: ChildProcess, describe: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    let told = '';
    const fail = (): void => reject(new Error(`no port was told by ${describe()}`));
    const giveUp = setTimeout(fail, startLimitMillis);
    child.once('close', () => {
      clearTimeout(giveUp);
      fail();
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      const port = /^listening on port (\d+)\n/.exec(told)?.[1];
      if (port === undefined) return;
      clearTimeout(giveUp);
      resolve(Number(port));
    });
  });
}

async function askCpuMicros(child: ChildProcess): Promise<number> {
  const usage = (await ask(child, 'cpu?', 5000)) as NodeJS.CpuUsage;
  return usage.user + usage.system;
}

async function ask(child: ChildProcess, question: string, limitMillis: number): Promise<unknown> {
  const answer = once(child, 'message', { signal: AbortSignal.timeout(limitMillis) });
  child.send(question);
  const [answered] = (await answer) as [unknown];
  return answered;
}

/** The path of a file in this folder. */
export function benchFile(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
