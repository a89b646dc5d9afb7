/**
 * Writes test/attack/INDEX.md: every case of the attack catalogue with the tests that name it. Fails where a case has
 * no test, or a test names a case that isn't there. With `--check` it writes nothing and exits with 1 when the page is
 * out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';

import { findGaps, findNamedTests, readCatalogue } from './attack-cases.ts';
import type { AttackCase, NamedTest } from './attack-cases.ts';

const target = new URL('../test/attack/INDEX.md', import.meta.url);

const groups: Readonly<Record<string, string>> = {
  A: 'Tokens, keys and what is remembered of them',
  B: 'HTTP',
  C: 'Messages, sessions and lists',
  D: 'Faults and load',
  E: 'Operation and supply chain',
};

/** The page as it has to be. */
export function attackIndex(): string {
  const cases = readCatalogue();
  const tests = findNamedTests();
  const sections = Object.entries(groups).map(([letter, name]) => {
    const inGroup = cases.filter(({ id }) => id.startsWith(letter));
    return `## ${letter} · ${name}\n\n${inGroup.map((each) => section(each, tests.get(each.id) ?? [])).join('\n')}`;
  });
  return `# Attacks and the tests that try them

<!-- generated: npm run generate -->

${cases.length} cases, from [catalogue.json](catalogue.json). A test belongs to a case when its title, its group's or the row of its table names
the id. After each attack the tests in this folder also look at [what must hold whatever the answer was](../support/invariants.ts): one decision per
request in the audit, which says what the upstream was given to run, or not a byte there; exactly the gateway's identity headers; no secret in any output; no connection to where no configuration
leads; no flood of key fetches; and in the end no stream and no connection left.
[.ci/run](../../.ci/run) prints what came of each case after the tests.

| Case | Severity | What is tried | Tests | Run by |
| --- | --- | --- | --- | --- |
${cases.map((each) => row(each, tests.get(each.id) ?? [])).join('\n')}

${sections.join('\n')}`;
}

function row({ id, severity, title, notHere }: AttackCase, tests: readonly NamedTest[]): string {
  const files = [...Map.groupBy(tests, ({ file }) => file)].map(
    ([file, inFile]) => `${link(file)}${inFile.length === 1 ? '' : ` ${inFile.length}`}`,
  );
  const part = notHere === undefined ? '' : ', in part';
  return `| [${id}](#${id.toLowerCase()}) | ${severity} | ${title} | ${files.join(', ')} | ${runsOf(tests).join(', ')}${part} |`;
}

function section({ id, title, expected, notHere }: AttackCase, tests: readonly NamedTest[]): string {
  const lines = [...Map.groupBy(tests, ({ file }) => file)].map(
    ([file, inFile]) => `- ${link(file)}\n${inFile.map((test) => `  - ${plain(test.title)}\n`).join('')}`,
  );
  const left = notHere === undefined ? '' : `\nNot shown here: ${notHere}\n`;
  return `### ${id}\n\n**${title}.** ${expected}\n${left}\n${lines.join('')}`;
}

function runsOf(tests: readonly NamedTest[]): readonly string[] {
  const commands = tests.map(({ file }) =>
    file.startsWith('test/long/') ? '`npm run test:long`' : '`npm test`',
  );
  return [...new Set(commands)];
}

/** From test/attack/, where the page is. */
function link(file: string): string {
  const path = file.startsWith('test/attack/')
    ? file.slice('test/attack/'.length)
    : file.replace(/^(test\/)?/, (found) => (found === '' ? '../../' : '../'));
  const name = file.startsWith('src/') ? file : file.slice('test/'.length);
  return `[${name}](${path})`;
}

/** As text, whatever it holds that Markdown would read. */
function plain(title: string): string {
  return title.replaceAll(/[\\`*_{}[\]<>|#~$]/g, '\\$&');
}

if (import.meta.main) {
  const gaps = findGaps(readCatalogue(), findNamedTests());
  if (gaps.length > 0) {
    process.stderr.write(`${gaps.join('\n')}\n`);
    process.exitCode = 1;
  }
  const wanted = attackIndex();
  if (!process.argv.includes('--check')) {
    writeFileSync(target, wanted);
  } else if (readFileSync(target, 'utf8') !== wanted) {
    process.stderr.write('test/attack/INDEX.md is out of date: npm run generate\n');
    process.exitCode = 1;
  }
}
