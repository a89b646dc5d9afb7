import { existsSync, readFileSync } from 'node:fs';

/** `proc`: from /proc (Linux). `ipc`: the process itself is asked; what isn't a Node process of ours stays unknown. */
export type CpuSource = 'proc' | 'ipc';

/** CPU time in clock ticks, as in proc_pid_stat(5): user and system together. */
export interface CpuTicks {
  readonly own: number;
  /** Of the children that have ended and been waited for. */
  readonly children: number;
}

/** The kernel reports to user space in USER_HZ, which is 100 on every architecture that Node runs on. */
const microsPerTick = 10_000;

/** CPU time of the whole machine in microseconds, as in proc_stat(5). */
export interface MachineCpu {
  /** All that wasn't idle, time stolen by other guests of the host included. */
  readonly busyMicros: number;
  readonly allMicros: number;
}

export function findCpuSource(): CpuSource {
  return existsSync('/proc/self/stat') ? 'proc' : 'ipc';
}

/** Reads one line of /proc/PID/stat; the second field, the command's name, may itself hold spaces and brackets. */
export function parseProcStat(stat: string): CpuTicks {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = (field: number): number => Number(fields[field - 3]);
  return { own: ticks(14) + ticks(15), children: ticks(16) + ticks(17) };
}

/** CPU time of a process so far, all its threads, user and system, in microseconds; steps of 10 ms. */
export function readCpuMicros(pid: number): number {
  return parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).own * microsPerTick;
}

/** What a process holds in memory, as in proc_pid_status(5). */
export function readResidentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}

/** CPU time of this process's ended children: between two readings, the load generator's. */
export function readEndedChildrenCpuMicros(): number {
  return parseProcStat(readFileSync('/proc/self/stat', 'utf8')).children * microsPerTick;
}

export function readMachineCpu(): MachineCpu {
  return parseMachineStat(readFileSync('/proc/stat', 'utf8'));
}

/** Reads the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal; then guests, again. */
export function parseMachineStat(stat: string): MachineCpu {
  const ticks = (stat.split('\n')[0] ?? '').split(/\s+/).slice(1, 9).map(Number);
  const all = ticks.reduce((sum, value) => sum + value, 0);
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return { busyMicros: (all - idle) * microsPerTick, allMicros: all * microsPerTick };
}
