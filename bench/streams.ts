// npm run bench:streams: what do many silent streams cost, what do they cost the others, and what is left of them?
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';

import { describeMachine } from './machine.ts';
import { renderSection } from './section.ts';
import type { CrowdPlan } from './streams/measure-crowd.ts';
import { measureStreams, planStreams } from './streams/measure-streams.ts';

const usage = `npm run bench:streams -- [--short] [--streams N]
  --short     1,000 streams, fewer calls
  --streams   how many; default 10,000, or as many as one process may have here`;

interface StreamPlan extends CrowdPlan {
  readonly wanted: number;
}

function readPlan(args: readonly string[]): StreamPlan {
  const { values } = parseArgs({
    args: [...args],
    options: { short: { type: 'boolean', default: false }, streams: { type: 'string' } },
  });
  const wanted = Number(values.streams ?? (values.short ? 1000 : 10_000));
  if (!Number.isInteger(wanted) || wanted < 1) throw new TypeError('--streams is a number from 1 up');
  return {
    wanted,
    ...planStreams(wanted, values.short ? 'short' : 'full', (line) => console.log(line)),
  };
}

/** Figures of a busy machine say little about time, though memory is what it is. */
function* describeCircumstances({ wanted, streams }: StreamPlan): Generator<string> {
  yield* describeMachine('no load generator');
  const [lastMinute = 0] = loadavg();
  if (lastMinute > availableParallelism() / 2)
    yield `The machine was busy before it began (load ${lastMinute.toFixed(1)} on ${availableParallelism()} cores): times say little.`;
  if (streams < wanted)
    yield `${wanted} streams need ${2 * wanted} open files and a few more; this machine lets a process open enough for ${streams}.`;
}

async function runBench(plan: StreamPlan): Promise<void> {
  for (const line of describeCircumstances(plan)) console.log(line);
  console.log(`\n${renderSection(await measureStreams(plan))}`);
}

let plan: StreamPlan;
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
