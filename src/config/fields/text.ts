import { z } from 'zod';

import type { FieldNote } from './notes.ts';
import { noted } from './notes.ts';

/** What a parser of a text answers. */
export type TextReading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly expected?: string; readonly hint?: string | undefined };

export interface TextForm<T> extends FieldNote {
  readonly expected: string;
  /** For the JSON Schema; without look-around, because Helm's validator has none. */
  readonly pattern: RegExp;
  readonly read: (text: string) => TextReading<T>;
}

/** A text that `read` turns into its value, or into the fault that the operator sees. */
export function parsedText<T>({
  read,
  pattern,
  ...note
}: TextForm<T>): z.ZodPipe<z.ZodString, z.ZodTransform<Awaited<T>, string>> {
  const schema = z
    .string()
    .meta({ pattern: pattern.source })
    .transform((written, context) => {
      const reading = read(written);
      if (reading.ok) return reading.value;
      context.addIssue({ code: 'custom', params: { expected: reading.expected, hint: reading.hint } });
      return z.NEVER;
    });
  return noted(schema, note) as never;
}

/** A text of a pattern, taken as it is. */
export function text(
  expected: string,
  pattern: RegExp,
  note: FieldNote = {},
): z.ZodPipe<z.ZodString, z.ZodTransform<string, string>> {
  const read = (value: string): TextReading<string> =>
    pattern.test(value) ? { ok: true, value } : { ok: false };
  return parsedText({ type: 'text', ...note, expected, pattern, read });
}

/** Any text without control characters that isn't blank. */
export const plainText = text('a text', /^[^\p{Cc}]*[^\p{Cc}\s][^\p{Cc}]*$/u);

/** Names go into logs, metric labels and the `realm` of a challenge (RFC 9110 §5.6.4): no quote, no backslash. */
export const nameText = text(
  'a name of at most 100 visible ASCII characters without quotes and backslashes',
  /^[\x21\x23-\x5b\x5d-\x7e]([\x20\x21\x23-\x5b\x5d-\x7e]{0,98}[\x21\x23-\x5b\x5d-\x7e])?$/,
  { type: 'name' },
);
