import type { Algorithm } from '../../config/configuration.ts';
import type { SigningKey } from './signing-key.ts';
import { serves } from './signing-key.ts';

/** The keys of one issuer by `kid`: a key is found by issuer and kid, never by kid alone (RFC 8725 §3.8). */
export class KeyIndex {
  readonly keys: readonly SigningKey[];
  readonly #byKid: ReadonlyMap<string, readonly SigningKey[]>;

  constructor(keys: readonly SigningKey[]) {
    this.keys = keys;
    const named = keys.filter(({ kid }) => kid !== undefined);
    // Two keys may share a kid where they differ in kind.
    this.#byKid = Map.groupBy(named, ({ kid }) => kid ?? '');
  }

  /**
   * The keys that may have signed a token with this `kid` and algorithm. Without a kid only a single fitting
   * key can be meant: "try all" would let any key speak for any token.
   */
  find(kid: string | undefined, algorithm: Algorithm): readonly SigningKey[] {
    const named = kid === undefined ? this.keys : (this.#byKid.get(kid) ?? []);
    const fitting = named.filter((key) => serves(key, algorithm));
    return kid === undefined && fitting.length > 1 ? [] : fitting;
  }

  /** The index of what is published now. Keys that stay are the same objects, so that what was verified with them stays too; others are retired. */
  replaceBy(published: readonly SigningKey[]): KeyIndex {
    const known = new Map(this.keys.map((key) => [key.identity, key]));
    const keys = new Set(published.map((key) => known.get(key.identity) ?? key));
    for (const key of this.keys) if (!keys.has(key)) key.retired = true;
    return new KeyIndex([...keys]);
  }

  /** Ends all that was verified with these keys. */
  retire(): void {
    for (const key of this.keys) key.retired = true;
  }
}
