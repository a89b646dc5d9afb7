import type { z } from 'zod';

import { closest } from './closest.ts';
import { describeFound } from './describe.ts';
import type { Finding } from './finding.ts';
import { hintForShape } from './hints.ts';
import type { Path } from './path.ts';
import type { Field } from './structure.ts';
import {
  branchesOf,
  containerOf,
  fieldAt,
  fieldOf,
  holdsSecret,
  keysOf,
  meantBranch,
  shapeOfField,
} from './structure.ts';

/** What the schema says of the file. */
export interface Parsed {
  readonly schema: z.core.$ZodType;
  readonly value: unknown;
}

/** An issue of zod's in the operator's words: of alternatives, the ones of that which is meant. */
export function findingsOf(issue: z.core.$ZodIssue, parsed: Parsed, base: Path = []): readonly Finding[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  const value = valueAt(parsed.value, path);
  const field = fieldAt(parsed.schema, parsed.value, path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(parsed, path, key));
  if (issue.code === 'invalid_union') return ofAlternatives(issue, field, { parsed, path, value });
  if (issue.code === 'invalid_key') return [keyFinding(parsed, path)];
  return [finding({ path, value, field, ...customWords(issue) })];
}

export function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined;
    current = Reflect.get(current, step);
  }
  return current;
}

interface Place {
  readonly parsed: Parsed;
  readonly path: Path;
  readonly value: unknown;
}

function ofAlternatives(
  issue: z.core.$ZodIssueInvalidUnion,
  field: Field | undefined,
  { parsed, path, value }: Place,
): readonly Finding[] {
  const index = field === undefined ? undefined : meantBranch(field, value);
  const issues = index === undefined ? undefined : issue.errors[index];
  if (field === undefined || index === undefined || issues === undefined)
    return [finding({ path, value, field })];
  return issues.flatMap((inner) => {
    if (inner.path.length > 0 || inner.code === 'unrecognized_keys') return findingsOf(inner, parsed, path);
    // The value as a whole: what the alternatives have in common says more than one of them.
    const { expected, hint } = customWords(inner);
    return [finding({ path, value, field, expected, hint })];
  });
}

interface CustomWords {
  readonly expected?: string | undefined;
  readonly hint?: string | undefined;
}

function customWords(issue: z.core.$ZodIssue): CustomWords {
  return issue.code === 'custom' ? ((issue.params ?? {}) as CustomWords) : {};
}

interface Words extends CustomWords {
  readonly path: Path;
  readonly value: unknown;
  readonly field: Field | undefined;
}

function finding({ path, value, field, expected, hint }: Words): Finding {
  const note = field?.note ?? {};
  const found = mayBeSecret(field, value) ? 'a literal string' : describeFound(value);
  const help = hint ?? hintOf(field, value);
  return {
    path,
    found,
    expected: expected ?? note.expected ?? 'another value',
    ...(help === undefined ? {} : { hint: help }),
  };
}

/** The field's own hint, else that of an alternative, else one from the shape alone. */
function hintOf(field: Field | undefined, value: unknown): string | undefined {
  if (field === undefined) return undefined;
  const own = [field, ...branchesOf(field)].map(({ note }) => note.hintFor?.(value));
  const shapeHint = mayBeSecret(field, value) ? undefined : hintForShape(field, value);
  return own.find((hint) => hint !== undefined) ?? shapeHint;
}

/** A text where a secret's own mapping belongs, or one around it. */
function mayBeSecret(field: Field | undefined, value: unknown): boolean {
  if (field === undefined || typeof value === 'object' || value === undefined) return false;
  const isTextExpected = branchesOf(field).some((branch) => shapeOfField(branch) === 'text');
  return field.note.secret === true || (!isTextExpected && holdsSecret(field));
}

/** The keys of a record are texts with a form of their own. */
function keyFinding({ schema, value }: Parsed, path: Path): Finding {
  const record = fieldAt(schema, value, path.slice(0, -1));
  const def = record?.def;
  const expected = def?.type === 'record' ? fieldOf(def.keyType).note.expected : undefined;
  return {
    path,
    at: 'key',
    found: `the key ${describeFound(path.at(-1))}`,
    expected: expected ?? 'another key',
  };
}

function unknownKey({ schema, value }: Parsed, path: Path, key: string): Finding {
  const field = fieldAt(schema, value, path);
  const container = field === undefined ? undefined : containerOf(field, valueAt(value, path));
  const keys = container === undefined ? [] : [...new Set(keysOf(container).keys())];
  const words = {
    path: [...path, key],
    at: 'key',
    found: key === '<<' ? 'a merge key' : 'an unknown key',
    expected: `one of ${keys.join(', ')}`,
  } as const;
  const reason = container?.note.missingKeys?.[key];
  if (reason !== undefined) return { ...words, hint: reason };
  const owners = ownersOf(schema, key);
  const near = closest(key, keys);
  const elsewhere = `${key} is a key of ${owners.join(', ')}`;
  if (near !== undefined) {
    const hint = `did you mean ${near}?${owners.length > 0 ? ` ${elsewhere}` : ''}`;
    return { ...words, hint, meantKey: near };
  }
  return owners.length > 0 ? { ...words, hint: `${elsewhere}: check the indentation` } : words;
}

/** Where in the configuration a key of this name belongs. */
function ownersOf(schema: z.core.$ZodType, key: string): readonly string[] {
  return [...mappingsOf(schema, '')]
    .filter(({ keys }) => keys.has(key))
    .map(({ owner }) => (owner === '' ? 'the top level' : owner));
}

function* mappingsOf(
  schema: z.core.$ZodType,
  owner: string,
): Generator<{ readonly owner: string; readonly keys: ReadonlySet<string> }> {
  for (const branch of branchesOf(fieldOf(schema))) {
    const { def } = branch;
    if (def.type === 'array') yield* mappingsOf(def.element, `${owner}[]`);
    if (def.type !== 'object') continue;
    yield { owner, keys: new Set(keysOf(branch).keys()) };
    for (const [key, child] of keysOf(branch))
      yield* mappingsOf(child, owner === '' ? key : `${owner}.${key}`);
  }
}
