import { expect, it } from 'vitest';
import { differences } from './compare.ts';
import type { Verdict } from './suite.ts';

const verdict: Verdict = {
  passed: 2,
  failed: 0,
  exitCode: 0,
  checks: ['ping Ping: SUCCESS', 'ping Ping: SUCCESS'],
  output: '',
};

it('the runner sees no difference between runs whose totals, exit code and checks are the same (M2)', () => {
  expect(differences({ direct: verdict, through: { ...verdict, output: 'other words' } })).toEqual([]);
});

it.each([
  [{ passed: 1 }, 'passed: 2 directly, 1 through the gateway'],
  [{ failed: 1 }, 'failed: 0 directly, 1 through the gateway'],
  [{ exitCode: 1 }, 'exitCode: 0 directly, 1 through the gateway'],
  [{ checks: ['ping Ping: SUCCESS'] }, 'only directly: ping Ping: SUCCESS'],
  [{ checks: [...verdict.checks, 'ping Ping: WARNING'] }, 'only through the gateway: ping Ping: WARNING'],
])('the runner names what the gateway changed: %j (M2)', (changed, difference) => {
  expect(differences({ direct: verdict, through: { ...verdict, ...changed } })).toEqual([difference]);
});
