import type { CelInput } from '@bufbuild/cel';

import type { Principal } from '../vocabulary/principal.ts';
import { cel } from './cel.ts';

/** JSON as a condition sees it: objects as maps without a prototype's members, numbers as doubles. */
export type CelJson = CelInput;

/** Whoever looks at it in a condition gets an error, so that the condition doesn't hold, not even under a `!`. */
class Unusable {
  readonly #says: string;

  constructor(says: string) {
    this.#says = says;
  }

  toString(): string {
    return this.#says;
  }
}

/** A token fits into a header of 16 KiB; the answer to an introspection may be larger. */
const claimBounds: Bounds = { items: 10_000, characters: 256 * 1024 };

/** No call that a condition was written for has as many. */
const argumentBounds: Bounds = { items: 2_000, characters: 64 * 1024 };

interface Bounds {
  /** Members and elements, however deep. */
  readonly items: number;
  /** Of all texts and names together. */
  readonly characters: number;
}

/** Who asks, as conditions see it; what a token doesn't say isn't there. */
export function principalValue(principal: Principal): CelJson {
  const { issuer, subject, clientId, scopes, claims } = principal;
  const email = verifiedEmail(principal);
  return cel().celMap(
    new Map<string, CelInput>([
      ['issuer', issuer],
      ['subject', subject],
      ...(clientId === undefined ? [] : [['client', clientId] as const]),
      ['scopes', cel().celList(scopes as CelInput[])],
      ...(email === undefined ? [] : [['email', email] as const]),
      ['claims', claimsValue(claims)],
    ]),
  );
}

/**
 * The address that rules may trust: the authorization server says that it is verified, and it has one `@`, in whatever
 * spelling, so that what follows it is the domain.
 */
function verifiedEmail({ email, claims }: Principal): string | undefined {
  if (email === undefined || claims['email_verified'] !== true || !Object.hasOwn(claims, 'email_verified'))
    return undefined;
  const ats = (text: string): number => text.split('@').length - 1;
  return ats(email) === 1 && ats(email.normalize('NFKC')) === 1 && !/[\s\p{Cc}"]/u.test(email)
    ? email
    : undefined;
}

function claimsValue(claims: Readonly<Record<string, unknown>>): CelInput {
  const reader = new JsonReader(claimBounds, (list) =>
    isOfOneKind(list) ? undefined : 'a list of the token has members of different kinds',
  );
  const value = reader.object(claims);
  if (reader.fault !== undefined) return unusable(`the claims: ${reader.fault}`);
  for (const name of leftOut(claims))
    value.set(name, unusable(`the token leaves the claim ${name} out, because it would be too long`));
  return cel().celMap(value);
}

/**
 * OpenID Connect Core §5.6.2, and what Entra ID does with more than 200 groups: the claim is named, and is somewhere else. Without it
 * nobody knows which groups someone isn't in.
 */
function leftOut(claims: Readonly<Record<string, unknown>>): readonly string[] {
  const elsewhere = claims['_claim_names'];
  const named = typeof elsewhere === 'object' && elsewhere !== null ? Object.keys(elsewhere) : [];
  return claims['hasgroups'] === true ? [...named, 'groups'] : named;
}

/** A list that holds a null or a number among its texts isn't the list that a rule was written for. */
function isOfOneKind(list: readonly unknown[]): boolean {
  return list.every((item) => item !== null && kindOf(item) === kindOf(list[0]));
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'list' : typeof value;
}

/** What conditions call the parts of arguments, to find those that only look like them. */
export interface Names {
  readonly exact: ReadonlySet<string>;
  readonly folded: ReadonlySet<string>;
}

export function namesOf(names: Iterable<string>): Names {
  const exact = new Set(names);
  return { exact, folded: new Set([...exact].map(fold)) };
}

/** As in Go's encoding/json, which takes `Path` for `path`. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/**
 * The arguments of a call as conditions see them, or why they can't be looked at: no object, too large, or a server could
 * read something else in them than the condition. A call without arguments is one with none.
 */
export function argumentsValue(
  value: unknown,
  names: Names,
): { readonly value: CelJson } | { readonly fault: string } {
  if (value === undefined) return { value: cel().celMap(new Map()) };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { fault: 'the arguments are no object' };
  const reader = new JsonReader(argumentBounds, () => undefined, names);
  const map = reader.object(value as Readonly<Record<string, unknown>>);
  return reader.fault === undefined
    ? { value: cel().celMap(map) }
    : { fault: `the arguments: ${reader.fault}` };
}

/** Turns parsed JSON into values of CEL, within bounds. */
class JsonReader {
  fault: string | undefined;
  #items: number;
  #characters: number;
  readonly #judgeList: (list: readonly unknown[]) => string | undefined;
  readonly #names: Names | undefined;

  constructor(
    { items, characters }: Bounds,
    judgeList: (list: readonly unknown[]) => string | undefined,
    names?: Names,
  ) {
    this.#items = items;
    this.#characters = characters;
    this.#judgeList = judgeList;
    this.#names = names;
  }

  object(value: Readonly<Record<string, unknown>>): Map<string, CelInput> {
    const map = new Map<string, CelInput>();
    for (const name of Object.keys(value)) {
      this.#spend(1, name.length);
      if (this.#names?.exact.has(name) === false && this.#names.folded.has(fold(name)))
        this.fault ??= 'a member differs from one that a rule reads by its case alone';
      if (this.fault !== undefined) return map;
      map.set(name, this.#read(value[name]));
    }
    return map;
  }

  #read(value: unknown): CelInput {
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'string') return this.#text(value);
    if (typeof value === 'number') return this.#number(value);
    return Array.isArray(value)
      ? this.#list(value as readonly unknown[])
      : cel().celMap(this.object(value as Readonly<Record<string, unknown>>));
  }

  #text(text: string): CelInput {
    this.#spend(0, text.length);
    if (!text.isWellFormed()) this.fault ??= 'a text that UTF-8 cannot hold';
    return text;
  }

  #number(number: number): CelInput {
    // Of these, two languages read two different numbers.
    if (this.#names !== undefined && Number.isInteger(number) && !Number.isSafeInteger(number))
      this.fault ??= 'a whole number beyond 2^53';
    return number;
  }

  #list(list: readonly unknown[]): CelInput {
    const says = this.#judgeList(list);
    if (says !== undefined) return unusable(says);
    const items: CelInput[] = [];
    for (const item of list) {
      this.#spend(1, 0);
      if (this.fault !== undefined) break;
      items.push(this.#read(item));
    }
    return cel().celList(items);
  }

  #spend(items: number, characters: number): void {
    this.#items -= items;
    this.#characters -= characters;
    if (this.#items < 0 || this.#characters < 0) this.fault ??= 'larger than a condition may look at';
  }
}

/** CEL has no such value: it throws, with this text, as soon as the value is looked at. */
function unusable(says: string): CelInput {
  return new Unusable(says) as unknown as CelInput;
}

/** What CEL says before the text of an unusable value. */
export const unusablePrefix = 'Unsupported input ';
