import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { z } from 'zod';

import { configurationJsonSchema, configurationSchema } from './schema.ts';
import { branchesOf, fieldOf, keysOf } from './structure.ts';

interface Key {
  readonly path: string;
  readonly field: ReturnType<typeof fieldOf>;
}

function keysBelow(schema: z.core.$ZodType, prefix: string): readonly Key[] {
  return branchesOf(fieldOf(schema)).flatMap((branch) => {
    if (branch.def.type === 'array') return keysBelow(branch.def.element, `${prefix}[]`);
    return [...keysOf(branch)].flatMap(([key, child]) => {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      return [{ path, field: fieldOf(child) }, ...keysBelow(child, path)];
    });
  });
}

const keys = keysBelow(configurationSchema, '');

describe('the schema', () => {
  it('says of every key what it means, what is expected there, and of which type it is', () => {
    expect(keys.length).toBeGreaterThan(100);
    const silent = keys.filter(
      ({ field }) =>
        field.description === undefined || field.note.expected === undefined || field.note.type === undefined,
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });
});

describe('the JSON Schema', () => {
  const schema = configurationJsonSchema();
  const text = JSON.stringify(schema);

  it('describes what is written, not what comes of it', () => {
    const { properties } = schema as { properties: { stop: { properties: { drain: unknown } } } };
    expect(properties.stop.properties.drain).toMatchObject({
      type: 'string',
      default: '15s',
      description: expect.any(String),
    });
  });

  it('takes no key that it does not name', () => {
    const mappings = text.match(/"properties":\{/g) ?? [];
    const closed = text.match(/"additionalProperties":false/g) ?? [];
    expect(closed.length).toBeGreaterThanOrEqual(mappings.length);
  });

  it('leaves out what this version would refuse', () => {
    for (const word of ['redirectUrl']) {
      expect(text).not.toContain(word);
    }
  });

  it('has patterns without look-around, which the validator of Helm cannot read', () => {
    expect(text).not.toMatch(/\(\?[=!<]/);
  });

  it('names the keys of the example', () => {
    const example = parse(
      readFileSync(new URL('../../config.example.yaml', import.meta.url), 'utf8'),
    ) as object;
    const { properties } = schema as { properties: object };
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(example)));
  });
});
