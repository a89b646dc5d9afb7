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

test('finds no fault with a run in which every answer had the status that was wanted', () => {
  expect(readWrkFigures(wrkOutput({}))).toEqual({
    answered: 1000,
    seconds: 2,
    p50Millis: 1.5,
    p99Millis: 9,
    faults: [],
  });
});

test('tells what was answered when wrk saw an answer with another status', () => {
  const figures = readWrkFigures(wrkOutput({ refused: 3, firstRefusal: '503 no more streams' }));
  expect(figures.answered).toBe(997);
  expect(figures.faults).toEqual(['3 answers with another status, the first: 503 no more streams']);
});

test('counts each kind of socket error that wrk saw as a fault', () => {
  expect(readWrkFigures(wrkOutput({ read: 2, timeout: 1 })).faults).toEqual([
    '2 socket errors (read)',
    '1 socket errors (timeout)',
  ]);
});

test('tells the statuses when autocannon saw answers with another one than was wanted', () => {
  const output = JSON.stringify({
    errors: 0,
    timeouts: 0,
    duration: 2,
    latency: { p50: 1, p99: 2 },
    statusCodeStats: { 200: { count: 10 }, 401: { count: 2 } },
  });
  expect(readAutocannonFigures(output, 401)).toMatchObject({
    answered: 2,
    faults: ['answers with another status than 401: {"200":{"count":10}}'],
  });
});
