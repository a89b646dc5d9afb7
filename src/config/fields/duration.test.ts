import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { duration, readDuration } from './duration.ts';

describe('a duration', () => {
  it.each([
    ['0s', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['24d', 2_073_600_000],
  ])('is read from %s', (text, milliseconds) => {
    expect(duration().parse(text)).toBe(milliseconds);
  });

  it.each(['', '30', 's', '-5s', '1.5h', '5 s', '5S', '1h30m', '5secs', ' 5s', '5s ', '٥s', '1e3s'])(
    'is not %j',
    (text) => {
      expect(readDuration(text)).toBeUndefined();
      expect(duration().safeParse(text).success).toBe(false);
    },
  );

  it('never exceeds what a timer can hold', () => {
    expect(duration().safeParse('25d').success).toBe(false);
    expect(duration().safeParse('9999999999d').success).toBe(false);
  });

  it('keeps to the bounds of its key', () => {
    const bounded = duration({ atLeast: '1s', atMost: '1m' });
    expect(['999ms', '1s', '60s', '61s'].map((text) => bounded.safeParse(text).success)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('is the number times the unit, whatever the number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (count) => {
        expect(readDuration(`${count}ms`)).toBe(count);
        expect(readDuration(`${count}s`)).toBe(count * 1000);
        expect(readDuration(`${count}m`)).toBe(readDuration(`${count * 60}s`));
        expect(readDuration(`${count}h`)).toBe(readDuration(`${count * 60}m`));
      }),
    );
  });

  it('never comes from another text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const value = readDuration(text);
        expect(value === undefined || /^\d+(?:ms|s|m|h|d)$/.test(text)).toBe(true);
      }),
    );
  });
});
