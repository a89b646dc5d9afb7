import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { LRUCache } from 'lru-cache';

import type { RecordName, RecordStore } from '../../state/records/record-store.ts';
import type { KeptLogins } from './kept-logins.ts';
import type { Refreshed } from './refresh.ts';
import type { StoredLogin } from './stored-login.ts';

/**
 * What came of looking for another token. `login-needed`: only a person can help. `store-unavailable` and `failed`: it
 * isn't known whether there is one. `stopping`: the gateway ends.
 */
export type Recovered =
  | { readonly is: 'login'; readonly login: StoredLogin; readonly by: 'another-process' | 'refresh' }
  | {
      readonly is: 'login-needed' | 'store-unavailable' | 'failed' | 'stopping';
      readonly detail: string;
      /** Known from before; nobody was asked. */
      readonly isRemembered?: true;
    };

type Failure = Exclude<Recovered, { readonly is: 'login' }>;

type Refresh = (
  login: StoredLogin & { readonly refreshToken: string },
  signal: AbortSignal,
) => Promise<Refreshed>;

/** What a recovery is about. */
export interface Refused {
  readonly name: RecordName;
  /** The access token that the upstream doesn't take. */
  readonly accessToken: string;
}

export interface RecoveryParts {
  readonly logins: KeptLogins;
  readonly store: RecordStore;
  readonly refresh: Refresh;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Hears of tokens that couldn't be saved: they are used nevertheless, and lost with the process. */
  readonly onUnsaved: (detail: string) => void;
  /** How long a recovery may take: a request waits for it. */
  readonly longestMs: number;
  /** How long what runs may go on once the gateway stops: an answer on its way may be the only copy of a new token. */
  readonly graceMs: number;
}

/** Nobody works on one login longer than a recovery may take, but for what has to be saved then. */
const saveWithinMs = 2000;

/** How often it is looked whether another process is done. */
const pollMs = 100;

/** After a failure the authorization server is left alone for so long: every request could ask it. */
const cooldownMs = 5000;

/** Refresh tokens that were refused or failed lately. */
const maximumRemembered = 1000;

/**
 * Finds a token in place of one that the upstream refused: what another process has put into the store, else a
 * refresh, once for all who come with the same token, in this process and, as far as the store goes, in all. A new
 * refresh token is saved before anyone gets to use what came with it. Nothing rejects, and nothing takes longer than it may.
 */
export class Recoveries {
  readonly #parts: RecoveryParts;
  readonly #running = new Map<string, Promise<Recovered>>();
  readonly #failures = new LRUCache<string, { readonly outcome: Failure; readonly untilMs: number }>({
    max: maximumRemembered,
  });
  readonly #stop = new AbortController();

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  recover(refused: Refused): Promise<Recovered> {
    const key = `${refused.name} ${digestOf(refused.accessToken)}`;
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const recovery = this.#recoverWithin(refused).finally(() => this.#running.delete(key));
    this.#running.set(key, recovery);
    return recovery;
  }

  /** Ends what runs, after a grace. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(), this.#parts.graceMs);
    await Promise.all(this.#running.values());
    clearTimeout(timer);
    this.#stop.abort();
  }

  async #recoverWithin(refused: Refused): Promise<Recovered> {
    const { longestMs } = this.#parts;
    const limit = AbortSignal.timeout(longestMs);
    const signal = AbortSignal.any([limit, this.#stop.signal]);
    const over = Promise.withResolvers<Recovered>();
    const end = (): void =>
      over.resolve(
        this.#stop.signal.aborted
          ? { is: 'stopping', detail: 'the gateway stops' }
          : { is: 'failed', detail: `no new token within ${longestMs} ms` },
      );
    if (signal.aborted) return { is: 'stopping', detail: 'the gateway stops' };
    signal.addEventListener('abort', end, { once: true });
    return Promise.race([this.#recover(refused, signal), over.promise]);
  }

  async #recover(refused: Refused, signal: AbortSignal): Promise<Recovered> {
    const { longestMs } = this.#parts;
    for (;;) {
      const found = await this.#lookFor(refused);
      if (found.is !== 'refreshable') return found;
      const claim = await this.#parts.store.claim(refused.name, longestMs + saveWithinMs);
      if (claim.is === 'unavailable') return { is: 'store-unavailable', detail: claim.detail };
      if (claim.is === 'held') {
        try {
          return await this.#refreshHeld(refused, signal);
        } finally {
          await claim.release();
        }
      }
      try {
        await sleep(pollMs, undefined, { signal });
      } catch {
        return { is: 'stopping', detail: 'the gateway stops' };
      }
    }
  }

  /** Another process may have refreshed between the last look and the claim. */
  async #refreshHeld(refused: Refused, signal: AbortSignal): Promise<Recovered> {
    const found = await this.#lookFor(refused);
    if (found.is !== 'refreshable') return found;
    const { login } = found;
    const refreshed = await this.#parts.refresh(login, signal);
    if (refreshed.is === 'refreshed') return this.#keep(refused, login, refreshed.login);
    // A person may have logged in meanwhile.
    const again = await this.#lookFor(refused);
    if (again.is !== 'refreshable') return again;
    const outcome: Failure =
      refreshed.is === 'refused'
        ? { is: 'login-needed', detail: refreshed.detail }
        : { is: 'failed', detail: refreshed.detail };
    const untilMs = refreshed.is === 'refused' ? Infinity : this.#parts.clock() + cooldownMs;
    this.#failures.set(digestOf(login.refreshToken), { outcome, untilMs });
    return outcome;
  }

  async #keep({ name }: Refused, before: StoredLogin, login: StoredLogin): Promise<Recovered> {
    const now = await this.#parts.logins.look(name);
    // A login that was made meanwhile is newer than what the old one led to.
    if (now.is === 'login' && now.login.refreshToken !== before.refreshToken)
      return { is: 'login', login: now.login, by: 'another-process' };
    const saved = await this.#parts.logins.save(name, login);
    if (saved.is === 'unavailable') this.#parts.onUnsaved(saved.detail);
    return { is: 'login', login, by: 'refresh' };
  }

  async #lookFor({ name, accessToken }: Refused): Promise<Recovered | Refreshable> {
    const look = await this.#parts.logins.look(name);
    if (look.is === 'unavailable') return { is: 'store-unavailable', detail: look.detail };
    if (look.is === 'absent') return { is: 'login-needed', detail: 'nobody has logged in' };
    const { login } = look;
    if (login.accessToken !== accessToken) return { is: 'login', login, by: 'another-process' };
    const { refreshToken } = login;
    if (refreshToken === undefined)
      return { is: 'login-needed', detail: 'the upstream refused the token, and there is no refresh token' };
    const failure = this.#failures.get(digestOf(refreshToken));
    if (failure !== undefined && this.#parts.clock() < failure.untilMs)
      return { ...failure.outcome, isRemembered: true };
    return { is: 'refreshable', login: { ...login, refreshToken } };
  }
}

interface Refreshable {
  readonly is: 'refreshable';
  readonly login: StoredLogin & { readonly refreshToken: string };
}

function digestOf(token: string): string {
  return hash('sha256', token, 'base64url');
}
