import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';

import { readCpuMicros, readResidentBytes } from './cpu.ts';
import { pidOf, watchChild } from './measured-process.ts';
import type { MeasuredProcess } from './measured-process.ts';

export interface NativeProcessPlan {
  readonly command: string;
  readonly args: readonly string[];
  /** Where stdout is appended. */
  readonly stdoutFile: string;
  /** It is ready when it listens there, on loopback. */
  readonly port: number;
}

const startLimitMillis = 10_000;

/** The version that a command on PATH tells; undefined without the command. */
export function versionOnPath(command: string): string | undefined {
  const { stdout, stderr } = spawnSync(command, ['-v'], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[0];
}

/** Starts a server that isn't Node's and has one process; Linux alone tells what it costs. */
export async function startNative(plan: NativeProcessPlan): Promise<MeasuredProcess> {
  const stdout = openSync(plan.stdoutFile, 'a');
  const child = spawn(plan.command, plan.args, { stdio: ['ignore', stdout, 'pipe'] });
  closeSync(stdout);
  await once(child, 'spawn');
  const pid = pidOf(child);
  const started: MeasuredProcess = {
    name: plan.command,
    cpuMicros: async () => readCpuMicros(pid),
    residentBytes: () => readResidentBytes(pid),
    ...watchChild(child),
  };
  const deadline = performance.now() + startLimitMillis;
  while (!(await isOpen(plan.port))) {
    if (started.hasEnded() || performance.now() > deadline) {
      await started.stop(0);
      throw new Error(`${plan.command} didn't listen: ${started.lastWords()}`);
    }
    await setTimeout(20);
  }
  return started;
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
