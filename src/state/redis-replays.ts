import { hash } from 'node:crypto';

import type { RedisConnection } from './redis-connection.ts';
import type { Claim, ReplayStore, Use } from './replay-store.ts';

/**
 * Remembers uses in Redis, for all gateways that share it. It doesn't see whether Redis forgot one before its time:
 * an eviction policy other than `noeviction`, or a failover to a replica that lags behind, does that.
 */
export class RedisReplays implements ReplayStore {
  readonly knowsSinceMs = undefined;
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async claim({ holder, id, ttlMs }: Use): Promise<Claim> {
    const key = this.#redis.key(`use:${hash('sha256', JSON.stringify([holder, id]), 'base64url')}`);
    const answered = await this.#redis.ask((client) =>
      client.set(key, '', { condition: 'NX', expiration: { type: 'PX', value: Math.ceil(ttlMs) } }),
    );
    if (answered?.answer === 'OK') return 'new';
    return answered?.answer === null ? 'seen' : 'unavailable';
  }
}
