// npm run bench: how much of the machine does a request cost, straight, through the least forwarder, through stock
// @fastify/http-proxy, and through Portcullis?
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

import { contestantNames } from './contestants/contestant.ts';
import type { ContestantName } from './contestants/contestant.ts';
import { findCpuSource } from './cpu.ts';
import type { CpuSource } from './cpu.ts';
import { onGround } from './ground.ts';
import { findLoad } from './load/find-load.ts';
import { connections } from './load/load.ts';
import { describeMachine } from './machine.ts';
import { benchFile } from './node-process.ts';
import { race } from './race.ts';
import { renderDisturbance, renderRatios, renderTable } from './report.ts';

const usage = `npm run bench -- [--short] [--rounds N] [--seconds N] [--only NAME]... [--load wrk|autocannon] [--cpu proc|ipc] [--write]
  --short   one round of 2 s each
  --only    ${contestantNames.join(', ')}; may be repeated
  --write   writes bench/RESULTS.md`;

interface BenchPlan {
  readonly contestants: readonly ContestantName[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly load: string | undefined;
  readonly cpuSource: CpuSource;
  readonly write: boolean;
}

function readPlan(args: readonly string[]): BenchPlan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      load: { type: 'string' },
      cpu: { type: 'string', default: findCpuSource() },
      write: { type: 'boolean', default: false },
    },
  });
  const only = values.only.map((name) => pick(name, contestantNames));
  return {
    contestants: only.length === 0 ? contestantNames : only,
    rounds: readCount(values.rounds ?? (values.short ? '1' : '3')),
    seconds: readCount(values.seconds ?? (values.short ? '2' : '8')),
    warmUpSeconds: values.short ? 3 : 12,
    load: values.load === undefined ? undefined : pick(values.load, ['wrk', 'autocannon']),
    cpuSource: pick(values.cpu, ['proc', 'ipc']),
    write: values.write,
  };
}

function pick<T extends string>(given: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === given);
  if (choice === undefined) throw new TypeError(`"${given}" is none of ${choices.join(', ')}`);
  return choice;
}

function readCount(given: string): number {
  const count = Number(given);
  if (!Number.isInteger(count) || count < 1) throw new TypeError(`"${given}" is not a number from 1 up`);
  return count;
}

async function runBench(plan: BenchPlan): Promise<void> {
  const load = findLoad(plan.load);
  const machine = describeMachine(load.name);
  for (const line of machine) console.log(line);
  const rounds = await onGround(plan.cpuSource, (ground) =>
    race({ ground, load }, { ...plan, tell: (line) => console.log(line) }),
  );
  const report = {
    notes: [
      `Median of ${plan.rounds} × ${plan.seconds} s each, in turn; ${connections} connections, one tools/call of about 200 bytes each way.`,
      `The ${availableParallelism()} cores are shared by load generator, upstream and contestant, so CPU per request is the honest figure.`,
      'The gateway alone gets, checks and removes a token (RS256, remembered); request log and audit go to files.',
    ],
    table: renderTable(rounds),
    ratios: [...renderRatios(rounds), ...renderDisturbance(rounds)],
  };
  console.log(`\n${[...report.notes, '', report.table, '', ...report.ratios].join('\n')}`);
  if (plan.write) writeFileSync(benchFile('RESULTS.md'), renderResults(machine, report));
}

interface Report {
  readonly notes: readonly string[];
  readonly table: string;
  readonly ratios: readonly string[];
}

function renderResults(machine: readonly string[], { notes, table, ratios }: Report): string {
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  const date = new Date().toISOString().slice(0, 10);
  const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}\n`).join('');
  const facts = list([...machine, `${date}, \`${command}\``]);
  return `# Results of the bench\n\n${facts}\n${notes.join('\n')}\n\n${table}\n\n${list(ratios)}`;
}

let plan: BenchPlan;
try {
  plan = readPlan(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n${usage}`);
  process.exit(64);
}
try {
  await runBench(plan);
} catch (error) {
  console.error(`The bench could not measure: ${(error as Error).message}`);
  process.exitCode = 1;
}
