import type { Algorithm, AuthorizationServer } from '../../config/configuration.ts';
import type { KeyFetch } from '../../vocabulary/observer.ts';
import type { LoadedKeys } from './fetch-keys.ts';
import { KeyIndex } from './key-index.ts';
import { within } from '../patience.ts';
import type { StartTimer } from './refresh-timer.ts';
import { refreshAfterMs } from './refresh-timer.ts';
import { SeenKids } from './seen-kids.ts';
import type { SigningKey } from './signing-key.ts';
import { WaitingRoom } from '../waiting-room.ts';

export type FoundKeys =
  | { readonly outcome: 'found'; readonly keys: readonly SigningKey[] }
  /** The authorization server was asked since this kid was first seen, and since the token was issued, and doesn't have it. */
  | { readonly outcome: 'unknown' }
  | {
      readonly outcome: 'unavailable';
      readonly reason: 'keys_unavailable' | 'key_lookup_cooling_down';
      readonly retryAfterSeconds: number;
    };

export interface KeySetPorts {
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly load: () => Promise<LoadedKeys>;
  readonly onFetch: (report: KeyFetch) => void;
  /** Keys are fetched before they are old without being asked for; absent: they are fetched when someone asks. */
  readonly background?: { readonly startTimer: StartTimer; readonly random: () => number };
  /** Whether a fetch may begin now, besides the cool-down. */
  readonly mayAsk?: () => boolean;
}

interface Wanted {
  readonly kid: string | undefined;
  readonly algorithm: Algorithm;
  readonly issuedAtMs: number | undefined;
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
  readonly #seen = new SeenKids();
  #index = new KeyIndex([]);
  #fetch: Promise<void> | undefined;
  readonly #room = new WaitingRoom();
  #lastStartedAt: number | undefined;
  #started = 0;
  /** The number of the fetch that brought the keys in force. */
  #loaded = 0;
  /** When the fetch started that brought the keys in force. */
  #loadedAt: number | undefined;
  #stopTimer: (() => void) | undefined;
  #closed = false;

  constructor(server: AuthorizationServer, ports: KeySetPorts) {
    this.#server = server;
    this.#ports = ports;
  }

  /**
   * Answers at once where the key is held; a promise where the authorization server may have to be asked.
   * `issuedAtMs`: when the token says that it was issued, unverified. It can turn `unknown` into `unavailable` until the
   * server has been asked once more, and causes no fetch that wouldn't have been made without it.
   */
  find(kid: string | undefined, algorithm: Algorithm, issuedAtMs?: number): FoundKeys | Promise<FoundKeys> {
    this.#refreshWhenOld();
    return this.#held(kid, algorithm) ?? this.#findByAsking({ kid, algorithm, issuedAtMs });
  }

  /** Whether what was verified with this key still counts. */
  holds(key: SigningKey): boolean {
    this.#refreshWhenOld();
    return !key.retired && !this.#tooOld();
  }

