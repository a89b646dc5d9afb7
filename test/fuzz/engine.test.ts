/** The fuzzer itself: it must find what is there, and make it small. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Coverage } from './coverage.ts';
import { CrashWatch } from './crash-watch.ts';
import { fuzz, type FuzzReport } from './fuzz.ts';
import { minimise } from './minimise.ts';
import { Tally, type FuzzTarget, type OpenTarget } from './target.ts';

/** A fault behind three texts, each of which has code of its own: by chance alone they don't meet in so few inputs. */
function judgePlanted(input: Buffer): string | undefined {
  if (!input.includes('%2f')) return undefined;
  if (!input.includes('{')) return undefined;
  if (!input.includes('~')) return undefined;
  return input.includes('null') ? 'planted: found' : undefined;
}

const planted: FuzzTarget = {
  name: 'planted',
  inputs: fc.constant(Buffer.from('x')),
  words: [],
  async open() {
    return openPlanted();
  },
};

function openPlanted(judge: (input: Buffer) => string | undefined = judgePlanted): OpenTarget {
  return {
    tally: new Tally(),
    judge: async (inputs) => inputs.map(judge),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function run(opened: OpenTarget, most: number, coverage?: Coverage): Promise<FuzzReport> {
  using crashes = new CrashWatch();
  return fuzz(planted, opened, { seed: 1, corpus: [], goesOn: (soFar) => soFar < most, crashes, coverage });
}

it('finds a fault behind several checks by the code that inputs reach, and leaves out of the input what it does not need', async () => {
  using coverage = new Coverage((url) => url.includes('engine.test'));
  const { failures, reachedNew } = await run(openPlanted(), 12_000, coverage);
  expect(failures.map(({ input }) => input.length)).toEqual(['%2f{~null'.length]);
  expect(reachedNew).toBeGreaterThanOrEqual(3);
  expect((await run(openPlanted(), 12_000)).failures).toEqual([]);
});

it('tells what an input makes throw as a fault of that input alone', async () => {
  const opened = openPlanted((input) => {
    if (input.includes('!')) throw new Error('a crash');
    return undefined;
  });
  const { failures } = await run(opened, 3_000);
  expect(failures).toHaveLength(1);
  expect(failures[0]?.input.toString()).toBe('!');
  expect(failures[0]?.says).toContain('a crash');
});

it('makes an input small only as long as it fails in the same way', async () => {
  const input = Buffer.from('xxxxaxxxxxxbxxx');
  const small = await minimise(input, async (candidate) => /a.*b/.test(candidate.toString()));
  expect(small.toString()).toBe('ab');
});
