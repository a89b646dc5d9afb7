/**
 * `npm run conformance [-- [REVISION] [server|client]]`: the official suite against a server and with a client,
 * directly and through the gateway with real tokens. Exit code 1 unless both ways come out the same in every
 * check, with the figures that are known.
 */
import { renderColumns } from '../../bench/table.ts';
import { differences } from './compare.ts';
import { legs, type BothWays, type Leg } from './legs.ts';
import type { Verdict } from './suite.ts';

const wanted = process.argv.slice(2);
const chosen = legs.filter(({ revision, side }) =>
  wanted.every((word) => word === revision || word === side),
);
if (chosen.length === 0) throw new Error(`nothing is called ${wanted.join(' ')}`);

const rows: string[][] = [];
for (const leg of chosen) rows.push(await report(leg));
const heads = ['', 'direct passed', 'failed', 'exit', 'through passed', 'failed', 'exit', ''];
console.log(`\n${renderColumns(heads, rows)}`);
if (rows.some((row) => row.at(-1) !== 'equal')) process.exitCode = 1;

async function report(leg: Leg): Promise<string[]> {
  const began = performance.now();
  const both = await leg.run();
  const faults = [...differences(both), ...surprises(leg, both)];
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(`${leg.revision} ${leg.side}: ${faults.length === 0 ? 'equal' : 'NOT equal'}, ${seconds} s`);
  for (const fault of faults) console.log(`  ${fault}`);
  if (faults.length > 0) console.log(`--- through the gateway\n${both.through.output}`);
  const figures = [both.direct, both.through].flatMap(cells);
  return [`${leg.revision} ${leg.side}`, ...figures, faults.length === 0 ? 'equal' : 'NOT equal'];
}

function surprises({ expected }: Leg, { direct }: BothWays): readonly string[] {
  return (['passed', 'failed'] as const)
    .filter((name) => direct[name] !== expected[name])
    .map((name) => `${name}: ${direct[name]} directly, ${expected[name]} were expected`);
}

function cells({ passed, failed, exitCode }: Verdict): readonly string[] {
  return [passed, failed, exitCode].map(String);
}
