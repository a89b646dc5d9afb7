import { hash } from 'node:crypto';

import { LRUCache } from 'lru-cache';

import type { Authority } from '../authorization-servers/authority.ts';
import type { SigningKey } from '../authorization-servers/signing-key.ts';
import type { Principal } from '../vocabulary/principal.ts';
import type { Claims } from './check-claims.ts';

/** A token whose signature held, with what it says. Nothing else of it was judged. */
export interface VerifiedSignature {
  readonly authority: Authority;
  readonly key: SigningKey;
  /** The header's `typ`, lower case, without `application/`; `none` where absent. */
  readonly type: string;
  readonly claims: Claims;
  readonly principal: Principal;
}

/** About 24 MiB at the most: whoever mints many tokens only pushes others back to one verification each. */
const maximumEntries = 10_000;
const maximumCharacters = 8 * 1024 * 1024;

/**
 * Remembers which tokens carried a good signature, by the SHA-256 of the exact token, so that no token is held
 * longer than the connection that presented it. An entry ends with the key that it was verified with.
 */
export class RememberedSignatures {
  readonly #entries = new LRUCache<string, readonly VerifiedSignature[]>({
    max: maximumEntries,
    maxSize: maximumCharacters,
  });
  /** What each open connection presented last: most present nothing else, and the digest is the dearest step. */
  readonly #presented = new WeakMap<
    object,
    { readonly token: string; readonly verified: readonly VerifiedSignature[] }
  >();

  /** `connection` is whatever stands for the peer's connection and dies with it. */
  recall(token: string, authority: Authority, connection: object): VerifiedSignature | undefined {
    const last = this.#presented.get(connection);
    const isBy = (candidate: VerifiedSignature): boolean => candidate.authority === authority;
    const verified =
      (last?.token === token ? last.verified.find(isBy) : undefined) ??
      this.#lookUp(token, connection)?.find(isBy);
    return verified !== undefined && authority.keys.holds(verified.key) ? verified : undefined;
  }

  remember(token: string, verified: VerifiedSignature): VerifiedSignature {
    const key = digest(token);
    const others = (this.#entries.get(key) ?? []).filter(({ authority }) => authority !== verified.authority);
    this.#entries.set(key, [...others, verified], { size: token.length });
    return verified;
  }

  get size(): number {
    return this.#entries.size;
  }

  #lookUp(token: string, connection: object): readonly VerifiedSignature[] | undefined {
    const verified = this.#entries.get(digest(token));
    if (verified !== undefined) this.#presented.set(connection, { token, verified });
    return verified;
  }
}

function digest(token: string): string {
  return hash('sha256', token, 'base64');
}
