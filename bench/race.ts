import type { Contestant } from './contestants/contestant.ts';
import { joinSlices, measureSlice } from './measure.ts';
import type { Field, Round } from './measure.ts';
import { expectAnswer } from './probe.ts';

export interface RacePlan {
  readonly rounds: number;
  /** Of each contestant's measurement in each round. */
  readonly seconds: number;
  /** Of each Node process, before it is measured for the first time. */
  readonly warmUpSeconds: number;
  readonly tell: (line: string) => void;
}

/** Short enough that a host that slows down for some seconds slows all contestants alike. */
const sliceSeconds = 2;

/**
 * Measures contestants that run already in turn, slice after slice and round after round, so that a noisy machine is
 * noisy for all of them. Every slice begins with another contestant.
 */
export async function race(
  running: readonly Contestant[],
  field: Field,
  plan: RacePlan,
): Promise<readonly Round[]> {
  for (const contestant of running) {
    await expectAnswer(contestant);
    await measureSlice(field, contestant, warmUpSeconds(contestant, field, plan));
    field.warm.add(contestant.process);
  }
  const measured: Round[] = [];
  for (let round = 1; round <= plan.rounds; round += 1) {
    const results = await runRound(field, running, plan.seconds);
    for (const result of results) plan.tell(describeRound(result, round));
    measured.push(...results);
  }
  return measured;
}

/** V8 compiles for long after a process has begun; a path that is new to a warm process takes it less. */
function warmUpSeconds(
  { runtime, process }: Contestant,
  { warm }: Field,
  plan: Pick<RacePlan, 'warmUpSeconds'>,
): number {
  if (runtime === 'native') return 1;
  return warm.has(process) ? Math.ceil(plan.warmUpSeconds / 4) : plan.warmUpSeconds;
}

async function runRound(field: Field, running: readonly Contestant[], seconds: number): Promise<Round[]> {
  const slices = running.map((): Round[] => []);
  let turn = 0;
  for (let left = seconds; left > 0; left -= sliceSeconds) {
    for (let step = 0; step < running.length; step += 1) {
      const index = (turn + step) % running.length;
      const contestant = running[index];
      if (contestant === undefined) continue;
      slices[index]?.push(await measureSlice(field, contestant, Math.min(left, sliceSeconds)));
    }
    turn += 1;
  }
  return slices.flatMap(([first, ...others]) =>
    first === undefined ? [] : [joinSlices([first, ...others])],
  );
}

function describeRound(round: Round, number: number): string {
  const { contestant, requestsPerSecond, cpuMicros, othersPercent } = round;
  const disturbed = othersPercent > 5 ? `; others took ${othersPercent.toFixed(0)} % of the machine` : '';
  return `round ${number}, ${contestant}: ${requestsPerSecond.toFixed(0)} requests/s, ${cpuMicros.toFixed(1)} µs CPU${disturbed}`;
}
