// npm run soak -- --minutes 30: does anything grow, get lost or get to another one, while all sorts of things go wrong?
import { parseArgs } from 'node:util';

import { soak, type SoakReport } from './soak.ts';
import { faultsOf } from './verdict.ts';

const usage = `npm run soak -- [--minutes N] [--seed S]
  --minutes   default 5
  --seed      a whole number; default by chance`;

function readPlan(args: readonly string[]): { readonly seconds: number; readonly seed: number } {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...args], options: { minutes: text, seed: text } });
  const minutes = Number(values.minutes ?? 5);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  if (!(minutes > 0)) throw new TypeError('--minutes is a number above 0');
  if (!Number.isSafeInteger(seed)) throw new TypeError('--seed is a whole number');
  return { seconds: minutes * 60, seed };
}

function* describe(report: SoakReport, seed: number): Generator<string> {
  const { asked, streams, tally, disturbances, unexplained, crossed, defects, keyFetches, amplification } =
    report;
  yield `${asked} calls with ${report.tokens} tokens and ${streams} streams, seed ${seed}; ${report.configurationsHeld} configuration held`;
  yield `answers: ${[...tally].map(([word, count]) => `${word} ${count}`).join(', ')}`;
  yield `disturbances: ${Object.entries(disturbances)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')}`;
  yield `heap: ${(report.heapBytesPerMinute / 1024).toFixed(1)} KiB a minute`;
  yield `unexplained answers ${unexplained.length}, answers of others ${crossed}, defects ${defects.length}`;
  yield `key fetches: ${keyFetches.most} of one authorization server, ${keyFetches.allowed} allowed by its cool-down`;
  yield `memory for each byte without a token: ${amplification.whileOpen.toFixed(2)} while it waits, ${amplification.afterwards.toFixed(2)} afterwards`;
  for (const each of unexplained.slice(0, 20)) yield `  ${each}`;
}

let plan: ReturnType<typeof readPlan>;
try {
  plan = readPlan(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n${usage}`);
  process.exit(64);
}
// The gateway and Redis end with this process, if it ends by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const report = await soak({ ...plan, tell: (line) => console.log(line) });
for (const line of describe(report, plan.seed)) console.log(line);
const faults = faultsOf(report);
console.log(faults.length === 0 ? 'nothing grew, nothing was lost' : `FAULTS\n${faults.join('\n')}`);
process.exitCode = faults.length === 0 ? 0 : 1;
