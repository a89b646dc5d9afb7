/** What a server's parser finds in one message; null where there is no such text, or anything else in its place. */
export interface Found {
  readonly method: string | null;
  readonly name: string | null;
  readonly uri: string | null;
  readonly refType: string | null;
  readonly refName: string | null;
  readonly refUri: string | null;
  /** What stands where the gateway puts its statement of who asks, in `params._meta`. */
  readonly assertion: string | null;
  /** As JSON has it. */
  readonly id: unknown;
}

/** For each message of a body, in order; null for a message, or all of a body, that isn't taken. */
export type Finding = readonly (Found | null)[] | null;

/** A parser in whose place a server could stand behind the gateway. */
export interface BodyReader {
  readonly name: string;
  /** One finding for each body, in order. */
  read(bodies: readonly Buffer[]): Promise<readonly Finding[]>;
  close(): Promise<void>;
}
