// node bench/profile.ts: where does the gateway's CPU time go, under the load of the bench?
import { copyFileSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { startContestant } from './contestants/contestant.ts';
import type { ContestantName, Ground } from './contestants/contestant.ts';
import { findCpuSource } from './cpu.ts';
import { onGround } from './ground.ts';
import { findLoad } from './load/find-load.ts';
import { measureSlice } from './measure.ts';
import type { Round } from './measure.ts';
import { expectAnswer } from './probe.ts';
import type { CpuProfile, ProfileWindow } from './profile/cpu-profile.ts';
import { renderSummary } from './profile/render.ts';
import { summarize } from './profile/summary.ts';

const usage = `node bench/profile.ts [--seconds N] [--only gateway|stock|bare] [--top N] [--keep FILE]
  --keep    copies the .cpuprofile there, for a browser's developer tools`;

const warmUpSeconds = 3;
const sampleMicros = 250;

interface ProfilePlan {
  readonly contestant: ContestantName;
  readonly seconds: number;
  readonly top: number;
  readonly keep: string | undefined;
}

function readPlan(args: readonly string[]): ProfilePlan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '8' },
      only: { type: 'string', default: 'gateway' },
      top: { type: 'string', default: '40' },
      keep: { type: 'string' },
    },
  });
  const contestant = (['gateway', 'stock', 'bare'] as const).find((name) => name === values.only);
  const [seconds, top] = [Number(values.seconds), Number(values.top)];
  if (contestant === undefined) throw new TypeError(`"${values.only}" can't be profiled`);
  if (!(seconds >= 1) || !(top >= 1)) throw new TypeError('--seconds and --top are numbers from 1 up');
  return { contestant, seconds: Math.ceil(seconds), top, keep: values.keep };
}

async function runProfile(plan: ProfilePlan, bare: Ground): Promise<string> {
  const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${bare.folder}`, `--cpu-prof-interval=${sampleMicros}`];
  const field = { load: findLoad(undefined), ground: { ...bare, nodeArgs } };
  const contestant = await startContestant(plan.contestant, field.ground);
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
  return renderSummary(summarize(profile, window), round, plan.top);
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
  console.log(await onGround(findCpuSource(), (ground) => runProfile(plan, ground)));
} catch (error) {
  console.error(`No profile: ${(error as Error).message}`);
  process.exitCode = 1;
}
