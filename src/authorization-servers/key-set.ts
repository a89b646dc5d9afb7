import { LRUCache } from 'lru-cache';

import type { Algorithm, AuthorizationServer } from '../config/configuration.ts';
import type { KeyFetch } from '../vocabulary/observer.ts';
import type { LoadedKeys } from './fetch-keys.ts';
import type { SigningKey } from './signing-key.ts';
import { serves } from './signing-key.ts';

export type FoundKeys =
  | { readonly outcome: 'found'; readonly keys: readonly SigningKey[] }
  /** The authorization server was asked since this kid was first seen and doesn't have it. */
  | { readonly outcome: 'unknown' }
  | {
      readonly outcome: 'unavailable';
      readonly reason: 'keys_unavailable' | 'key_lookup_cooling_down';
      readonly retryAfterSeconds: number;
    };

export interface KeySetPorts {
  /** Milliseconds; any epoch. */
  readonly clock: () => number;
  readonly load: () => Promise<LoadedKeys>;
  readonly onFetch: (report: KeyFetch) => void;
}

/** A request waits this long for a fetch that may bring its key. */
const patienceMs = 2000;

/**
 * The keys of one authorization server. However many requests ask and whatever they present, the server is
 * asked at most once per cool-down and once at a time; a server that is down leaves its last keys in force for
 * a bounded time.
 */
export class KeySet {
  readonly #server: AuthorizationServer;
  readonly #ports: KeySetPorts;
  /** How many fetches had started when each kid that isn't held was first asked for. A flood of invented ones pushes out only itself. */
  readonly #firstSeen = new LRUCache<string, number>({ max: 1000 });
  #keys: readonly SigningKey[] = [];
  #fetch: Promise<void> | undefined;
  #lastStartedAt: number | undefined;
  #started = 0;
  /** The number of the fetch that brought the keys in force. */
  #loaded = 0;
  /** When the fetch started that brought the keys in force. */
  #loadedAt: number | undefined;

  constructor(server: AuthorizationServer, ports: KeySetPorts) {
    this.#server = server;
    this.#ports = ports;
  }

  /** Answers at once where the key is held; a promise where the authorization server may have to be asked. */
  find(kid: string | undefined, algorithm: Algorithm): FoundKeys | Promise<FoundKeys> {
    this.#refreshWhenOld();
    return this.#held(kid, algorithm) ?? this.#findByAsking(kid, algorithm);
  }

  /** Whether what was verified with this key still counts. */
  holds(key: SigningKey): boolean {
    this.#refreshWhenOld();
    return !key.retired && !this.#tooOld();
  }

  /** Asks again for keys because a signature failed: the same kid may have come back with another key. */
  async refetch(): Promise<boolean> {
    if (this.#fetch === undefined && this.#cooldownLeftMs() > 0) return false;
    return this.#waitForFetch();
  }

  /** Asks the authorization server now, unless a fetch is running; ends when it answered or failed. */
  ask(): Promise<void> {
    this.#fetch ??= this.#load().finally(() => {
      this.#fetch = undefined;
    });
    return this.#fetch;
  }

  /** Milliseconds since the keys in force were fetched; undefined while there are none. */
  get ageMs(): number | undefined {
    return this.#loadedAt === undefined ? undefined : this.#ports.clock() - this.#loadedAt;
  }

  get size(): number {
    return this.#keys.length;
  }

  #held(kid: string | undefined, algorithm: Algorithm): FoundKeys | undefined {
    if (this.#tooOld()) return undefined;
    const keys = this.#keys.filter((key) => (kid === undefined || key.kid === kid) && serves(key, algorithm));
    // Without a kid only a single fitting key can be meant: "try all" would let any key speak for any token.
    if (keys.length === 0 || (kid === undefined && keys.length > 1)) return undefined;
    return { outcome: 'found', keys };
  }

  async #findByAsking(kid: string | undefined, algorithm: Algorithm): Promise<FoundKeys> {
    const startedBefore = this.#firstSeen.get(kid ?? '') ?? this.#started;
    this.#firstSeen.set(kid ?? '', startedBefore);
    // Once the cool-down has passed it may be asked for again: an attacker could have named tomorrow's kid today.
    if (this.#loaded > startedBefore && !this.#tooOld() && this.#cooldownLeftMs() > 0)
      return { outcome: 'unknown' };
    if (this.#fetch === undefined && this.#cooldownLeftMs() > 0) return this.#unavailable();
    await this.#waitForFetch();
    const held = this.#held(kid, algorithm);
    if (held !== undefined) return held;
    return this.#loaded > startedBefore && !this.#tooOld() ? { outcome: 'unknown' } : this.#unavailable();
  }

  #unavailable(): FoundKeys {
    const reason =
      this.#loadedAt === undefined || this.#tooOld() ? 'keys_unavailable' : 'key_lookup_cooling_down';
    return {
      outcome: 'unavailable',
      reason,
      retryAfterSeconds: Math.max(1, Math.ceil(this.#cooldownLeftMs() / 1000)),
    };
  }

  async #waitForFetch(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), patienceMs);
    });
    const ended = await Promise.race([this.ask().then(() => true), patience]);
    clearTimeout(timer);
    return ended;
  }

  #refreshWhenOld(): void {
    const age = this.ageMs;
    if (age === undefined || age < this.#server.keys.ttl || this.#fetch !== undefined) return;
    if (this.#cooldownLeftMs() === 0) void this.ask();
  }

  #tooOld(): boolean {
    const age = this.ageMs;
    return age !== undefined && age > this.#server.keys.ttl + this.#server.keys.maxStale;
  }

  #cooldownLeftMs(): number {
    if (this.#lastStartedAt === undefined) return 0;
    return Math.max(0, this.#lastStartedAt + this.#server.keys.cooldown - this.#ports.clock());
  }

  async #load(): Promise<void> {
    const startedAt = this.#ports.clock();
    this.#lastStartedAt = startedAt;
    this.#started += 1;
    const number = this.#started;
    const loaded = await this.#ports.load();
    if (loaded.ok) {
      const before = this.#keys;
      this.#keys = replaceKeys(before, loaded.keys);
      // A kid that was held has been seen before this fetch, which no longer has it: its tokens are over at once.
      for (const key of before) if (key.retired) this.#firstSeen.set(key.kid ?? '', number - 1);
      this.#loadedAt = startedAt;
      this.#loaded = number;
    }
    this.#ports.onFetch({
      authorizationServer: this.#server.name,
      outcome: loaded.ok ? 'success' : 'failure',
      keys: this.#keys.length,
      durationMs: this.#ports.clock() - startedAt,
      ...(loaded.ok ? {} : { detail: loaded.detail }),
    });
  }
}

/** Keys that stay are the same objects as before, so that what was verified with them stays too. */
function replaceKeys(before: readonly SigningKey[], after: readonly SigningKey[]): readonly SigningKey[] {
  const known = new Map(before.map((key) => [key.identity, key]));
  const keys = after.map((key) => known.get(key.identity) ?? key);
  for (const key of before) if (!keys.includes(key)) key.retired = true;
  return keys;
}
