import { expect, test } from 'vitest';

import { readAutocannonFigures } from './autocannon.ts';
import { readWrkFigures } from './wrk.ts';

const wrkFigures = {
  requests: 1000,
  micros: 2_000_000,
  p50Micros: 1500,
  p99Micros: 9000,
  refused: 0,
  firstRefusal: '',
  connect: 0,
  read: 0,
  write: 0,
  timeout: 0,
};

function wrkOutput(changes: Partial<typeof wrkFigures>): string {
  return `Running 2s test\n  1000 requests in 2s\nfigures ${JSON.stringify({ ...wrkFigures, ...changes })}\n`;
}

test('finds no fault with a run in which every answer was 2xx', () => {
  expect(readWrkFigures(wrkOutput({}))).toEqual({
    answered: 1000,
    seconds: 2,
    p50Millis: 1.5,
    p99Millis: 9,
    faults: [],
  });
});

test('tells what was answered when wrk saw an answer that is not 2xx', () => {
  const figures = readWrkFigures(wrkOutput({ refused: 3, firstRefusal: '503 no more streams' }));
  expect(figures.answered).toBe(997);
  expect(figures.faults).toEqual(['3 answers not 2xx, the first: 503 no more streams']);
});

test('counts each kind of socket error that wrk saw as a fault', () => {
  expect(readWrkFigures(wrkOutput({ read: 2, timeout: 1 })).faults).toEqual([
    '2 socket errors (read)',
    '1 socket errors (timeout)',
  ]);
});

test('tells the statuses when autocannon saw an answer that is not 2xx', () => {
  const output = JSON.stringify({
    '2xx': 10,
    non2xx: 2,
    errors: 0,
    timeouts: 0,
    duration: 2,
    latency: { p50: 1, p99: 2 },
    statusCodeStats: { 200: { count: 10 }, 401: { count: 2 } },
  });
  expect(readAutocannonFigures(output).faults).toEqual([
    '2 answers not 2xx: {"200":{"count":10},"401":{"count":2}}',
  ]);
});
