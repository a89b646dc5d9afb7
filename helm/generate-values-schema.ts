/**
 * Writes values.schema.json: the chart's own schema with the gateway's schema as that of `config`, so that a
 * mistake in the configuration stops `helm install` and not the pod. With `--check` it writes nothing and exits
 * with 1 when the file is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { configurationJsonSchema } from '../src/config/schema.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

const target = new URL('values.schema.json', import.meta.url);

/** The chart's schema with `config` added; the definitions of both are put side by side under other names. */
export function mergeSchemas(chart: JsonSchema, configuration: JsonSchema): JsonSchema {
  const { $schema: _dialect, $id: _id, $defs: definitions = {}, ...config } = configuration;
  const renamed = Object.entries(definitions as JsonSchema).map(([name, schema]) => [
    `config.${name}`,
    schema,
  ]);
  return {
    ...chart,
    properties: { config: renameReferences(config), ...(chart['properties'] as JsonSchema) },
    $defs: {
      ...(chart['$defs'] as JsonSchema),
      ...(renameReferences(Object.fromEntries(renamed)) as JsonSchema),
    },
  };
}

function renameReferences(node: unknown): unknown {
  if (Array.isArray(node)) {
    return node.map(renameReferences);
  }
  if (typeof node !== 'object' || node === null) {
    return node;
  }
  const entries = Object.entries(node).map(([key, value]) =>
    key === '$ref' && typeof value === 'string'
      ? [key, value.replace('#/$defs/', '#/$defs/config.')]
      : [key, renameReferences(value)],
  );
  return Object.fromEntries(entries);
}

/** What values.schema.json has to hold. */
export function valuesSchemaText(): string {
  const chart = JSON.parse(readFileSync(new URL('chart.schema.json', import.meta.url), 'utf8')) as JsonSchema;
  return `${JSON.stringify(mergeSchemas(chart, configurationJsonSchema()), null, 2)}\n`;
}

if (import.meta.main) {
  const text = valuesSchemaText();
  if (!process.argv.includes('--check')) {
    writeFileSync(target, text);
  } else if (readFileSync(target, 'utf8') !== text) {
    process.stderr.write('helm/values.schema.json is out of date: npm run generate\n');
    process.exitCode = 1;
  }
}
