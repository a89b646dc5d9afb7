import { hash } from 'node:crypto';

import { LRUCache } from 'lru-cache';

import type { Authority } from '../authorization-servers/authority.ts';
import type { SigningKey } from '../authorization-servers/keys/signing-key.ts';
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
  readonly #presented = new WeakMap<object, Presented>();

  /** `connection` is whatever stands for the peer's connection and dies with it. */
  recall(token: string, authority: Authority, connection: object): VerifiedSignature | undefined {
    const presented = this.#presentedBy(connection, token);
    const isBy = (candidate: VerifiedSignature): boolean => candidate.authority === authority;
    const verified = presented.verified.find(isBy) ?? this.#lookUp(presented).find(isBy);
    return verified !== undefined && authority.keys.holds(verified.key) ? verified : undefined;
  }

  remember(token: string, verified: VerifiedSignature, connection: object): VerifiedSignature {
    const presented = this.#presentedBy(connection, token);
    // A tenant that is forgotten and comes back has another authority; the entry of the one before is over.
    const others = (this.#entries.get(presented.digest) ?? []).filter(
      (other) => other.authority !== verified.authority && !other.key.retired,
    );
    presented.verified = [...others, verified];
    this.#entries.set(presented.digest, presented.verified, { size: token.length });
    return verified;
  }

  /** The token that this connection presented last. */
  presentedLast(connection: object): string | undefined {
    return this.#presented.get(connection)?.token;
  }

  get size(): number {
    return this.#entries.size;
  }

  #presentedBy(connection: object, token: string): Presented {
    const last = this.#presented.get(connection);
    if (last?.token === token) return last;
    const presented = { token, digest: hash('sha256', token, 'base64'), verified: none };
    this.#presented.set(connection, presented);
    return presented;
  }

  #lookUp(presented: Presented): readonly VerifiedSignature[] {
    const verified = this.#entries.get(presented.digest);
    if (verified !== undefined) presented.verified = verified;
    return verified ?? none;
  }
}

interface Presented {
  readonly token: string;
  readonly digest: string;
  /** As of the last look at the entries. */
  verified: readonly VerifiedSignature[];
}

const none: readonly VerifiedSignature[] = [];
