import { setTimeout as sleep } from 'node:timers/promises';

import type { Configuration } from '../config/configuration.ts';
import { MemoryReplays } from './memory-replays.ts';
import type { RedisReport } from './redis-connection.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisReplays } from './redis-replays.ts';
import type { ReplayStore } from './replay-store.ts';

/** What lives in memory or in Redis, as the configuration says. */
export interface State {
  readonly replays: ReplayStore;
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
}

/** Opens nothing before `open`. */
export function createState(
  { state, routes }: Pick<Configuration, 'state' | 'routes'>,
  { clock, report }: StateParts,
): State {
  if (state === 'memory') {
    const replays = new MemoryReplays({ clock });
    const isUsed = routes.some(({ dpop }) => dpop !== undefined);
    return {
      replays,
      isConnected: () => undefined,
      open: () => (isUsed ? nextSecond(replays.knowsSinceMs, clock) : Promise.resolve()),
      close() {
        // Memory is there and goes with the process.
      },
    };
  }
  const redis = new RedisConnection({ url: state.redis.url, report });
  return {
    replays: new RedisReplays(redis),
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
