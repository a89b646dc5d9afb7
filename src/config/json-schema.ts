import { z } from 'zod';

import { branchesOf, fieldOf } from './structure.ts';

/** JSON Schema (2020-12) of what a file may hold; what isn't built in this version is left out of it. */
export function jsonSchemaOf(schema: z.core.$ZodType): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(schema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const field = fieldOf(zodSchema);
      const { def } = field;
      if (def.type === 'object' && jsonSchema.properties !== undefined) dropKeys(jsonSchema, def.shape);
      if (def.type === 'union' && jsonSchema.anyOf !== undefined) {
        const branches = branchesOf(field);
        jsonSchema.anyOf = jsonSchema.anyOf.filter((_option, index) => branches[index]?.note.later !== true);
      }
      if (jsonSchema.enum !== undefined)
        jsonSchema.enum = jsonSchema.enum.filter(
          (word) => !(field.note.laterWords ?? []).includes(String(word)),
        );
    },
  }) as Readonly<Record<string, unknown>>;
}

function dropKeys(
  jsonSchema: z.core.JSONSchema.BaseSchema,
  shape: Readonly<Record<string, z.core.$ZodType>>,
): void {
  for (const [key, schema] of Object.entries(shape)) {
    if (fieldOf(schema).note.later === true) delete jsonSchema.properties?.[key];
  }
}
