import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { EventBoundary } from './event-boundary.ts';

const betweenAfter = (...chunks: string[]): boolean => {
  const boundary = new EventBoundary();
  for (const chunk of chunks) boundary.pass(Buffer.from(chunk));
  return boundary.between;
};

describe('event boundary (U6)', () => {
  it.each([
    [[], true],
    [['data: 1\n\n'], true],
    [['data: 1\r\n\r\n'], true],
    [['data: 1\n'], false],
    [['data: 1\r\n'], false],
    [['data: 1'], false],
    [['data: 1\n', '\n'], true],
    [['data: 1\r\n\r', '\n'], true],
    // The line feed of the same line end may still come.
    [['data: 1\r\n\r'], false],
    [['data: 1\r\r'], false],
    [['data: 1\r\rdata'], false],
    [['data: 1\n\ndata: 2'], false],
    [['\n'], true],
  ])('after %j a comment may come: %s', (chunks, expected) => {
    expect(betweenAfter(...chunks)).toBe(expected);
  });

  it('does not depend on how the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', '\n', '\r', '\r\n', 'data: x\n\n'), { maxLength: 20 }),
        fc.array(fc.nat(9), { minLength: 1 }),
        (parts, cuts) => {
          const text = parts.join('');
          const pieces: string[] = [];
          for (let at = 0, index = 0; at < text.length; index += 1) {
            const length = (cuts[index % cuts.length] ?? 0) + 1;
            pieces.push(text.slice(at, at + length));
            at += length;
          }
          expect(betweenAfter(...pieces)).toBe(betweenAfter(text));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
