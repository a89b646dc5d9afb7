import { hash } from 'node:crypto';

/** What was read and at which state of the store: the same version is the same text. */
export interface RecordText {
  readonly text: string;
  readonly version: string;
}

/** `unavailable`: nothing is known of the record; the detail is for the operator and holds nothing of its text. */
export type RecordReading =
  | { readonly is: 'same' }
  | ({ readonly is: 'read' } & RecordText)
  | { readonly is: 'absent' }
  | { readonly is: 'unavailable'; readonly detail: string };

/** `kept`: the store has it, and would have it after a crash as far as the store goes. */
export type RecordOutcome = { readonly is: 'kept' } | { readonly is: 'unavailable'; readonly detail: string };

/** `held`: nobody else has the claim until `release` or until its time is over. */
export type RecordClaim =
  | { readonly is: 'held'; readonly release: () => Promise<void> }
  | { readonly is: 'taken' }
  | { readonly is: 'unavailable'; readonly detail: string };

/** Small texts by name that outlive the process and may be changed by others at any time. Nothing here rejects. */
export interface RecordStore {
  /** `known`: the version that the caller has already. */
  read(name: RecordName, known?: string): Promise<RecordReading>;
  /** The old text stays until the new one is there whole. */
  write(name: RecordName, text: string): Promise<RecordOutcome>;
  /** What isn't there is removed as well. */
  remove(name: RecordName): Promise<RecordOutcome>;
  /** Keeps others who use `claim` from working on the same record; it binds nobody else. */
  claim(name: RecordName, ttlMs: number): Promise<RecordClaim>;
}

/** A name that is a file's or a key's as it stands: lower case letters, digits, `-`, `_`; only `recordName` makes one. */
export type RecordName = string & { readonly brand: unique symbol };

/** Longest part of a name that is for people. */
const readableLength = 40;

/**
 * The name of what these parts identify. Whatever stands in them, the name can't lead out of a folder, and two lists
 * of parts never share one: a digest tells them apart, `label` is for the eyes of an operator.
 */
export function recordName(label: string, parts: readonly (string | null)[]): RecordName {
  const readable = label
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, readableLength)
    .replaceAll(/^-|-$/g, '');
  return `${readable}-${hash('sha256', JSON.stringify(parts), 'hex')}` as RecordName;
}
