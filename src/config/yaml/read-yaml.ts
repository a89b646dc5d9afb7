import type { Document } from 'yaml';
import { LineCounter, parseAllDocuments, visit } from 'yaml';

import type { ConfigFault } from '../faults.ts';
import type { Path } from '../path.ts';
import type { Positions } from './positions.ts';
import { describeSyntaxError } from './syntax-errors.ts';
import { readNode } from './read-node.ts';

/** A file that could be read, perhaps with faults of form. */
export interface YamlReading {
  readonly value: unknown;
  readonly positions: Positions;
  readonly faults: readonly ConfigFault[];
  /** Values that couldn't be taken over; what is said of them would only follow from a fault that is told already. */
  readonly unread: readonly Path[];
}

/**
 * Reads YAML 1.2 of one document without anchors, aliases, tags and duplicate keys. `value` is undefined where the
 * text can't be read at all. Never throws.
 */
export function readYaml(text: string): YamlReading {
  const lines = new LineCounter();
  const documents = parse(text, lines);
  if (documents === undefined)
    return unreadable([fileFault('lists or mappings nested too deeply to be read', 'a configuration')]);
  const [document, second] = documents;
  if (document === undefined) return unreadable([emptyFile]);
  const faults = [...syntaxFaults(documents, lines), ...formFaults(document, text, lines)];
  if (second !== undefined) faults.push({ ...at(lines, second.range[0]), path: '', ...severalDocuments });
  const isBroken = documents.some(({ errors }) => errors.some(({ code }) => code !== 'TAG_RESOLVE_FAILED'));
  if (isBroken) return unreadable(faults);
  const reading = readNode(document.contents, (offset) => at(lines, offset));
  return { ...reading, faults: [...faults, ...reading.faults] };
}

const emptyFile: ConfigFault = fileFault(
  'an empty file',
  'a configuration with publicUrl, authorizationServers and routes',
);

const severalDocuments = {
  found: 'a second YAML document',
  expected: 'one document in the file',
  hint: 'remove the line --- and what belongs to another file',
};

function fileFault(found: string, expected: string): ConfigFault {
  return { path: '', line: 1, column: 1, found, expected };
}

function unreadable(faults: readonly ConfigFault[]): YamlReading {
  const start = (): { line: number; column: number } => ({ line: 1, column: 1 });
  return { value: undefined, positions: { ofKey: start, ofValue: start }, faults, unread: [[]] };
}

function parse(text: string, lineCounter: LineCounter): readonly Document.Parsed[] | undefined {
  try {
    const options = {
      lineCounter,
      prettyErrors: false,
      uniqueKeys: false,
      version: '1.2',
      merge: false,
      logLevel: 'silent',
    } as const;
    return [...parseAllDocuments(text, options)];
  } catch {
    // The parser is recursive: thousands of brackets end it with a RangeError.
    return undefined;
  }
}

function at(lines: LineCounter, offset: number): { readonly line: number; readonly column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** The first of each line: what the parser says next on it only follows from it. */
function syntaxFaults(documents: readonly Document.Parsed[], lines: LineCounter): ConfigFault[] {
  const byLine = new Map<number, ConfigFault>();
  for (const document of documents) {
    for (const { code, pos } of document.errors) {
      if (code === 'TAG_RESOLVE_FAILED') continue;
      const position = at(lines, code === 'MISSING_CHAR' ? startOfUnclosed(document, pos[0]) : pos[0]);
      if (!byLine.has(position.line))
        byLine.set(position.line, { path: '', ...position, ...describeSyntaxError(code) });
    }
  }
  return [...byLine.values()];
}

/** A missing quote shows at the end of the text; it is missing where the text begins. */
function startOfUnclosed(document: Document.Parsed, end: number): number {
  let start = end;
  visit(document, {
    Scalar: (_key, { type, range }) => {
      const isQuoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE';
      if (isQuoted && range !== null && range !== undefined && range[1] >= end)
        start = Math.min(start, range[0]);
    },
  });
  return start;
}

const noAnchors = {
  expected: 'every value written out',
  hint: 'anchors, aliases and merge keys are no part of the configuration: repeat the value',
};

const noTags = {
  expected: 'a value without a tag',
  hint: 'tags are no part of the configuration: write the plain value',
};

/** What YAML allows and this format doesn't. No name is told: it may be a secret that begins with & or * and has no quotes. */
function formFaults(document: Document.Parsed, text: string, lines: LineCounter): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const add = (offset: number, words: Pick<ConfigFault, 'found' | 'expected' | 'hint'>): void => {
    faults.push({ path: '', ...at(lines, Math.max(0, offset)), ...words });
  };
  const { explicit, version } = document.directives.yaml;
  if (explicit === true && version !== '1.2')
    add(0, { found: `a directive for YAML ${version}`, expected: 'YAML 1.2', hint: 'remove the directive' });
  visit(document, {
    Alias: (_key, { range }) => add(range?.[0] ?? 0, { found: 'an alias', ...noAnchors }),
    Value: (_key, { anchor, tag, range }) => {
      // Both stand before the value, perhaps on a line of their own.
      const start = range?.[0] ?? 0;
      if (anchor !== undefined)
        add(text.lastIndexOf(`&${anchor}`, start), { found: 'an anchor', ...noAnchors });
      if (tag !== undefined) add(text.lastIndexOf('!', start), { found: 'a tag', ...noTags });
    },
  });
  return faults;
}
