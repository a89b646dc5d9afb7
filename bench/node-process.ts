import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { readCpuMicros } from './cpu.ts';
import type { CpuSource } from './cpu.ts';

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
export interface NodeProcess {
  readonly name: string;
  /** The port it told on stdout; rejects when it ends or stays silent. Not for a process with a `stdoutFile`. */
  readonly port: () => Promise<number>;
  /** User and system CPU time so far, in microseconds. */
  readonly cpuMicros: () => Promise<number>;
  /** Its answer to a question over IPC, one at a time; only with `cpuSource: 'ipc'` is there such a channel. */
  readonly ask: (question: string, limitMillis: number) => Promise<unknown>;
  /** The end of what it wrote to stderr, and its exit code if it has ended. */
  readonly lastWords: () => string;
  readonly hasEnded: () => boolean;
  /** SIGTERM, then SIGKILL when it is still there after `limitMillis`. */
  readonly stop: (limitMillis: number) => Promise<void>;
}

const startLimitMillis = 15_000;
const reportCpu = new URL('contestants/report-cpu.ts', import.meta.url).href;

/** Starts a script on the Node that runs the bench. The process is killed when the bench exits, however it exits. */
export function startNode(plan: NodeProcessPlan): NodeProcess {
  const child = launch(plan);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4000)));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const lastWords = (): string =>
    `${hasEnded() ? `ended with ${child.signalCode ?? child.exitCode}\n` : ''}${stderr}`;
  return {
    name: plan.name,
    port: () => readPort(child, () => `${plan.name}: ${lastWords()}`),
    cpuMicros: async () => (plan.cpuSource === 'proc' ? readCpuMicros(pidOf(child)) : askCpuMicros(child)),
    ask: (question, limitMillis) => ask(child, question, limitMillis),
    lastWords,
    hasEnded,
    stop: (limitMillis) => stop(child, limitMillis),
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
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the process did not start');
  return child.pid;
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

async function stop(child: ChildProcess, limitMillis: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killLater = setTimeout(() => child.kill('SIGKILL'), limitMillis);
  await ended;
  clearTimeout(killLater);
}

/** The path of a file in this folder. */
export function benchFile(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
