import type { Path } from './path.ts';
import type { ConfigurationInput } from './schema.ts';

/** A value of which any part may be missing. */
type Partly<T> = T extends string | number | boolean | undefined | null
  ? T
  : T extends readonly (infer Item)[]
    ? readonly (Partly<Item> | undefined)[]
    : { readonly [Key in keyof T]?: Partly<T[Key]> | undefined };

/**
 * The file as far as each of its values is fine by itself: what the rules between keys look at, so that their
 * faults are told together with all others. A faulty value is undefined with its key in place; an absent one has
 * no key.
 */
export type Draft = Partly<ConfigurationInput>;
export type RouteDraft = Partly<ConfigurationInput['routes'][number]>;
export type ServerDraft = Partly<NonNullable<ConfigurationInput['authorizationServers']>[number]>;

/** Leaves out what the paths lead to. */
export function draftOf(value: unknown, faulty: readonly Path[]): Draft {
  const copy = structuredClone(value);
  for (const path of faulty) blank(copy, path);
  return (typeof copy === 'object' && copy !== null && !Array.isArray(copy) ? copy : {}) as Draft;
}

function blank(root: unknown, path: Path): void {
  let holder: unknown = root;
  for (const step of path.slice(0, -1)) {
    if (typeof holder !== 'object' || holder === null) return;
    holder = Reflect.get(holder, step);
  }
  const last = path.at(-1);
  if (last === undefined || typeof holder !== 'object' || holder === null) return;
  // A key that is missing where one is required is as unknown as a faulty one.
  Object.defineProperty(holder, last, {
    value: undefined,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/** The entries of a list that are there, with their places. */
export function entriesOf<T>(
  list: readonly (T | undefined)[] | undefined,
): readonly (readonly [number, T])[] {
  return [...(list ?? []).entries()].filter(
    (entry): entry is [number, T] => typeof entry[1] === 'object' && entry[1] !== null,
  );
}
