import { Session } from 'node:inspector';
import type { Profiler } from 'node:inspector';

type Interval = readonly [start: number, end: number];

interface TakenFunction {
  /** Script and place. */
  readonly key: string;
  /** Its blocks that didn't run. */
  readonly idle: readonly Interval[];
}

/** The functions that ran. */
export type Taken = readonly TakenFunction[];

/**
 * Which blocks of the gateway's own code have run, as V8 counts them in this process. It guides the choice of inputs:
 * one that reaches a block for the first time is worth changing further.
 */
export class Coverage implements Disposable {
  readonly #session = new Session();
  readonly #isOurs: (url: string) => boolean;
  /** What of each function that ran has not run yet, by its key. */
  readonly #untouched = new Map<string, readonly Interval[]>();

  constructor(isOurs: (url: string) => boolean) {
    this.#isOurs = isOurs;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    // Counts begin anew with each take; a binary coverage would tell of a function only once.
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  get functions(): number {
    return this.#untouched.size;
  }

  /** What ran since the last call. */
  take(): Taken {
    const taken: TakenFunction[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error;
      for (const script of result) {
        if (this.#isOurs(script.url))
          taken.push(...script.functions.flatMap((each) => functionOf(script, each)));
      }
    });
    return taken;
  }

  /** Whether some of it had never run before. */
  isNew(taken: Taken): boolean {
    return taken.some((each) => this.#untouchedAfter(each) !== undefined);
  }

  /** From here on it isn't new. */
  learn(taken: Taken): void {
    for (const each of taken) {
      const left = this.#untouchedAfter(each);
      if (left !== undefined) this.#untouched.set(each.key, left);
    }
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  /** Undefined where nothing of the function ran for the first time. */
  #untouchedAfter({ key, idle }: TakenFunction): readonly Interval[] | undefined {
    const before = this.#untouched.get(key);
    if (before === undefined) return idle;
    const left = intersect(before, idle);
    return lengthOf(left) === lengthOf(before) ? undefined : left;
  }
}

function functionOf(
  { scriptId }: Profiler.ScriptCoverage,
  { ranges }: Profiler.FunctionCoverage,
): readonly TakenFunction[] {
  const [whole, ...blocks] = ranges;
  if (whole === undefined || whole.count === 0) return [];
  const idle = blocks
    .filter(({ count }) => count === 0)
    .map(({ startOffset, endOffset }): Interval => [startOffset, endOffset]);
  return [{ key: `${scriptId}:${whole.startOffset}-${whole.endOffset}`, idle }];
}

function intersect(some: readonly Interval[], others: readonly Interval[]): readonly Interval[] {
  return some.flatMap(([start, end]) =>
    others
      .map(([from, to]): Interval => [Math.max(start, from), Math.min(end, to)])
      .filter(([from, to]) => from < to),
  );
}

function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, [start, end]) => sum + end - start, 0);
}
