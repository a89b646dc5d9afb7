import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { eventually, within } from './loopback.ts';

export interface ChildOptions {
  /** For messages. */
  readonly name: string;
  /** Arguments of the running Node. */
  readonly args: readonly string[];
  /** Nothing else of the environment is handed down but `PATH`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it runs; default here. */
  readonly cwd?: string;
  /** The child is ready when this URL answers 200, or what `readyStatus` says. */
  readonly readyUrl: string;
  readonly readyStatus?: number;
  readonly withinMs?: number;
  /** How many files it may have open; default: as many as we. */
  readonly openFiles?: number;
}

export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Lines of stdout and stderr so far. */
  readonly output: readonly string[];
  readonly running: boolean;
  /** Its exit code; null where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** To itself alone, not to what it started. */
  signal(name: NodeJS.Signals): void;
  /** Reads its stdout no more: whoever writes there meets a closed pipe. */
  stopReading(): void;
  /** Ends the child and all that it started. */
  close(): Promise<void>;
  /** The same without a word: no connection is ended first. */
  kill(): Promise<void>;
}

/** Starts Node quietly with a process group of its own and waits until it answers. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const [command, ...args] = commandOf(options);
  const child = spawn(command, args, {
    // The child's own children end with its group.
    detached: true,
    // Our end of stdin closes when we are killed: a bridge then ends by itself.
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: options.cwd,
    env: { PATH: process.env['PATH'] ?? '', ...options.env },
  });
  const output = collectLines(child);
  let running = true;
  const ended = new Promise<number | null>((resolve) =>
    child.once('close', (code) => {
      running = false;
      resolve(code);
    }),
  );
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const pid = child.pid ?? 0;
  const endWithUs = (): void => signalGroup(pid, 'SIGKILL');
  process.once('exit', endWithUs);

  async function kill(): Promise<void> {
    signalGroup(pid, 'SIGKILL');
    await within(ended, 3_000, `${options.name} ends`);
    process.off('exit', endWithUs);
  }

  async function close(): Promise<void> {
    signalGroup(pid, 'SIGTERM');
    try {
      await within(ended, 3_000, `${options.name} ends`);
    } catch {
      signalGroup(pid, 'SIGKILL');
      await within(ended, 3_000, `${options.name} ends`);
    }
    signalGroup(pid, 'SIGKILL');
    process.off('exit', endWithUs);
  }

  try {
    await eventually(
      `${options.name} answers`,
      async () => {
        if (!running) throw new Error(`${options.name} ended at its start`);
        return answers(options.readyUrl, options.readyStatus ?? 200);
      },
      options.withinMs ?? 15_000,
    );
  } catch (cause) {
    await close();
    throw new Error(`${(cause as Error).message}\n${output.join('\n')}`, { cause });
  }
  return {
    pid,
    output,
    get running() {
      return running;
    },
    ended,
    signal: (name) => void child.kill(name),
    stopReading: () => void child.stdout.destroy(),
    close,
    kill,
    [Symbol.asyncDispose]: close,
  };
}

function commandOf({ args, openFiles }: ChildOptions): readonly [string, ...string[]] {
  if (openFiles === undefined) return [process.execPath, ...args];
  return ['sh', '-c', `ulimit -n ${openFiles}; exec "$0" "$@"`, process.execPath, ...args];
}

function collectLines(child: ChildProcess): readonly string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  return lines;
}

/** A group that is gone is what we want. */
function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function answers(url: string, status: number): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
    await response.body?.cancel();
    return response.status === status;
  } catch {
    return false;
  }
}
