import { hash } from 'node:crypto';
import { createRequire } from 'node:module';

import type * as RateLimiter from 'rate-limiter-flexible';

import type { RedisClient, RedisConnection } from '../redis-connection.ts';
import type { MemoryRate } from './memory-rate.ts';
import type { Rate, RateOf } from './rate.ts';

/** In the place of an import: a gateway without Redis or rates holds none of it. */
const load = createRequire(import.meta.url);

export interface RedisRateParts {
  readonly redis: RedisConnection;
  /** Of the same limit; knows what Redis said last, and counts while Redis is gone. */
  readonly memory: MemoryRate;
  /** Hears of everything that was counted in this process because Redis didn't answer. */
  readonly onCountedAlone: () => void;
}

/**
 * Counts in Redis, for all gateways that share it. While Redis is gone each process counts on from what it last
 * heard. Who is over the limit already is known here, and costs Redis nothing.
 */
export class RedisRate implements Rate {
  readonly #name: string;
  readonly #library = load('rate-limiter-flexible') as typeof RateLimiter;
  readonly #limiter: RateLimiter.RateLimiterRedis;
  readonly #memory: MemoryRate;
  readonly #onCountedAlone: () => void;

  constructor({ name, limit }: Pick<RateOf, 'name' | 'limit'>, parts: RedisRateParts) {
    this.#name = name;
    this.#memory = parts.memory;
    this.#onCountedAlone = parts.onCountedAlone;
    this.#limiter = new this.#library.RateLimiterRedis({
      storeClient: clientBehind(parts.redis),
      useRedisPackage: true,
      keyPrefix: parts.redis.key('rate'),
      points: limit.requests,
      duration: limit.per / 1000,
    });
  }

  take(key: string, requests: number): number | Promise<number> {
    const exhaustedFor = this.#memory.exhaustedFor(key);
    return exhaustedFor > 0 ? exhaustedFor : this.#ask(key, requests);
  }

  async #ask(key: string, requests: number): Promise<number> {
    // Names of people and tools stay out of Redis, and keys are of one length.
    const digest = hash('sha256', JSON.stringify([this.#name, key]), 'base64url');
    try {
      const { consumedPoints, msBeforeNext } = await this.#limiter.consume(digest, requests);
      // Compared with a limit, what is no number is always within it.
      if (!Number.isFinite(consumedPoints + msBeforeNext)) throw new Error('Redis gave no numbers');
      this.#memory.note(key, consumedPoints, msBeforeNext);
      return 0;
    } catch (error) {
      if (error instanceof this.#library.RateLimiterRes) {
        this.#memory.note(key, error.consumedPoints, error.msBeforeNext);
        return Math.max(error.msBeforeNext, 1);
      }
      this.#onCountedAlone();
      return this.#memory.take(key, requests);
    }
  }
}

type Evaluation = Parameters<RedisClient['eval']>;

/** What the limiter sees of Redis: its one script, over the connection of the moment. */
function clientBehind(redis: RedisConnection): object {
  return {
    async eval(...evaluation: Evaluation): Promise<unknown> {
      const answered = await redis.ask((client) => client.eval(...evaluation));
      if (answered === undefined) throw new Error('Redis is gone');
      return answered.answer;
    },
  };
}
