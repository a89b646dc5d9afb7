/** A short run of every fuzz target with the same inputs each time; `npm run fuzz` looks for new ones. */
import { expect, it } from 'vitest';
import { corpusOf } from './corpus.ts';
import { CrashWatch } from './crash-watch.ts';
import { fuzz } from './fuzz.ts';
import { targets } from './targets.ts';

/** Those that go over a connection take some milliseconds each. */
const executions: Readonly<Record<string, number>> = {
  token: 600,
  message: 1_500,
  events: 3_000,
  address: 200,
  http: 300,
};

it.each(targets.map((target) => [target.name, target] as const))(
  'whoever sends what nobody foresaw to %s opens nothing and breaks nothing',
  { timeout: 120_000 },
  async (name, target) => {
    using crashes = new CrashWatch();
    await using opened = await target.open();
    const most = executions[name] ?? 0;
    const { failures } = await fuzz(target, opened, {
      seed: 20_261_121,
      corpus: corpusOf(name),
      goesOn: (soFar) => soFar < most,
      crashes,
    });
    expect(failures.map(({ input, says }) => `${says}\n${JSON.stringify(input.toString('latin1'))}`)).toEqual(
      [],
    );
    // A run in which nothing was let through would prove little.
    const words = letThrough[name] ?? [];
    expect(words.filter((word) => opened.tally.of(word) <= 5)).toEqual([]);
  },
);

const letThrough: Readonly<Record<string, readonly string[]>> = {
  token: ['let in', 'token_audience', 'token_malformed'],
  message: ['let through', 'duplicate_member'],
  events: ['sifted', 'endpoint open'],
  address: ['200', '404', 'forwarded'],
  http: ['200', '401', 'forwarded'],
};
