import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { readSize, size } from './size.ts';

describe('a size', () => {
  it.each([
    ['1B', 1],
    ['512KiB', 524_288],
    ['4MiB', 4_194_304],
    ['1GiB', 1_073_741_824],
  ])('is read from %s', (text, bytes) => {
    expect(size('1GiB').parse(text)).toBe(bytes);
  });

  it.each(['', '4', '4MB', '4M', '4 MiB', '4mib', '-1B', '1.5MiB', '0B', '2GiB'])('is not %j', (text) => {
    expect(size('1GiB').safeParse(text).success).toBe(false);
  });

  it('is the number times the unit, whatever the number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (count) => {
        expect(readSize(`${count}B`)).toBe(count);
        expect(readSize(`${count}KiB`)).toBe(readSize(`${count * 1024}B`));
        expect(readSize(`${count}MiB`)).toBe(readSize(`${count * 1024}KiB`));
      }),
    );
  });
});
