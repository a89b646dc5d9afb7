// npm run bench: how much of the machine does a request cost, straight, through the least forwarder, through stock
// @fastify/http-proxy, and through Portcullis? And what do tokens cost it?
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
import { measureLists } from './lists.ts';
import type { ListPlan, ListReport } from './lists.ts';
import { describeMachine } from './machine.ts';
import type { Round } from './measure.ts';
import { benchFile } from './node-process.ts';
import { measurePolicy } from './policy.ts';
import type { PolicyReport } from './policy.ts';
import { race } from './race.ts';
import { renderDisturbance, renderRatios, renderTable } from './report.ts';
import { measureStarts } from './start.ts';
import type { StartReport } from './start.ts';
import { measureTokens } from './tokens.ts';
import type { TokenReport } from './tokens.ts';

/** What `--only` chooses from. */
const parts = [...contestantNames, 'tokens', 'policy', 'lists', 'start'] as const;

const usage = `npm run bench -- [--short] [--rounds N] [--seconds N] [--only NAME]... [--load wrk|autocannon] [--cpu proc|ipc] [--write]
  --short   one round of 2 s each, and fewer tokens
  --only    ${parts.join(', ')}; may be repeated
  --write   writes bench/RESULTS.md`;

interface BenchPlan {
  /** None: no race. */
  readonly contestants: readonly ContestantName[];
  readonly tokens: 'short' | 'full' | 'off';
  readonly policy: boolean;
  readonly lists: ListPlan | undefined;
  /** How often a gateway is started; 0: never. */
  readonly starts: number;
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
  const only = values.only.length === 0 ? parts : values.only.map((name) => pick(name, parts));
  const size = values.short ? 'short' : 'full';
  return {
    contestants: contestantNames.filter((name) => only.includes(name)),
    tokens: only.includes('tokens') ? size : 'off',
    policy: only.includes('policy'),
    lists: only.includes('lists') ? { warmUpPasses: 5, passes: values.short ? 9 : 30 } : undefined,
    starts: only.includes('start') ? (values.short ? 3 : 9) : 0,
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
  const tell = (line: string): void => console.log(line);
  const sections = await onGround(plan.cpuSource, async (ground) => {
    const field = { ground, load };
    const rounds = plan.contestants.length === 0 ? [] : await race(field, { ...plan, tell });
    const tokens =
      plan.tokens === 'off' ? undefined : await measureTokens(field, { ...plan, tell, size: plan.tokens });
    const policy = plan.policy ? await measurePolicy(field, { ...plan, tell }) : undefined;
    const starts = plan.starts === 0 ? undefined : await measureStarts(ground, { ...plan, tell });
    const lists = plan.lists === undefined ? undefined : measureLists(plan.lists);
    return [
      ...(rounds.length === 0 ? [] : [describeRace(plan, rounds)]),
      ...(tokens === undefined ? [] : [describeTokens(tokens)]),
      ...(policy === undefined ? [] : [describePolicy(policy)]),
      ...(lists === undefined ? [] : [describeLists(lists)]),
      ...(starts === undefined ? [] : [describeStarts(starts)]),
    ];
  });
  console.log(`\n${sections.map(renderSection).join('\n')}`);
  if (plan.write) writeFileSync(benchFile('RESULTS.md'), renderResults(machine, sections));
}

interface Section {
  /** Absent: the first one. */
  readonly title?: string;
  readonly notes: readonly string[];
  readonly table: string;
  /** Figures with their marks. */
  readonly lines: readonly string[];
}

function describeRace(plan: BenchPlan, rounds: readonly Round[]): Section {
  return {
    notes: [
      `Median of ${plan.rounds} × ${plan.seconds} s each, in turn; ${connections} connections, one tools/call of about 200 bytes each way.`,
      `The ${availableParallelism()} cores are shared by load generator, upstream and contestant, so CPU per request is the honest figure.`,
      'The gateway alone gets, checks and removes a token (RS256, remembered); request log and audit go to files.',
    ],
    table: renderTable(rounds),
    lines: [...renderRatios(rounds), ...renderDisturbance(rounds)],
  };
}

function describeTokens({ notes, table, marks }: TokenReport): Section {
  return { title: 'Tokens', notes, table, lines: marks };
}

function describeLists({ notes, table, marks }: ListReport): Section {
  return { title: 'Lists', notes, table, lines: marks };
}

function describePolicy({ notes, table, marks }: PolicyReport): Section {
  return { title: 'Rules', notes, table, lines: marks };
}

function describeStarts({ notes, table, marks }: StartReport): Section {
  return { title: 'Start', notes, table, lines: marks };
}

function renderSection({ title, notes, table, lines }: Section): string {
  const heading = title === undefined ? [] : [`## ${title}`, ''];
  return [...heading, ...notes, '', table, '', ...lines.map((line) => `- ${line}`), ''].join('\n');
}

function renderResults(machine: readonly string[], sections: readonly Section[]): string {
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  const date = new Date().toISOString().slice(0, 10);
  const facts = [...machine, `${date}, \`${command}\``].map((line) => `- ${line}\n`).join('');
  return `# Results of the bench\n\n${facts}\n${sections.map(renderSection).join('\n')}`;
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
