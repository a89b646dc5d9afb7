/**
 * Writes docs/reference/configuration.md from the configuration's schema. With `--check` it writes nothing and exits
 * with 1 when the file is out of date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { configurationSchema } from '../src/config/schema.ts';
import type { Field } from '../src/config/structure.ts';
import { branchesOf, fieldOf, keysOf } from '../src/config/structure.ts';

interface Section {
  readonly title: string;
  readonly description: string | undefined;
  readonly mapping: Field;
}

const introduction = `# Configuration

The gateway reads one YAML file: \`portcullis --config FILE\`, or \`PORTCULLIS_CONFIG=FILE\`. \`portcullis check FILE\` says what
is wrong with one, \`portcullis schema\` prints its JSON Schema for editors.

- The file is YAML 1.2 without anchors, aliases and tags. A key that isn't listed here is a fault.
- Durations are a whole number and a unit: \`250ms\`, \`30s\`, \`5m\`, \`1h\`, \`1d\`. Sizes: \`512B\`, \`64KiB\`, \`4MiB\`, \`1GiB\`.
- Secrets are named, never written: \`{ env: NAME }\` or \`{ file: PATH }\`.
- Paths of files are relative to the folder of the configuration file.

Generated from the schema by \`tools/generate-configuration-reference.ts\`.
`;

/** The reference of every key, as Markdown. */
export function referencePage(): string {
  const root: Section = { title: 'Top level', description: undefined, mapping: fieldOf(configurationSchema) };
  return [introduction, ...sectionsOf(root, '').map(formatSection)].join('\n');
}

/** A mapping, then the mappings in it, from the top down. */
function sectionsOf(section: Section, prefix: string): readonly Section[] {
  const inner = [...keysOf(section.mapping)].flatMap(([key, schema]) => {
    const field = fieldOf(schema);
    if (field.note.secret === true) return [];
    return mappingsIn(field, `${prefix}${key}`).flatMap(({ title, mapping }) =>
      sectionsOf({ title: `\`${title}\``, description: field.description, mapping }, `${title}.`),
    );
  });
  return [section, ...inner];
}

function mappingsIn(
  field: Field,
  title: string,
): readonly { readonly title: string; readonly mapping: Field }[] {
  return branchesOf(field).flatMap((branch) => {
    if (branch.def.type === 'array') return mappingsIn(fieldOf(branch.def.element), `${title}[]`);
    return keysOf(branch).size > 0 ? [{ title, mapping: branch }] : [];
  });
}

function formatSection({ title, description, mapping }: Section): string {
  const rows = [...keysOf(mapping)].map(([key, schema]) => formatRow(key, fieldOf(schema)));
  const intro = description === undefined ? '' : `${description}\n\n`;
  return `## ${title}\n\n${intro}| Key | Type | Default | Meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function formatRow(key: string, field: Field): string {
  const { note, description = '' } = field;
  return `| \`${key}\` | ${note.type ?? ''} | ${defaultOf(field)} | ${description} |`.replaceAll('  |', ' |');
}

function defaultOf({ note, fallback, isOptional }: Field): string {
  if (note.defaultSays !== undefined) return note.defaultSays;
  if (!isOptional) return '**required**';
  if (fallback === undefined || JSON.stringify(fallback) === '{}') return '';
  if (Array.isArray(fallback)) return fallback.length === 0 ? 'none' : `\`[${fallback.join(', ')}]\``;
  return `\`${typeof fallback === 'string' ? fallback : JSON.stringify(fallback)}\``;
}

const target = new URL('../docs/reference/configuration.md', import.meta.url);

if (import.meta.main) {
  const page = referencePage();
  if (!process.argv.includes('--check')) {
    writeFileSync(target, page);
  } else if (!existsSync(target) || readFileSync(target, 'utf8') !== page) {
    process.stderr.write('docs/reference/configuration.md is out of date: npm run generate\n');
    process.exitCode = 1;
  }
}
