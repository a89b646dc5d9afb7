import type { ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { EventStreamOptions } from './event-stream.ts';
import { EventStream } from './event-stream.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function open(stillAdmitted: EventStreamOptions['stillAdmitted']): {
  stream: EventStream;
  revoked: () => number;
} {
  let revoked = 0;
  const stream = new EventStream(new PassThrough() as unknown as ServerResponse, {
    keepAliveMs: undefined,
    remainingMs: undefined,
    onExpired: () => {},
    stillAdmitted,
    onRevoked: () => (revoked += 1),
  });
  return { stream, revoked: () => revoked };
}

describe('an open stream (C-036)', () => {
  it('ends within half a minute once who opened it would no longer be let in', async () => {
    let admitted = true;
    const { stream, revoked } = open(async () => admitted);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(revoked()).toBe(0);
    admitted = false;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(revoked()).toBeGreaterThan(0);
    stream.end();
  });

  it('ends too where nobody can say, and the failure goes no further', async () => {
    const { stream, revoked } = open(() => Promise.reject(new Error('a defect')));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(revoked()).toBe(1);
    stream.end();
  });

  it('asks no more once it has ended, and hears no late answer', async () => {
    const late = Promise.withResolvers<boolean>();
    let asked = 0;
    const { stream, revoked } = open(() => {
      asked += 1;
      return late.promise;
    });
    await vi.advanceTimersByTimeAsync(25_000);
    stream.end();
    late.resolve(false);
    await vi.advanceTimersByTimeAsync(120_000);
    expect([asked, revoked()]).toEqual([1, 0]);
  });
});
