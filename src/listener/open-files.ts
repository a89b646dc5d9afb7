import { readFileSync } from 'node:fs';

/** For listeners, the ops listener's own connections, authorization servers, Redis, logs and the runtime. */
const reservedFiles = 64;

/**
 * How many files, sockets included, this process may have open; undefined where the system doesn't tell (proc(5)).
 * Node has raised it to the hard limit at its start.
 */
export function openFilesAllowed(): number | undefined {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return undefined;
  }
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

/**
 * How many connections clients may have: each may need another one to its upstream. Whoever opens more than that must
 * not take what the probes, the keys and the answers to everyone else need.
 */
export function clientConnectionsAllowed(openFiles: number): number {
  return Math.max(1, Math.floor((openFiles - reservedFiles) / 2));
}
