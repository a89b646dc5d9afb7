import type { Pair } from 'yaml';
import { isAlias, isMap, isScalar, isSeq } from 'yaml';

import type { ConfigFault } from '../faults.ts';
import type { Path } from '../path.ts';
import { formatPath } from '../path.ts';
import type { Position } from './positions.ts';
import { PositionIndex } from './positions.ts';
import type { YamlReading } from './read-yaml.ts';

/** The configuration is eight levels deep; what lies far below isn't one. */
const deepest = 40;

interface Reader {
  readonly at: (offset: number) => Position;
  readonly positions: PositionIndex;
  readonly faults: ConfigFault[];
  readonly unread: Path[];
}

/** The plain value of a YAML node, with the place of each part. The first of two equal keys counts. */
export function readNode(node: unknown, at: (offset: number) => Position): YamlReading {
  const reader: Reader = { at, positions: new PositionIndex(), faults: [], unread: [] };
  const value = read(node, reader, { path: [], key: undefined });
  return { value, positions: reader.positions, faults: reader.faults, unread: reader.unread };
}

interface Place {
  readonly path: Path;
  /** Where the key stands; undefined for items of a list. */
  readonly key: Position | undefined;
}

function read(node: unknown, reader: Reader, { path, key }: Place): unknown {
  const start = offsetOf(node);
  const value = start === undefined ? (key ?? { line: 1, column: 1 }) : reader.at(start);
  reader.positions.add(path, { key: key ?? value, value, isScalar: isScalar(node) && node.value !== null });
  if (isScalar(node)) return readScalar(node.value);
  if (isAlias(node) || path.length > deepest) {
    reader.unread.push(path);
    if (!isAlias(node))
      reader.faults.push({
        path: formatPath(path.slice(0, 8)),
        ...value,
        found: 'a value nested too deeply',
        expected: 'a configuration',
      });
    return undefined;
  }
  if (isSeq(node))
    return node.items.map((item, index) => read(item, reader, { path: [...path, index], key: undefined }));
  if (isMap(node)) return readMapping(node.items, reader, { path, key: value });
  return null;
}

/** The core schema gives nothing but these; a big integer is no value of any key. */
function readScalar(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

function readMapping(
  pairs: readonly Pair[],
  reader: Reader,
  { path, key: start }: Place,
): Record<string, unknown> {
  const mapping: Record<string, unknown> = {};
  const firstLines = new Map<string, number>();
  for (const pair of pairs) {
    const position = reader.at(offsetOf(pair.key) ?? offsetOf(pair.value) ?? 0);
    const key = keyOf(pair.key);
    if (key === undefined) {
      const hint = 'a key that is a number, a list or empty must be put in quotes if it is meant';
      reader.faults.push({
        path: formatPath(path),
        ...(start ?? position),
        ...position,
        found: 'a key that is no text',
        expected: 'a key',
        hint,
      });
      continue;
    }
    const firstLine = firstLines.get(key);
    if (firstLine !== undefined) {
      const hint = 'the first one counts until one of them is removed';
      const found = `a second key ${JSON.stringify(key)}`;
      reader.faults.push({
        path: formatPath([...path, key]),
        ...position,
        found,
        expected: `it once: it stands in line ${firstLine} already`,
        hint,
      });
      continue;
    }
    firstLines.set(key, position.line);
    const value = read(pair.value, reader, { path: [...path, key], key: position });
    // `__proto__` is a key like any other here.
    Object.defineProperty(mapping, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return mapping;
}

function keyOf(node: unknown): string | undefined {
  return isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
}

function offsetOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined;
  const { range } = node;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : undefined;
}
