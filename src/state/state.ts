import { setTimeout as sleep } from 'node:timers/promises';

import type { Configuration, TokenStore } from '../config/configuration.ts';
import type { Observer } from '../vocabulary/observer.ts';
import { MemoryReplays } from './memory-replays.ts';
import { MemoryRate } from './rates/memory-rate.ts';
import type { Rate, RateOf } from './rates/rate.ts';
import { openRecords } from './records/open-records.ts';
import type { RecordStore } from './records/record-store.ts';
import { RedisRate } from './rates/redis-rate.ts';
import { Windows } from './rates/windows.ts';
import { RedisAnswers } from './redis-answers.ts';
import type { RedisReport } from './redis-connection.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisReplays } from './redis-replays.ts';
import type { ReplayStore } from './replay-store.ts';

/** What lives in memory or in Redis, as the configuration says. */
export interface State {
  readonly replays: ReplayStore;
  /** What addresses use up is counted in this process always: strangers could fill Redis with them. */
  readonly rateOf: (counted: RateOf) => Rate;
  /** Of a limit that is asked about without counting, in this process alone. */
  readonly localRateOf: (counted: RateOf) => MemoryRate;
  /** Windows of rates in memory. */
  readonly windowsHeld: () => Readonly<Record<RateOf['of'], number>>;
  /** What keeps logins at upstreams; each configuration may have another one. */
  readonly recordsIn: (tokenStore: TokenStore) => RecordStore;
  /** Where gateways tell each other what authorization servers said of tokens. Undefined where everything is in memory. */
  readonly answers: RedisAnswers | undefined;
  /** Undefined where everything is in memory. */
  readonly isConnected: () => boolean | undefined;
  /**
   * Begins to connect. Settles when a proof that is made now is one that the store can know: clients write the time
   * in whole seconds, so a memory that is younger than the second can't tell such a proof from one used before it.
   */
  open(): Promise<void>;
  close(): void;
}

export interface StateParts {
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly report: (report: RedisReport) => void;
  readonly observer: Pick<Observer, 'countedAlone'>;
}

/** Opens nothing before `open`. */
export function createState(
  { state, routes, sessions }: Pick<Configuration, 'state' | 'routes' | 'sessions'>,
  { clock, report, observer }: StateParts,
): State {
  const windows = { principals: new Windows(), addresses: new Windows() };
  const localRateOf = (counted: RateOf): MemoryRate =>
    new MemoryRate(counted, { windows: windows[counted.of], clock });
  const windowsHeld = (): Readonly<Record<RateOf['of'], number>> => ({
    principals: windows.principals.size,
    addresses: windows.addresses.size,
  });
  if (state === 'memory') {
    const replays = new MemoryReplays({ clock });
    const isUsed = routes.some(({ dpop }) => dpop !== undefined);
    return {
      replays,
      rateOf: localRateOf,
      localRateOf,
      windowsHeld,
      recordsIn: (tokenStore) => openRecords(tokenStore),
      answers: undefined,
      isConnected: () => undefined,
      open: () => (isUsed ? nextSecond(replays.knowsSinceMs, clock) : Promise.resolve()),
      close() {
        // Memory is there and goes with the process.
      },
    };
  }
  const redis = new RedisConnection({ ...state.redis, report });
  return {
    replays: new RedisReplays(redis),
    rateOf(counted) {
      const memory = localRateOf(counted);
      return counted.of === 'addresses'
        ? memory
        : new RedisRate(counted, { redis, memory, onCountedAlone: observer.countedAlone });
    },
    localRateOf,
    windowsHeld,
    recordsIn: (tokenStore) => openRecords(tokenStore, redis),
    answers: new RedisAnswers(redis, sessions),
    isConnected: () => redis.isConnected,
    open() {
      redis.open();
      return Promise.resolve();
    },
    close: () => redis.close(),
  };
}

/** Settles at the first full second from `sinceMs` on. */
async function nextSecond(sinceMs: number, clock: () => number): Promise<void> {
  const remainingMs = Math.ceil(sinceMs / 1000) * 1000 - clock();
  if (remainingMs > 0) await sleep(Math.min(remainingMs, 1000), undefined, { ref: false });
}