  /** Asks again for keys because a signature failed: the same kid may have come back with another key. */
  async refetch(): Promise<boolean> {
    if (this.#fetch === undefined && !this.#mayStart()) return false;
    return this.#waitForFetch();
  }

  /** Asks the authorization server now, unless a fetch is running; ends when it answered or failed. */
  ask(): Promise<void> {
    this.#fetch ??= this.#load().finally(() => {
      this.#fetch = undefined;
    });
    return this.#fetch;
  }

  /** Ends the background refresh, and what was verified with these keys. */
  close(): void {
    this.#closed = true;
    this.#stopTimer?.();
    this.#index.retire();
  }

  /** Milliseconds since the keys in force were fetched; undefined while there are none. */
  get ageMs(): number | undefined {
    return this.#loadedAt === undefined ? undefined : this.#ports.clock() - this.#loadedAt;
  }

  get size(): number {
    return this.#index.keys.length;
  }

  #held(kid: string | undefined, algorithm: Algorithm): FoundKeys | undefined {
    if (this.#tooOld()) return undefined;
    const keys = this.#index.find(kid, algorithm);
    return keys.length === 0 ? undefined : { outcome: 'found', keys };
  }

  async #findByAsking({ kid, algorithm, issuedAtMs }: Wanted): Promise<FoundKeys> {
    const startedBefore = this.#seen.see(kid, this.#started);
    const isMissing = (): boolean =>
      this.#loaded > startedBefore && !this.#tooOld() && !this.#isYounger(issuedAtMs);
    // Once the cool-down has passed it may be asked for again: an attacker could have named tomorrow's kid today.
    if (isMissing() && this.#cooldownLeftMs() > 0) return { outcome: 'unknown' };
    if (this.#fetch === undefined && !this.#mayStart()) return this.#unavailable();
    await this.#waitForFetch();
    const held = this.#held(kid, algorithm);
    if (held !== undefined) return held;
    return isMissing() ? { outcome: 'unknown' } : this.#unavailable();
  }

  /** Issued after the fetch began that brought the keys in force, which so says nothing of its key. No token comes from the future. */
  #isYounger(issuedAtMs: number | undefined): boolean {
    return (
      issuedAtMs !== undefined &&
      this.#loadedAt !== undefined &&
      issuedAtMs > this.#loadedAt &&
      issuedAtMs <= this.#ports.clock() + this.#server.leeway * 1000
    );
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
    if (this.#room.isFull) return false;
    const ended = this.ask().then(() => true);
    return (await this.#room.hold(within(patienceMs, ended))) ?? false;
  }

  /** The timer does this first, as a rule; here it doesn't depend on one. */
  #refreshWhenOld(): void {
    const age = this.ageMs;
    if (age === undefined || age < this.#server.keys.ttl || this.#fetch !== undefined) return;
    if (this.#mayStart()) void this.ask();
  }

  #tooOld(): boolean {
    const age = this.ageMs;
    return age !== undefined && age > this.#server.keys.ttl + this.#server.keys.maxStale;
  }

  #mayStart(): boolean {
    return this.#cooldownLeftMs() === 0 && this.#ports.mayAsk?.() !== false;
  }

  /** None where the clock was set back: nothing could be asked until it has caught up. */
  #cooldownLeftMs(): number {
    const passed = this.#lastStartedAt === undefined ? -1 : this.#ports.clock() - this.#lastStartedAt;
    return passed < 0 ? 0 : Math.max(0, this.#server.keys.cooldown - passed);
  }

  async #load(): Promise<void> {
    const startedAt = this.#ports.clock();
    this.#lastStartedAt = startedAt;
    this.#started += 1;
    const number = this.#started;
    const answer = await this.#ports.load();
    if (this.#closed) return;
    const loaded = answer.ok && answer.keys.length === 0 && this.size > 0 ? keysForgotten : answer;
    if (loaded.ok) this.#adopt(loaded.keys, { number, startedAt });
    this.#refreshLater(loaded.ok ? 'success' : 'failure');
    this.#ports.onFetch({
      authorizationServer: this.#server.name,
      outcome: loaded.ok ? 'success' : loaded.failure,
      keys: this.size,
      durationMs: this.#ports.clock() - startedAt,
      ...(loaded.ok ? {} : { detail: loaded.detail }),
    });
  }

  #adopt(keys: readonly SigningKey[], fetch: { readonly number: number; readonly startedAt: number }): void {
    const before = this.#index;
    this.#index = before.replaceBy(keys);
    // A kid that was held has been seen before this fetch, which no longer has it: its tokens are over at once.
    for (const key of before.keys) if (key.retired) this.#seen.set(key.kid, fetch.number - 1);
    this.#loadedAt = fetch.startedAt;
    this.#loaded = fetch.number;
  }

  #refreshLater(lastOutcome: 'success' | 'failure'): void {
    const { background } = this.#ports;
    if (background === undefined) return;
    this.#stopTimer?.();
    const afterMs = refreshAfterMs(this.#server.keys, lastOutcome, background.random());
    this.#stopTimer = background.startTimer(afterMs, () => {
      // A request may have asked since the timer was started; the cool-down holds for both.
      if (this.#fetch === undefined && !this.#mayStart()) this.#refreshLater('failure');
      else void this.ask();
    });
  }
}

/** Of a server that had keys before: who loses them by mistake must not log everyone out. */
const keysForgotten: LoadedKeys = {
  ok: false,
  failure: 'invalid',
  detail: 'it named keys before and names none now',
};
