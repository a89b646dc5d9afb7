import { expect, test } from 'vitest';

import { parseMachineStat, parseProcStat } from './cpu.ts';

test('reads the CPU times behind a command name that holds spaces and brackets', () => {
  const stat = '42 (a (b) c) S 1 42 42 0 -1 4194304 100 200 0 0 31 7 500 60 20 0 11 0 12345 1000 200';
  expect(parseProcStat(stat)).toEqual({ own: 38, children: 560 });
});

test('counts stolen time as busy, waiting for disks as idle, and guests only once', () => {
  expect(parseMachineStat('cpu  10 1 20 60 3 0 4 2 9 0\ncpu0 5 0 10 30 1 0 2 1 4 0\n')).toEqual({
    busyMicros: 370_000,
    allMicros: 1_000_000,
  });
});
