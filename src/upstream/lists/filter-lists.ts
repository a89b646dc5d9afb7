import { isUtf8 } from 'node:buffer';

import type { ListName } from '../../vocabulary/answer-filter.ts';
import { filterResult } from './filter-result.ts';
import type { Edit, FilteredResult } from './filter-result.ts';
import { JsonText } from './json-text.ts';
import { fold } from './list-names.ts';

/** Each is judged by the rules, and a condition takes some 30 µs: a list of more would hold every other request up for seconds. */
export const maximumItems = 10_000;

/** Whether an item of a list, by its name, is for the one who asked. */
export type Shows = (list: ListName, name: string) => boolean;

export type FilteredLists =
  | { readonly ok: true; readonly bytes: Buffer }
  /** `id` as JSON text, where one could be read. */
  | { readonly ok: false; readonly says: string; readonly id: string | null };

/**
 * A JSON-RPC message, or a batch, with what its lists may show; all other bytes stay as they are. Where readers could find another
 * list in it than this one does, it isn't filtered: what is no JSON, members that stand there twice or differ from those of MCP by their
 * case, a list in a message that is no plain answer.
 */
export function filterLists(bytes: Buffer, shows: Shows): FilteredLists {
  const text = new JsonText(bytes);
  const messages: FilteredMessage[] = [];
  let asked = 0;
  const showsFew: Shows = (list, name) => {
    asked += 1;
    return asked <= maximumItems && shows(list, name);
  };
  const take = (at: number): number => {
    if (!text.isObject(at)) return text.endOfValue(at);
    const message = filterMessage(text, at, showsFew);
    messages.push(message);
    return message.end;
  };
  text.walk((at) => (text.isArray(at) ? text.walkArray(at, take) : take(at)));
  if (text.isBroken || !isUtf8(bytes)) return { ok: false, says: 'it is no JSON', id: null };
  const [only, ...others] = messages;
  const says = messages.find((each) => each.says !== undefined)?.says;
  const fault = says ?? (asked > maximumItems ? `it has more than ${maximumItems} items` : undefined);
  if (fault !== undefined)
    return { ok: false, says: fault, id: others.length === 0 ? (only?.id ?? null) : null };
  return {
    ok: true,
    bytes: edited(
      bytes,
      messages.flatMap(({ edits }) => edits),
    ),
  };
}

interface FilteredMessage {
  readonly end: number;
  /** JSON text. */
  readonly id: string | null;
  readonly edits: readonly Edit[];
  /** Why it can't be filtered. */
  readonly says: string | undefined;
}

const noEdits: readonly Edit[] = [];

function filterMessage(text: JsonText, start: number, shows: Shows): FilteredMessage {
  const names: string[] = [];
  let result: FilteredResult | undefined;
  let id: string | null = null;
  let version: unknown;
  const end = text.walkObject(start, (nameAt, from) => {
    const name = String(text.read(nameAt));
    names.push(name);
    if (name === 'result' && text.isObject(from)) {
      result = filterResult(text, from, shows);
      return result.end;
    }
    const value = { start: from, end: text.endOfValue(from) };
    if (name === 'id') id = idOf(text.read(value));
    if (name === 'jsonrpc') version = text.read(value);
    return value.end;
  });
  const found = result as FilteredResult | undefined;
  return {
    end,
    id,
    edits: found?.edits ?? noEdits,
    says:
      ambiguityOf(names) ??
      found?.says ??
      (found?.hasList === true ? noAnswer(names, id, version) : undefined),
  };
}

const read = ['jsonrpc', 'id', 'method', 'result', 'error'];

/** Some parsers take the first of two, some the last, and some don't look at the case. */
function ambiguityOf(names: readonly string[]): string | undefined {
  const folded = names.map(fold);
  const isTwice = read.some((name) => folded.indexOf(name) !== folded.lastIndexOf(name));
  if (isTwice) return 'a member of the message stands there twice';
  return names.some((name) => fold(name) === 'result' && name !== 'result')
    ? 'a member that looks like result'
    : undefined;
}

function noAnswer(names: readonly string[], id: string | null, version: unknown): string | undefined {
  const isAnswer = version === '2.0' && id !== null && !names.includes('method') && !names.includes('error');
  return isAnswer ? undefined : 'a list in a message that is no answer';
}

function idOf(id: unknown): string | null {
  if (typeof id === 'string') return id.isWellFormed() ? JSON.stringify(id) : null;
  return Number.isSafeInteger(id) ? String(id) : null;
}

function edited(bytes: Buffer, edits: readonly Edit[]): Buffer {
  if (edits.length === 0) return bytes;
  const pieces: Buffer[] = [];
  let from = 0;
  for (const { start, end, by } of edits) {
    pieces.push(bytes.subarray(from, start), ...by);
    from = end;
  }
  return Buffer.concat([...pieces, bytes.subarray(from)]);
}
