/**
 * Writes README.md of the chart: every value with its default and the comment above it in values.yaml. With `--check`
 * it writes nothing and exits with 1 when the file is out of date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';

const target = new URL('README.md', import.meta.url);

const introduction = `# The chart

Runs Portcullis on Kubernetes 1.25 or later. From nothing to a protected server: [the guide](../docs/guides/kubernetes.md).

\`\`\`sh
helm upgrade --install gate ./helm --namespace mcp --create-namespace --values values.yaml
\`\`\`

\`config\` is the gateway's own [configuration](../docs/reference/configuration.md). It becomes one ConfigMap, unchanged, and helm refuses a wrong one before anything is
installed. Secrets are never made here, only named. Examples, one for each feature: [ci/](ci/minimal-values.yaml), and what becomes of them: [golden/](golden/minimal.yaml).

## Values

| Value | Default | Meaning |
| --- | --- | --- |
`;

interface Entry {
  readonly path: readonly string[];
  readonly comment: string;
}

/** What README.md has to hold. */
export function readmeText(): string {
  const values = readFileSync(new URL('values.yaml', import.meta.url), 'utf8');
  const defaults: unknown = parse(values);
  const rows = entriesOf(values).map(({ path, comment }) => {
    const meaning = comment.replaceAll('|', '\\|');
    return `| \`${path.join('.')}\` | ${shown(at(defaults, path))} | ${meaning} |\n`;
  });
  return `${introduction}${rows.join('')}\nGenerated from values.yaml by \`npm run generate\`.\n`;
}

/** Every key that stands right below a comment of its own indentation. */
function entriesOf(yaml: string): readonly Entry[] {
  const entries: Entry[] = [];
  const path: string[] = [];
  let comment: string[] = [];
  for (const line of yaml.split('\n')) {
    const remark = /^ *# ?(?<text>.*)$/.exec(line)?.groups?.['text'];
    const found = /^(?<indent> *)(?<key>[A-Za-z]+):/.exec(line)?.groups;
    if (found !== undefined) {
      path.splice((found['indent'] ?? '').length / 2, Infinity, found['key'] ?? '');
      if (comment.length > 0) entries.push({ path: [...path], comment: comment.join(' ') });
    }
    comment = remark === undefined ? [] : [...comment, remark];
  }
  return entries;
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce((inner, key) => (inner as Readonly<Record<string, unknown>>)[key], value);
}

/** Mappings whose keys have rows of their own aren't shown again. */
function shown(value: unknown): string {
  if (value === null) return '';
  const isMapping = typeof value === 'object' && !Array.isArray(value);
  if (isMapping && Object.keys(value).length > 1) return '';
  return `\`${JSON.stringify(value)}\``;
}

if (import.meta.main) {
  const text = readmeText();
  if (!process.argv.includes('--check')) {
    writeFileSync(target, text);
  } else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
    process.stderr.write('helm/README.md is out of date: npm run generate\n');
    process.exitCode = 1;
  }
}
