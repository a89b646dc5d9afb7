import { z } from 'zod';

import type { SecretPurpose } from '../secret-text.ts';

/** What the schema's own types can't say of a field: for the words of faults, the reference page, and later stages of the load. */
export interface FieldNote {
  /** One or two words for the reference page. */
  readonly type?: string;
  /** Completes "expected …". */
  readonly expected?: string;
  /** What an operator who wrote `found` most likely wants. */
  readonly hintFor?: (found: unknown) => string | undefined;
  /** A default that isn't a constant, for the reference page. */
  readonly defaultSays?: string;
  /** Words of a choice. */
  readonly words?: readonly string[];
  /** `{ env }` or `{ file }`; what else is found here is never printed. */
  readonly secret?: true;
  /** What the text of a secret must be. */
  readonly holds?: 'client-key' | SecretPurpose;
  /** Names a file that is read at start. */
  readonly reads?: 'certificates' | 'key';
  /** Why a key that someone may look for isn't there. */
  readonly missingKeys?: Readonly<Record<string, string>>;
}

const notes = z.registry<FieldNote>();

/** A copy of the schema with more said of it. */
export function noted<S extends z.ZodType>(schema: S, note: FieldNote): S {
  const own = schema.clone() as S;
  notes.add(own, { ...noteOf(schema), ...note } as never);
  return own;
}

export function noteOf(schema: z.core.$ZodType): FieldNote {
  return (notes.get(schema) as FieldNote | undefined) ?? {};
}
