import type { Milliseconds } from '../configuration.ts';
import type { TextReading } from './text.ts';
import { parsedText } from './text.ts';

const millisecondsOf = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof millisecondsOf;

/** Node's timers hold 31 bits of milliseconds, 24.8 days, and fire at once beyond. */
const longestMs = 24 * millisecondsOf.d;

const form = /^[0-9]{1,10}(ms|s|m|h|d)$/;
const expected = 'a duration such as 30s, 5m or 1h';

export interface DurationBounds {
  readonly atLeast?: string;
  readonly atMost?: string;
  /** Where what counts the time counts in seconds. */
  readonly wholeSeconds?: true;
}

/** Milliseconds of `250ms`, `30s`, `5m`, `1h`, `2d`; undefined for any other text. */
export function readDuration(text: string): Milliseconds | undefined {
  if (!form.test(text)) return undefined;
  const unit = text.replace(/^[0-9]+/, '') as Unit;
  return Number.parseInt(text, 10) * millisecondsOf[unit];
}

/** A field that holds a duration; its value is in milliseconds. */
export function duration({ atLeast, atMost, wholeSeconds }: DurationBounds = {}): ReturnType<
  typeof parsedText<Milliseconds>
> {
  const [least, most] = [readDuration(atLeast ?? '0s') ?? 0, readDuration(atMost ?? '24d') ?? longestMs];
  const read = (text: string): TextReading<Milliseconds> => {
    const value = readDuration(text);
    if (value === undefined) return { ok: false };
    if (value < least || value > most)
      return { ok: false, expected: `a duration from ${atLeast ?? '0s'} to ${atMost ?? '24d'}` };
    if (wholeSeconds === true && value % 1000 !== 0)
      return { ok: false, expected: 'a duration of whole seconds' };
    return { ok: true, value };
  };
  return parsedText({ type: 'duration', expected, pattern: form, read, hintFor });
}

const looseUnits: readonly (readonly [RegExp, Unit])[] = [
  [/^(?:ms|msecs?|millis|milliseconds?)$/, 'ms'],
  [/^(?:|s|secs?|seconds?)$/, 's'],
  [/^(?:m|mins?|minutes?)$/, 'm'],
  [/^(?:h|hrs?|hours?)$/, 'h'],
  [/^(?:d|days?)$/, 'd'],
];

function hintFor(found: unknown): string | undefined {
  const [, digits, word] = /^\s*([0-9]{1,9})\s*([a-z]*)\s*$/i.exec(String(found)) ?? [];
  const unit = looseUnits.find(([pattern]) => word !== undefined && pattern.test(word.toLowerCase()))?.[1];
  return digits === undefined || unit === undefined || readDuration(String(found)) !== undefined
    ? undefined
    : `did you mean ${digits}${unit}?`;
}
