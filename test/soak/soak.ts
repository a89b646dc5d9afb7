import { setTimeout as sleep } from 'node:timers/promises';

import { measureAmplification, type Amplification } from './amplification.ts';
import { startDisturbances, type Disturbances } from './disturb.ts';
import { fillMemory } from './fill-memory.ts';
import { Load } from './load.ts';
import type { ProcessState } from './process-state.ts';
import { slopePerMinute } from './trend.ts';
import { cooldownMs, startSoakWorld, type SoakWorld } from './world.ts';

export interface SoakPlan {
  readonly seconds: number;
  readonly seed: number;
  readonly tell: (line: string) => void;
}

export interface Checkpoint extends ProcessState {
  readonly minutes: number;
}

export interface SoakReport {
  readonly asked: number;
  readonly streams: number;
  /** Answers by what was done to them and status. */
  readonly tally: ReadonlyMap<string, number>;
  readonly disturbances: Disturbances['counts'];
  readonly unexplained: readonly string[];
  readonly crossed: number;
  readonly defects: readonly string[];
  /** Without those of the warm-up. */
  readonly checkpoints: readonly Checkpoint[];
  readonly heapBytesPerMinute: number;
  /** Most key fetches of one authorization server, and how many its cool-down allows. */
  readonly keyFetches: { readonly most: number; readonly allowed: number };
  readonly amplification: Amplification;
  /** Different tokens that were shown. */
  readonly tokens: number;
  /** Configurations in memory at the end. */
  readonly configurationsHeld: number;
}

/** Code is compiled and pools fill meanwhile. */
const warmUpShare = 0.25;
const checkpointsInAll = 12;

/** A short run shows too few tokens to matter. */
const fillsFromSeconds = 120;

/** Runs everything at one time for that long, with pauses in which the gateway has nothing to do and is looked at. */
export async function soak({ seconds, seed, tell }: SoakPlan): Promise<SoakReport> {
  const startedAt = performance.now();
  await using world = await startSoakWorld(seed);
  if (seconds >= fillsFromSeconds) await fillMemory(world);
  const began = performance.now();
  const { port, upstream, people } = world;
  await using load = new Load({ origin: `http://localhost:${port}`, upstream, people, seed });
  const checkpoints: Checkpoint[] = [];
  const disturbances = startDisturbances(world);
  for (let number = 1; number <= checkpointsInAll; number += 1) {
    load.start();
    await sleep((seconds * 1000) / checkpointsInAll);
    await load.rest();
    const checkpoint = { minutes: (performance.now() - began) / 60_000, ...(await settled(world)) };
    tell(describeCheckpoint(checkpoint, load.asked));
    if (number > checkpointsInAll * warmUpShare) checkpoints.push(checkpoint);
  }
  await disturbances.end();
  const keyFetches = {
    most: Math.max(
      await world.metric('portcullis_key_fetches_total', '"as0"'),
      await world.metric('portcullis_key_fetches_total', '"as1"'),
    ),
    allowed: 1 + Math.floor((performance.now() - startedAt) / cooldownMs),
  };
  const configurationsHeld = await world.metric('portcullis_config_held');
  const tokens = people.reduce((sum, { minted }) => sum + minted, 0);
  const amplification = await measureAmplification(world);
  const { asked, streams, tally, unexplained, crossed } = load;
  return {
    asked,
    streams,
    tally,
    unexplained,
    crossed,
    checkpoints,
    keyFetches,
    amplification,
    tokens,
    configurationsHeld,
    disturbances: disturbances.counts,
    defects: world.defects(),
    heapBytesPerMinute: slopePerMinute(
      checkpoints.map(({ minutes, heapBytes }) => ({ minutes, value: heapBytes })),
    ),
  };
}

/** What is left a moment after the last answer: connections that both sides keep for the next one. */
async function settled(world: SoakWorld): Promise<ProcessState> {
  await sleep(500);
  return world.state();
}

function describeCheckpoint(
  { minutes, heapBytes, residentBytes, sockets, files, handles }: Checkpoint,
  asked: number,
): string {
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  return `${minutes.toFixed(1)} min: ${asked} calls, heap ${mib(heapBytes)} MiB, resident ${mib(residentBytes)} MiB, ${sockets} sockets, ${files} files, ${handles} handles`;
}
