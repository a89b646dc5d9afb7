// node bench/profile.ts: where does the gateway's CPU time go, under the load of the bench? It runs from its sources here,
// so that each function is named by the file that it stands in.
import { copyFileSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { startContestant } from './contestants/contestant.ts';
import type { ContestantName, Ground } from './contestants/contestant.ts';
import { findCpuSource } from './cpu.ts';
import { callForEvents, callWith1MiB, callWith64KiB, callWithRows, smallCall } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { onGround } from './ground.ts';
import { findLoad } from './load/find-load.ts';
import { measureSlice } from './measure.ts';
import type { MeasuredProcess } from './measured-process.ts';
import { benchFile } from './node-process.ts';
import type { Round } from './measure.ts';
import { expectAnswer } from './probe.ts';
import { listCosts } from './profile/costs.ts';
import type { CpuProfile, ProfileWindow } from './profile/cpu-profile.ts';
import { renderCostsBeside, renderSummary } from './profile/render.ts';
import type { Profiled } from './profile/render.ts';
import { summarize } from './profile/summary.ts';

const exchanges = new Map([
  ['call', smallCall],
  ['body-64k', callWith64KiB],
  ['rows', callWithRows],
  ['body-1m', callWith1MiB],
  ['events', callForEvents],
]);

const usage = `node bench/profile.ts [--seconds N] [--only gateway|stock|bare]... [--ask NAME] [--top N] [--keep FILE]
  --ask     ${[...exchanges.keys()].join(', ')}
  --keep    copies the .cpuprofile of the last one there, for a browser's developer tools`;

const warmUpSeconds = 20;
const sampleMicros = 250;

interface ProfilePlan {
  readonly contestants: readonly ContestantName[];
  readonly exchange: Exchange;
  readonly seconds: number;
  readonly top: number;
  readonly keep: string | undefined;
}

function readPlan(args: readonly string[]): ProfilePlan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '8' },
      only: { type: 'string', multiple: true, default: ['gateway'] },
      ask: { type: 'string', default: 'call' },
      top: { type: 'string', default: '40' },
      keep: { type: 'string' },
    },
  });
  const contestants = values.only.map(pickContestant);
  const [seconds, top] = [Number(values.seconds), Number(values.top)];
  const exchange = exchanges.get(values.ask);
  if (exchange === undefined) throw new TypeError(`"${values.ask}" can't be asked`);
  if (!(seconds >= 1) || !(top >= 1)) throw new TypeError('--seconds and --top are numbers from 1 up');
  return { contestants, exchange, seconds: Math.ceil(seconds), top, keep: values.keep };
}

function pickContestant(given: string): ContestantName {
  const contestant = (['gateway', 'stock', 'bare'] as const).find((name) => name === given);
  if (contestant === undefined) throw new TypeError(`"${given}" can't be profiled`);
  return contestant;
}

async function runProfile(name: ContestantName, plan: ProfilePlan, bare: Ground): Promise<Profiled> {
  const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${bare.folder}`, `--cpu-prof-interval=${sampleMicros}`];
  const field = {
    load: findLoad(undefined),
    ground: { ...bare, program: benchFile('../src/main.ts'), nodeArgs },
    warm: new WeakSet<MeasuredProcess>(),
  };
  const contestant = { ...(await startContestant(name, field.ground)), exchange: plan.exchange };
  let round: Round;
  let window: ProfileWindow;
  try {
    await expectAnswer(contestant);
    await measureSlice(field, contestant, warmUpSeconds);
    const from = monotonicMicros();
    round = await measureSlice(field, contestant, plan.seconds);
    window = { from, to: monotonicMicros() };
  } finally {
    // Node writes the profile when the process ends by itself.
    await contestant.stop();
  }
  const file = findProfile(bare.folder);
  if (plan.keep !== undefined) copyFileSync(file, plan.keep);
  const profile = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  if (window.from < profile.startTime || window.to > profile.endTime) {
    throw new Error("the profile's clock isn't this process's: the measured part can't be told apart");
  }
  return {
    summary: summarize(profile, window),
    costs: listCosts(profile, window),
    round,
    top: plan.top,
  };
}

/** The clock that V8 stamps profiles with. */
function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** CPU.<date>.<time>.<pid>.<thread>.<sequence>.cpuprofile; thread 0 is the main one. */
function findProfile(folder: string): string {
  const name = readdirSync(folder).find((file) => /\.0\.\d+\.cpuprofile$/.test(file));
  if (name === undefined) throw new Error('the process ended without writing its profile');
  return join(folder, name);
}

let plan: ProfilePlan;
try {
  plan = readPlan(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n${usage}`);
  process.exit(64);
}
try {
  const profiled: Profiled[] = [];
  for (const name of plan.contestants) {
    const one = await onGround(findCpuSource(), (ground) => runProfile(name, plan, ground));
    console.log(`${renderSummary(one)}\n`);
    profiled.push(one);
  }
  if (profiled.length > 1) console.log(renderCostsBeside(profiled));
} catch (error) {
  console.error(`No profile: ${(error as Error).message}`);
  process.exitCode = 1;
}
