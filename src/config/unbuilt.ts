import type { FieldNote } from './fields/notes.ts';
import type { Finding } from './finding.ts';
import type { Path } from './path.ts';
import { formatPath } from './path.ts';
import type { Occupied } from './structure.ts';
import { branchesOf, meantBranch } from './structure.ts';

/** Keys and words of the contract that would have no effect in this version: nothing is accepted and ignored. */
export function findUnbuilt(occupied: readonly Occupied[], faulty: readonly Path[]): readonly Finding[] {
  const known = new Set(faulty.map(formatPath));
  return occupied.flatMap(({ path, field, value }): readonly Finding[] => {
    if (field.note.later === true) return [finding(path, 'a key', 'key')];
    // A word that is wrong anyway isn't one that could be built.
    if (known.has(formatPath(path))) return [];
    const branch = branchesOf(field)[meantBranch(field, value) ?? -1];
    const word = unbuiltWord(value, { ...branch?.note, ...field.note });
    if (word !== undefined) return [finding(path, word, 'value')];
    return branch?.note.later === true
      ? [finding(path, typeof value === 'string' ? value : 'a form', 'value')]
      : [];
  });
}

function unbuiltWord(value: unknown, { laterWords }: FieldNote): string | undefined {
  if (typeof value !== 'string') return undefined;
  return laterWords?.includes(value) === true ? value : undefined;
}

function finding(path: Path, what: string, at: 'key' | 'value'): Finding {
  return {
    path,
    at,
    found: `${what}, which is part of the configuration contract but not built in this version`,
    expected: 'the file without it',
    hint: 'remove it',
  };
}
