import { z } from 'zod';

import { closest } from '../closest.ts';
import { noted } from './notes.ts';

/** One of some words. */
export function choice<Word extends string>(
  words: readonly [Word, ...Word[]],
): z.ZodPipe<z.ZodEnum<Record<string, string>>, z.ZodTransform<Word, string>> {
  const schema = z.enum([...words]).transform((word) => word as Word);
  return noted(schema, {
    type: words.map((word) => `\`${word}\``).join(', '),
    expected: words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${words.at(-1)}` : words[0],
    words,
    hintFor: (found) => hintForWord(found, words),
  }) as never;
}

function hintForWord(found: unknown, words: readonly string[]): string | undefined {
  if (typeof found === 'boolean') {
    const word = found ? 'on' : 'off';
    if (words.includes(word))
      return `'${word}' may need quotes: some tools, Helm among them, read a bare ${word} as ${found}`;
  }
  const near = typeof found === 'string' ? closest(found, words) : undefined;
  return near === undefined ? undefined : `did you mean ${near}?`;
}

export const flag = noted(z.boolean(), {
  type: 'true, false',
  expected: 'true or false',
  hintFor: (found) =>
    typeof found === 'string' && /^(?:true|false|yes|no|on|off)$/i.test(found)
      ? `write ${/^(?:true|yes|on)$/i.test(found)}, without quotes`
      : undefined,
});

/** A whole number from `atLeast` to `atMost`. */
export function wholeNumber(expected: string, atLeast: number, atMost: number): z.ZodInt {
  return noted(z.int().min(atLeast).max(atMost), {
    type: 'number',
    expected,
    hintFor: (found) =>
      typeof found === 'string' && /^\d+$/.test(found) ? 'write it without quotes' : undefined,
  });
}

export const port = wholeNumber('a port from 0 to 65535', 0, 65_535);
