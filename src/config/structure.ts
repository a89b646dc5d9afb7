import { z } from 'zod';

import type { FieldNote } from './fields/notes.ts';
import { noteOf } from './fields/notes.ts';
import type { Path } from './path.ts';

type Schema = z.core.$ZodType;
type Definition = z.core.$ZodTypes['_zod']['def'];

function definitionOf(schema: Schema): Definition {
  return (schema as z.ZodType).def as Definition;
}

/** A schema without its wrappers, and what they and it say of the field. */
export interface Field {
  readonly def: Definition;
  readonly note: FieldNote;
  readonly description: string | undefined;
  readonly isOptional: boolean;
  /** As the file would have it. */
  readonly fallback: unknown;
}

/** Looks through optional, default and transformation. */
export function fieldOf(schema: Schema): Field {
  const def = definitionOf(schema);
  const own = { note: noteOf(schema), description: z.globalRegistry.get(schema)?.description };
  const inner =
    def.type === 'optional' || def.type === 'prefault'
      ? def.innerType
      : def.type === 'pipe'
        ? def.in
        : undefined;
  if (inner === undefined) return { def, ...own, isOptional: false, fallback: undefined };
  const field = fieldOf(inner);
  return {
    def: field.def,
    note: { ...field.note, ...own.note },
    description: own.description ?? field.description,
    isOptional: def.type !== 'pipe' || field.isOptional,
    fallback: def.type === 'prefault' ? def.defaultValue : field.fallback,
  };
}

/** The keys of a mapping with their schemas. */
export function keysOf({ def }: Field): ReadonlyMap<string, Schema> {
  return new Map(def.type === 'object' ? Object.entries(def.shape) : []);
}

/** The alternatives of a field; itself where there are none. */
export function branchesOf(field: Field): readonly Field[] {
  return field.def.type === 'union' ? field.def.options.map(fieldOf) : [field];
}

/** Which alternative whoever wrote `value` meant, by its shape and keys; undefined where none fits. */
export function meantBranch(field: Field, value: unknown): number | undefined {
  const shape = shapeOf(value);
  let best: number | undefined;
  let bestKnown = -1;
  for (const [index, branch] of branchesOf(field).entries()) {
    if (shapeOfField(branch) !== shape) continue;
    const keys = keysOf(branch);
    const known =
      shape === 'mapping' ? Object.keys(value as object).filter((key) => keys.has(key)).length : 0;
    // Of two kinds of text the later one is the wider: never | duration.
    if (known > bestKnown || (shape === 'text' && known === bestKnown)) [best, bestKnown] = [index, known];
  }
  return best;
}

export type Shape = 'text' | 'number' | 'flag' | 'list' | 'mapping' | 'nothing';

export function shapeOf(value: unknown): Shape {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'flag';
  if (typeof value === 'string') return 'text';
  return Array.isArray(value) ? 'list' : 'mapping';
}

const shapes: Partial<Readonly<Record<Definition['type'], Shape>>> = {
  string: 'text',
  enum: 'text',
  number: 'number',
  boolean: 'flag',
  array: 'list',
  object: 'mapping',
  record: 'mapping',
};

/** Undefined for a field with alternatives. */
export function shapeOfField({ def }: Field): Shape | undefined {
  return shapes[def.type];
}

/** Whether a secret stands somewhere in the value of a field. */
export function holdsSecret(field: Field): boolean {
  return branchesOf(field).some((branch) => {
    if (branch.note.secret === true) return true;
    const { def } = branch;
    const parts = def.type === 'array' ? [def.element] : keysOf(branch).values();
    return [...parts].some((part) => holdsSecret(fieldOf(part)));
  });
}

/** A value of the file and the field it belongs to. */
export interface Occupied {
  readonly path: Path;
  readonly field: Field;
  readonly value: unknown;
}

/** Every value of the file that belongs to a field, from the top down; of alternatives the one that is meant. */
export function* walk(schema: Schema, value: unknown, path: Path = []): Generator<Occupied> {
  const field = fieldOf(schema);
  yield { path, field, value };
  for (const [step, child, childValue] of childrenOf(field, value))
    yield* walk(child, childValue, [...path, step]);
}

/** The field that a path leads to in this very file; undefined where there is none. */
export function fieldAt(schema: Schema, value: unknown, path: Path): Field | undefined {
  const field = fieldOf(schema);
  const [step, ...rest] = path;
  if (step === undefined) return field;
  const container = containerOf(field, value);
  const child = container === undefined ? undefined : childSchema(container, step);
  const childValue = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
  return child === undefined ? undefined : fieldAt(child, childValue, rest);
}

/** The mapping or list that holds the parts of `value`. */
export function containerOf(field: Field, value: unknown): Field | undefined {
  if (field.def.type !== 'union') return field;
  const index = meantBranch(field, value);
  return index === undefined ? undefined : branchesOf(field)[index];
}

function childSchema({ def }: Field, step: string | number): Schema | undefined {
  if (def.type === 'array') return typeof step === 'number' ? def.element : undefined;
  if (def.type === 'record') return def.valueType;
  return def.type === 'object' && Object.hasOwn(def.shape, step) ? def.shape[step] : undefined;
}

function* childrenOf(field: Field, value: unknown): Generator<readonly [string | number, Schema, unknown]> {
  if (typeof value !== 'object' || value === null) return;
  if (field.def.type === 'union') {
    const index = meantBranch(field, value);
    const branch = index === undefined ? undefined : branchesOf(field)[index];
    if (branch !== undefined) yield* childrenOf(branch, value);
    return;
  }
  const steps: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  for (const [step, child] of steps) {
    const schema = childSchema(field, step);
    if (schema !== undefined && child !== undefined) yield [step, schema, child];
  }
}
