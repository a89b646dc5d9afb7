/** What may go on of an answer that is looked through. */
export type Sifted =
  /** Nothing yet. */
  | { readonly state: 'held' }
  | { readonly state: 'open'; readonly bytes: Buffer }
  /** Nothing any more. */
  | { readonly state: 'fault'; readonly detail: string };

/** Looks through an answer for lists. */
export interface Sieve {
  /** A list was found. */
  readonly sawList: boolean;
  pass(chunk: Buffer): Sifted;
  /** The answer is complete: what is left of it. */
  end(): Sifted;
}

/** A longer message without a list, such as a picture, goes on as it comes, and only as long as none turns up in it. */
export const maximumHeldBytes = 1024 * 1024;

/** Thousands of tools. A list has to be held whole to be filtered. */
export const maximumListBytes = 4 * 1024 * 1024;

export const held: Sifted = { state: 'held' };

export const listTooLong: Sifted = { state: 'fault', detail: 'a list of more than 4 MiB' };
export const lateList: Sifted = { state: 'fault', detail: 'a list behind the first MiB of a message' };
