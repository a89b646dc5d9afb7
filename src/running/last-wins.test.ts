import { describe, expect, it } from 'vitest';

import { lastWins } from './last-wins.ts';

/** Each run ends when the test says so. */
function slowly() {
  const runs: { readonly given: number; readonly end: (fault?: Error) => void }[] = [];
  const ask = lastWins((given: number) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    runs.push({ given, end: (fault) => (fault === undefined ? resolve(given) : reject(fault)) });
    return promise;
  });
  return { ask, runs, begun: () => runs.map(({ given }) => given) };
}

describe('of what is asked for while something runs', () => {
  it('only the last is run, and all get its answer (O1, D-017)', async () => {
    const { ask, runs, begun } = slowly();
    const first = ask(1);
    const others = [2, 3, 4].map(ask);
    expect(begun()).toEqual([1]);
    runs[0]?.end();
    expect(await first).toBe(1);
    await Promise.resolve();
    expect(begun()).toEqual([1, 4]);
    const later = ask(5);
    runs[1]?.end();
    expect(await Promise.all(others)).toEqual([4, 4, 4]);
    await Promise.resolve();
    runs[2]?.end();
    expect(await later).toBe(5);
    expect(begun()).toEqual([1, 4, 5]);
  });

  it('nothing is lost after a failure, and whoever asks later begins at once', async () => {
    const { ask, runs, begun } = slowly();
    const first = ask(1);
    const second = ask(2);
    runs[0]?.end(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    await Promise.resolve();
    runs[1]?.end();
    expect(await second).toBe(2);
    await Promise.resolve();
    void ask(3);
    expect(begun()).toEqual([1, 2, 3]);
    runs[2]?.end();
  });
});
