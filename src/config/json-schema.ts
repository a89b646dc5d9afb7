import { z } from 'zod';

/** JSON Schema (2020-12) of what a file may hold. */
export function jsonSchemaOf(schema: z.core.$ZodType): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(schema, { io: 'input' }) as Readonly<Record<string, unknown>>;
}
