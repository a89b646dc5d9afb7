import { z } from 'zod';

import { noted } from './notes.ts';

/** A list; equal items are kept once, in the order they were first seen. */
export function list<S extends z.ZodType>(
  item: S,
  {
    expected,
    type,
    atLeast = 0,
  }: { readonly expected: string; readonly type: string; readonly atLeast?: number },
): z.ZodPipe<z.ZodArray<S>, z.ZodTransform<readonly z.output<S>[], z.output<S>[]>> {
  const schema = z
    .array(item)
    .min(atLeast)
    .transform((items): readonly z.output<S>[] => [...new Set(items)]);
  return noted(schema, { expected, type });
}
