import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A process of its own that a measurement looks at. */
export interface MeasuredProcess {
  readonly name: string;
  /** User and system CPU time so far, in microseconds. */
  readonly cpuMicros: () => Promise<number>;
  /** What it holds in memory now; NaN where the system doesn't tell. */
  readonly residentBytes: () => number;
  /** The end of what it wrote to stderr, and its exit code if it has ended. */
  readonly lastWords: () => string;
  readonly hasEnded: () => boolean;
  /** SIGTERM, then SIGKILL when it is still there after `limitMillis`. */
  readonly stop: (limitMillis: number) => Promise<void>;
}

/** How a child ends, and what it says until then. It is killed when the bench exits, however it exits. */
export function watchChild(child: ChildProcess): Pick<MeasuredProcess, 'lastWords' | 'hasEnded' | 'stop'> {
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4000)));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    hasEnded,
    lastWords: () => `${hasEnded() ? `ended with ${child.signalCode ?? child.exitCode}\n` : ''}${stderr}`,
    stop: (limitMillis) => stop(child, limitMillis),
  };
}

export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the process did not start');
  return child.pid;
}

async function stop(child: ChildProcess, limitMillis: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killLater = setTimeout(() => child.kill('SIGKILL'), limitMillis);
  await ended;
  clearTimeout(killLater);
}
