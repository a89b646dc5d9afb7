import { z } from 'zod';

import type { FieldNote } from './notes.ts';
import { noted } from './notes.ts';

/** A mapping with exactly these keys. */
export function mapping<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  note: FieldNote = {},
): z.ZodObject<Shape, z.core.$strict> {
  const keys = Object.keys(shape);
  const some = keys.length > 3 ? `${keys.slice(0, 3).join(', ')} and others` : keys.join(' and ');
  return noted(z.strictObject(shape), { type: 'mapping', expected: `a mapping with ${some}`, ...note });
}
