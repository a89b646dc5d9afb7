/** The short form of `npm run soak` (D-024): everything that goes wrong, at one time, for half a minute. */
import { expect, it } from 'vitest';
import { soak } from '../soak/soak.ts';
import { faultsOf } from '../soak/verdict.ts';

it(
  'D-024: under calls, streams, reloads, rotations and failing parts no answer is unexplained or another one’s, and nothing grows',
  { timeout: 240_000 },
  async () => {
    const report = await soak({ seconds: 30, seed: 24, tell: () => {} });
    expect(faultsOf(report)).toEqual([]);
    // The run would prove nothing without these.
    const { asked, streams, disturbances, tally } = report;
    expect(asked).toBeGreaterThan(300);
    expect(streams).toBeGreaterThan(5);
    expect(tally.get('call 200')).toBeGreaterThan(200);
    expect(disturbances.reloads).toBeGreaterThanOrEqual(2);
    expect(disturbances.rotations).toBeGreaterThanOrEqual(2);
  },
);
