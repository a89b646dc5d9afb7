import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Contestant, Ground } from './contestants/contestant.ts';
import { readEndedChildrenCpuMicros, readMachineCpu } from './cpu.ts';
import type { MachineCpu } from './cpu.ts';
import type { Load, LoadFigures, Target } from './load/load.ts';
import type { MeasuredProcess } from './measured-process.ts';
import { median } from './median.ts';

export interface Round {
  readonly contestant: string;
  /** Answers with the status that was wanted. */
  readonly answered: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  /** CPU per answer, in microseconds: the contestant's, the upstream's, the load generator's. */
  readonly cpuMicros: number;
  readonly upstreamCpuMicros: number;
  /** NaN where the system doesn't tell. */
  readonly loadCpuMicros: number;
  /** What else ran on the machine, in percent of all its CPU time; NaN where the system doesn't tell. */
  readonly othersPercent: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
  /** What the contestant held in memory at the end; NaN where the system doesn't tell. */
  readonly residentMegabytes: number;
}

export interface Field {
  readonly ground: Ground;
  readonly load: Load;
  /** Processes that have had their full warm-up. */
  readonly warm: WeakSet<MeasuredProcess>;
}

interface CpuReading {
  readonly contestant: number;
  readonly upstream: number;
  readonly load: number;
  readonly machine: MachineCpu;
}

const untold: MachineCpu = { busyMicros: Number.NaN, allMicros: Number.NaN };

/** Puts the load on one contestant for so many seconds. Rejects at any answer with another status and any socket error. */
export async function measureSlice(field: Field, contestant: Contestant, seconds: number): Promise<Round> {
  const target = targetOf(contestant, field.ground.folder);
  if (contestant.process.hasEnded()) throw new Error(`${contestant.name} ${contestant.process.lastWords()}`);
  const before = await readCpu(field.ground, contestant);
  const figures = await putPatiently(field.load, target, seconds);
  const { faults, answered } = figures;
  if (faults.length > 0 || answered === 0) {
    const words = faults.length > 0 ? faults.join('; ') : 'no answer at all';
    throw new Error(`${contestant.name}: ${words}\n${contestant.process.lastWords()}`);
  }
  const after = await readCpu(field.ground, contestant);
  await contestant.checkRound(answered);
  return {
    contestant: contestant.name,
    answered,
    seconds: figures.seconds,
    requestsPerSecond: answered / figures.seconds,
    cpuMicros: (after.contestant - before.contestant) / answered,
    upstreamCpuMicros: (after.upstream - before.upstream) / answered,
    loadCpuMicros: (after.load - before.load) / answered,
    othersPercent: measureOthers(before, after, contestant),
    p50Millis: figures.p50Millis,
    p99Millis: figures.p99Millis,
    residentMegabytes: contestant.process.residentBytes() / 1e6,
  };
}

/** On a busy machine 50 large requests at once may take longer than a slice: then it is a longer one. */
async function putPatiently(load: Load, target: Target, seconds: number): Promise<LoadFigures> {
  const figures = await load.put(target, seconds);
  return figures.answered > 0 || figures.faults.length > 0 ? figures : load.put(target, 5 * seconds);
}

function targetOf({ url, headers, exchange }: Contestant, folder: string): Target {
  const { method, body, status } = exchange;
  const target = { url, method, headers: { ...exchange.headers, ...headers }, status };
  if (body === '') return { ...target, bodyFile: '' };
  const bodyFile = join(folder, `body-${createHash('sha256').update(body).digest('hex').slice(0, 12)}`);
  if (!existsSync(bodyFile)) writeFileSync(bodyFile, body);
  return { ...target, bodyFile };
}

/** One round out of its slices: sums divided anew, and the median of the slices' percentiles. */
export function joinSlices(slices: readonly [Round, ...Round[]]): Round {
  const sumOf = (value: (slice: Round) => number): number =>
    slices.reduce((sum, slice) => sum + value(slice), 0);
  const answered = sumOf((slice) => slice.answered);
  const seconds = sumOf((slice) => slice.seconds);
  return {
    contestant: slices[0].contestant,
    answered,
    seconds,
    requestsPerSecond: answered / seconds,
    cpuMicros: sumOf((slice) => slice.cpuMicros * slice.answered) / answered,
    upstreamCpuMicros: sumOf((slice) => slice.upstreamCpuMicros * slice.answered) / answered,
    loadCpuMicros: sumOf((slice) => slice.loadCpuMicros * slice.answered) / answered,
    othersPercent: sumOf((slice) => slice.othersPercent * slice.seconds) / seconds,
    p50Millis: median(slices.map((slice) => slice.p50Millis)),
    p99Millis: median(slices.map((slice) => slice.p99Millis)),
    residentMegabytes: Math.max(...slices.map((slice) => slice.residentMegabytes)),
  };
}

function measureOthers(before: CpuReading, after: CpuReading, { name }: Contestant): number {
  const contestant = name === 'direct' ? 0 : after.contestant - before.contestant;
  const ours = contestant + after.upstream - before.upstream + after.load - before.load;
  const busy = after.machine.busyMicros - before.machine.busyMicros;
  // The kernel's books round differently, so that the difference can fall below nothing.
  return Math.max(0, (100 * (busy - ours)) / (after.machine.allMicros - before.machine.allMicros));
}

async function readCpu(ground: Ground, contestant: Contestant): Promise<CpuReading> {
  const isTold = ground.cpuSource === 'proc';
  return {
    contestant: await contestant.process.cpuMicros(),
    upstream: await ground.upstream.cpuMicros(),
    load: isTold ? readEndedChildrenCpuMicros() : Number.NaN,
    machine: isTold ? readMachineCpu() : untold,
  };
}
