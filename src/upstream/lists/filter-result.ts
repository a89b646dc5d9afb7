import type { ListName } from '../../vocabulary/answer-filter.ts';
import type { Shows } from './filter-lists.ts';
import type { JsonText, Span } from './json-text.ts';
import { fold, isListName, itemNames } from './list-names.ts';

/** What stands in the text instead. */
export interface Edit extends Span {
  readonly by: readonly Buffer[];
}

export interface FilteredResult {
  readonly end: number;
  readonly hasList: boolean;
  /** In the order of the text. */
  readonly edits: readonly Edit[];
  /** Why it can't be filtered. */
  readonly says: string | undefined;
}

const ownCacheOnly = Buffer.from('"private"');

/**
 * What a result may show, as changes of its text: lists without what isn't shown, for one caller alone. It doesn't look at results
 * without a list.
 */
export function filterResult(text: JsonText, start: number, shows: Shows): FilteredResult {
  const edits: Edit[] = [];
  const cacheScopes: Edit[] = [];
  const lists: string[] = [];
  let says: string | undefined;
  const end = text.walkObject(start, (nameAt, from) => {
    const name = String(text.read(nameAt));
    if (isListName(name)) {
      if (!isKnown(name)) says = 'a member that looks like a list';
      else if (lists.includes(name)) says = 'two lists of one name';
      else if (!text.isArray(from)) says = `${name} that are no list`;
      else {
        lists.push(name);
        return filterList({ text, start: from, list: name }, shows, edits);
      }
    }
    const value = { start: from, end: text.endOfValue(from) };
    // MCP 2026-07-28, Caching: `public` lets anyone between have it, and this list is for one caller.
    if (fold(name) === 'cachescope') cacheScopes.push({ ...value, by: [ownCacheOnly] });
    return value.end;
  });
  const hasList = lists.length > 0;
  const all =
    cacheScopes.length === 0
      ? edits
      : [...edits, ...cacheScopes].toSorted((one, other) => one.start - other.start);
  return { end, hasList, edits: hasList ? all : [], says };
}

function isKnown(name: string): name is ListName {
  return Object.hasOwn(itemNames, name);
}

interface ListPlace {
  readonly text: JsonText;
  readonly start: number;
  readonly list: ListName;
}

const [open, separator, close] = ['[', ',', ']'].map((sign) => Buffer.from(sign)) as [Buffer, Buffer, Buffer];

/** Answers where the list ends. An item that doesn't say its name plainly is left out like one that isn't shown. */
function filterList({ text, start, list }: ListPlace, shows: Shows, edits: Edit[]): number {
  const shown: Buffer[] = [];
  let items = 0;
  const end = text.walkArray(start, (from) => {
    items += 1;
    if (!text.isObject(from)) return text.endOfValue(from);
    const item = nameOf(text, from, itemNames[list]);
    if (item.name !== undefined && shows(list, item.name))
      shown.push(separator, text.bytes.subarray(from, item.end));
    return item.end;
  });
  if (shown.length < 2 * items) edits.push({ start, end, by: [open, ...shown.slice(1), close] });
  return end;
}

/** The name of an item, undefined where readers could find another one or none, and where the item ends. */
function nameOf(
  text: JsonText,
  start: number,
  key: string,
): { readonly name: string | undefined; readonly end: number } {
  let found = 0;
  let name: unknown;
  const end = text.walkObject(start, (nameAt, from) => {
    const value = text.endOfValue(from);
    if (!mayBe(key, text.bytes[nameAt.start + 1] ?? 0)) return value;
    const member = text.read(nameAt);
    if (member === key || fold(String(member)) === fold(key)) {
      found += 1;
      name = member === key ? text.read({ start: from, end: value }) : undefined;
    }
    return value;
  });
  const isPlain = found === 1 && typeof name === 'string' && name !== '' && name.isWellFormed();
  return { name: isPlain ? (name as string) : undefined, end };
}

const backslash = 0x5c;

/** By its first byte alone: in either case, written as an escape, or outside ASCII. */
function mayBe(key: string, byte: number): boolean {
  return (byte | 0x20) === key.charCodeAt(0) || byte === backslash || byte >= 0x80;
}
