// npm run bench: how much of the machine does a request cost, straight, through the least forwarder, through stock
// @fastify/http-proxy, nginx and HAProxy, and through Portcullis? And what do tokens, bodies, streams, rules cost it?
import { writeFileSync } from 'node:fs';

import { onGround } from './ground.ts';
import { findLoad } from './load/find-load.ts';
import { describeMachine } from './machine.ts';
import type { Field } from './measure.ts';
import { benchFile } from './node-process.ts';
import { measureParts } from './parts.ts';
import { readPlan, usage } from './plan.ts';
import type { BenchPlan } from './plan.ts';
import { confirmRegressions, describeRegression, findRegressions, readRecorded } from './recorded.ts';
import type { Regression } from './recorded.ts';
import { disturbedPercent } from './report.ts';
import { drawResults, renderResults } from './results.ts';
import { renderSection } from './section.ts';
import type { Section } from './section.ts';

/** Answers how many of the ratios that are kept got far worse. */
async function runBench(plan: BenchPlan): Promise<number> {
  const load = findLoad(plan.load);
  const machine = describeMachine(load.name);
  for (const line of machine) console.log(line);
  return onGround(plan.cpuSource, async (ground) => {
    const field: Field = { ground, load, warm: new WeakSet() };
    const sections = await tellParts(field, plan, plan.parts);
    if (plan.write) {
      const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
      writeFileSync(benchFile('results.svg'), drawResults(machine, sections));
      writeFileSync(benchFile('RESULTS.md'), renderResults({ machine, command, plan }, sections));
    }
    return plan.size === 'short' ? countRegressions(field, plan, sections) : 0;
  });
}

/** Each section is told as soon as it stands. */
async function tellParts(
  field: Field,
  plan: BenchPlan,
  names: BenchPlan['parts'],
): Promise<readonly Section[]> {
  const sections: Section[] = [];
  for await (const section of measureParts(field, plan, names)) {
    console.log(`\n${renderSection(section)}`);
    sections.push(section);
  }
  return sections;
}

/** A ratio that looks far worse is measured once more, and doesn't count where other processes had the machine. */
async function countRegressions(
  field: Field,
  plan: BenchPlan,
  sections: readonly Section[],
): Promise<number> {
  const recorded = readRecorded();
  for (const { name, value } of sections.flatMap(({ ratios }) => ratios))
    console.log(
      `${name}: ${value.toFixed(2)}${recorded[name] === undefined ? '' : `, recorded ${recorded[name]}`}`,
    );
  const first = findRegressions(sections, recorded);
  if (first.length === 0) return 0;
  console.log(`\nfar worse than recorded: ${first.map(describeRegression).join('; ')}`);
  if (isDisturbed(sections)) return 0;
  console.log('measured again:');
  const again = await tellParts(field, { ...plan, rounds: plan.rounds + 1 }, partsOf(first, plan));
  const confirmed = confirmRegressions(first, findRegressions(again, recorded));
  for (const regression of confirmed) console.log(`far worse again: ${describeRegression(regression)}`);
  if (confirmed.length === 0) console.log('not so the second time');
  return confirmed.length === 0 || isDisturbed(again) ? 0 : confirmed.length;
}

function isDisturbed(sections: readonly Section[]): boolean {
  const worst = Math.max(...sections.map(({ othersPercent }) => othersPercent));
  if (worst <= disturbedPercent) return false;
  console.log(
    `Other processes took up to ${worst.toFixed(0)} % of the machine: that isn't called a failure.`,
  );
  return true;
}

function partsOf(regressions: readonly Regression[], plan: BenchPlan): BenchPlan['parts'] {
  return plan.parts.filter((name) => regressions.some(({ part }) => part === name));
}

let plan: BenchPlan;
try {
  plan = readPlan(process.argv.slice(2), (line) => console.log(line));
} catch (error) {
  console.error(`${(error as Error).message}\n${usage}`);
  process.exit(64);
}
try {
  if ((await runBench(plan)) > 0) process.exitCode = 1;
} catch (error) {
  console.error(`The bench could not measure: ${(error as Error).message}`);
  process.exitCode = 1;
}
