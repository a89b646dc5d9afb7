import { LRUCache } from 'lru-cache';

import type { AuthorizationServer, IntrospectionSettings } from '../../config/configuration.ts';

export type Introspected =
  | { readonly outcome: 'active'; readonly claims: Readonly<Record<string, unknown>> }
  /** `expired`: the server once said until when the token is good, and that time has passed. */
  | { readonly outcome: 'inactive'; readonly expired: boolean };

/** An answer of the server and when it was asked for. */
export interface HeardAnswer {
  readonly active: boolean;
  readonly claims: Readonly<Record<string, unknown>>;
  /** Milliseconds. What is revoked after that isn't in the answer. */
  readonly askedAt: number;
}

interface Held<Answer extends Introspected> {
  readonly answer: Answer;
  readonly askedAt: number;
  readonly freshUntil: number;
  /** When the token itself ends; infinite where the server didn't say. */
  readonly endsAt: number;
}

/** Whoever has many good tokens only pushes others back to one call each. */
const maximumActive = 10_000;
const maximumActiveCharacters = 8 * 1024 * 1024;

/** A flood of invented tokens pushes out only invented tokens. */
const maximumInactive = 10_000;

/** A token that its server hasn't heard of yet may be good a moment later: replicas lag. */
const longestInactiveMs = 10_000;

/** What an authorization server said of tokens, by the digest of the token: at most `cache`, and not past the token's end. */
export class IntrospectionMemory {
  readonly #server: Pick<AuthorizationServer, 'leeway' | 'verify'>;
  readonly #cacheMs: number;
  readonly #active = new LRUCache<string, Held<Introspected & { outcome: 'active' }>>({
    max: maximumActive,
    maxSize: maximumActiveCharacters,
  });
  readonly #inactive = new LRUCache<string, Held<Introspected & { outcome: 'inactive' }>>({
    max: maximumInactive,
  });

  constructor(
    server: Pick<AuthorizationServer, 'leeway' | 'verify'>,
    { cache }: Pick<IntrospectionSettings, 'cache'>,
  ) {
    this.#server = server;
    this.#cacheMs = cache;
  }

  /** What still counts at `now`. */
  recall(key: string, now: number): Introspected | undefined {
    const held = this.#active.get(key) ?? this.#inactive.get(key);
    // A clock that was set back says nothing of how old the answer is.
    return held !== undefined && held.askedAt <= now && now < held.freshUntil ? held.answer : undefined;
  }

  /** Whether the server has called this token active before, however long ago: then nobody invented it. */
  hasBeenActive(key: string): boolean {
    return this.#active.has(key);
  }

  /**
   * Takes over what another gateway heard, as far as it still counts: an answer that is older than what is known here would
   * make a revoked token good again.
   */
  adopt(key: string, heard: Pick<HeardAnswer, 'claims' | 'askedAt'>, now: number): Introspected | undefined {
    const { claims, askedAt } = heard;
    const knownSince = (this.#active.peek(key) ?? this.#inactive.peek(key))?.askedAt ?? -Infinity;
    const isFresh = askedAt <= now && now < Math.min(askedAt + this.#cacheMs, this.#endOf(claims));
    return isFresh && askedAt > knownSince
      ? this.#rememberActive(key, { active: true, ...heard })
      : undefined;
  }

  remember(key: string, heard: HeardAnswer): Introspected {
    return heard.active ? this.#rememberActive(key, heard) : this.#rememberInactive(key, heard);
  }

  #rememberActive(key: string, { claims, askedAt }: HeardAnswer): Introspected {
    const answer = { outcome: 'active', claims } as const;
    const endsAt = this.#endOf(claims);
    const freshUntil = Math.min(askedAt + this.#cacheMs, endsAt);
    this.#inactive.delete(key);
    this.#active.set(
      key,
      { answer, askedAt, freshUntil, endsAt },
      { size: JSON.stringify(claims).length + 1 },
    );
    return answer;
  }

  #rememberInactive(key: string, { askedAt }: HeardAnswer): Introspected {
    const endsAt = (this.#active.peek(key) ?? this.#inactive.peek(key))?.endsAt ?? Infinity;
    const answer = { outcome: 'inactive', expired: endsAt <= askedAt } as const;
    const freshUntil = askedAt + Math.min(this.#cacheMs, longestInactiveMs);
    this.#active.delete(key);
    this.#inactive.set(key, { answer, askedAt, freshUntil, endsAt });
    return answer;
  }

  #endOf({ exp }: Readonly<Record<string, unknown>>): number {
    const { leeway, verify } = this.#server;
    return typeof exp === 'number' && verify.exp ? (exp + leeway) * 1000 : Infinity;
  }
}
