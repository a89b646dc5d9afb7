import { hash } from 'node:crypto';

import { LRUCache } from 'lru-cache';

import type { Principal } from '../vocabulary/principal.ts';
import type { Authority } from './authority.ts';
import type { Claims } from './check-claims.ts';
import type { SigningKey } from './signing-key.ts';

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
 * Remembers which tokens carried a good signature, by the SHA-256 of the exact token. It never holds a token,
 * and an entry ends with the key that it was verified with.
 */
export class RememberedSignatures {
  readonly #entries = new LRUCache<string, readonly VerifiedSignature[]>({
    max: maximumEntries,
    maxSize: maximumCharacters,
  });

  recall(token: string, authority: Authority): VerifiedSignature | undefined {
    const entry = this.#entries.get(digest(token));
    const verified = entry?.find((candidate) => candidate.authority === authority);
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
}

function digest(token: string): string {
  return hash('sha256', token, 'base64');
}
