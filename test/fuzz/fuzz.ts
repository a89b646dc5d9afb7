import { setImmediate as nextTurn } from 'node:timers/promises';

import fc from 'fast-check';

import { diceFrom } from '../support/differential/dice.ts';
import type { Dice } from '../support/differential/dice.ts';
import type { Coverage } from './coverage.ts';
import type { CrashWatch } from './crash-watch.ts';
import { minimise } from './minimise.ts';
import { mutate } from './mutate.ts';
import type { FuzzTarget, OpenTarget } from './target.ts';

export interface FuzzPlan {
  readonly seed: number;
  /** What inputs are changed from, besides those that reach something new. */
  readonly corpus: readonly Buffer[];
  /** Asked between batches. */
  readonly goesOn: (executions: number) => boolean;
  readonly crashes: CrashWatch;
  /** Undefined: every change is as good as any other. */
  readonly coverage?: Coverage | undefined;
}

export interface Failure {
  readonly input: Buffer;
  readonly says: string;
}

export interface FuzzReport {
  readonly executions: number;
  /** Inputs that reached code which none before them had reached. */
  readonly reachedNew: number;
  /** The smallest input found for each kind of fault. */
  readonly failures: readonly Failure[];
}

/** So many at a time that looking at the coverage costs little beside them. */
const batchSize = 100;

/** One mistake fails in many ways; the first ones are enough to mend it. */
const maximumFailures = 5;

/** Gives the target its corpus, and then changed and generated inputs for as long as the plan says. */
export async function fuzz(target: FuzzTarget, opened: OpenTarget, plan: FuzzPlan): Promise<FuzzReport> {
  const run = new FuzzRun(target, opened, plan);
  await run.tryAll(plan.corpus);
  while (plan.goesOn(run.executions) && run.failures.length < maximumFailures)
    await run.tryAll(run.nextBatch());
  return { executions: run.executions, reachedNew: run.reachedNew, failures: run.failures };
}

class FuzzRun {
  executions = 0;
  reachedNew = 0;
  readonly failures: Failure[] = [];
  readonly #target: FuzzTarget;
  readonly #opened: OpenTarget;
  readonly #plan: FuzzPlan;
  readonly #dice: Dice;
  readonly #corpus: Buffer[];
  #batches = 0;

  constructor(target: FuzzTarget, opened: OpenTarget, plan: FuzzPlan) {
    this.#target = target;
    this.#opened = opened;
    this.#plan = plan;
    this.#dice = diceFrom(plan.seed);
    this.#corpus = [...plan.corpus];
  }

  /** A quarter from nothing, the others changed from what there is. */
  nextBatch(): readonly Buffer[] {
    const source = { dice: this.#dice, words: this.#target.words, corpus: this.#corpus };
    this.#batches += 1;
    const fresh = fc.sample(this.#target.inputs, {
      numRuns: batchSize / 4,
      seed: this.#plan.seed + this.#batches,
    });
    const mutated = Array.from({ length: batchSize - fresh.length }, () => {
      // What was found last has been changed the least.
      const recent = this.#corpus.slice(this.#dice.chance(0.5) ? -20 : 0);
      const parent =
        recent[this.#dice.below(recent.length)] ?? this.#dice.pick([fresh[0] ?? Buffer.from('x'), ...fresh]);
      return mutate(parent, source);
    });
    return [...fresh, ...mutated];
  }

  async tryAll(inputs: readonly Buffer[]): Promise<void> {
    this.executions += inputs.length;
    const verdicts = await this.#judge(inputs);
    for (const [index, says] of verdicts.entries()) {
      const input = inputs[index];
      if (says !== undefined && input !== undefined) await this.#keepFailure({ input, says });
    }
    await this.#keepThoseThatReachMore(inputs);
  }

  /** A batch is counted as a whole; only where it reached something new its halves are tried again, and theirs. */
  async #keepThoseThatReachMore(inputs: readonly Buffer[]): Promise<void> {
    const { coverage } = this.#plan;
    const reached = coverage?.take();
    if (coverage === undefined || reached === undefined || !coverage.isNew(reached)) return;
    const [only] = inputs;
    if (inputs.length === 1 && only !== undefined) {
      this.#corpus.push(only);
      this.reachedNew += 1;
    } else if (inputs.length > 1) {
      const middle = Math.ceil(inputs.length / 2);
      for (const half of [inputs.slice(0, middle), inputs.slice(middle)]) {
        await this.#judge(half);
        await this.#keepThoseThatReachMore(half);
      }
    }
    // What none of them reaches alone came from timers or from their order.
    coverage.learn(reached);
  }

  /** What the oracles say; a crash that no single input can be blamed for is looked for one by one. */
  async #judge(inputs: readonly Buffer[]): Promise<readonly (string | undefined)[]> {
    const { crashes } = this.#plan;
    try {
      const verdicts = await this.#opened.judge(inputs);
      await nextTurn();
      const [crash] = crashes.take();
      if (crash === undefined) return verdicts;
      if (inputs.length === 1) return [crash];
    } catch (error) {
      if (inputs.length === 1)
        return [`it threw ${error instanceof Error ? (error.stack ?? '') : String(error)}`];
    }
    const each: (string | undefined)[] = [];
    for (const input of inputs) each.push(...(await this.#judge([input])));
    return each;
  }

  async #keepFailure({ input, says }: Failure): Promise<void> {
    const kind = kindOf(says);
    if (this.failures.some((known) => kindOf(known.says) === kind)) return;
    let last = says;
    const smallest = await minimise(input, async (candidate) => {
      const [found] = await this.#judge([candidate]);
      if (found === undefined || kindOf(found) !== kind) return false;
      last = found;
      return true;
    });
    this.failures.push({ input: smallest, says: last });
  }
}

/** What stands before the first colon says which oracle it was. */
function kindOf(says: string): string {
  return says.split(':', 1)[0] ?? '';
}
