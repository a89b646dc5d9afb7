import { isDeepStrictEqual } from 'node:util';

import type { Configuration } from '../config/configuration.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { ActiveAnswer, SharedAnswers } from './shared-answers.ts';
import { TextSeal } from './text-seal.ts';

/** A flood of invented tokens, each looked up here, would else fill the queue that proofs and rates share. */
const maximumUnderWay = 100;

/** More than the claims of people take: a Redis is no place for them all at 64 KiB. */
const maximumCharacters = 16 * 1024;

/**
 * Answers in Redis, each sealed for its name with a key made from `sessions.key`: who can write to Redis can take
 * answers away or put old ones back, which hold no longer for it, but let nobody in. Without that key nothing is shared.
 */
export class RedisAnswers implements SharedAnswers {
  readonly #redis: RedisConnection;
  #seal: TextSeal | undefined;
  #underWay = 0;

  constructor(redis: RedisConnection, sessions: Configuration['sessions']) {
    this.#redis = redis;
    this.sealWith(sessions);
  }

  /** From now on. What was sealed with other keys is as good as not there. */
  sealWith({ key, previous }: Configuration['sessions']): void {
    this.#seal = key === undefined ? undefined : new TextSeal([key, ...previous], 'answers');
  }

  async recall(name: string): Promise<ActiveAnswer | undefined> {
    const seal = this.#seal;
    if (seal === undefined || this.#underWay >= maximumUnderWay) return undefined;
    const sealed = await this.#ask((key) => this.#redis.ask((client) => client.get(key)), name);
    const text = typeof sealed?.answer === 'string' ? seal.open(sealed.answer, name) : undefined;
    return text === undefined ? undefined : (JSON.parse(text) as ActiveAnswer);
  }

  keep(name: string, answer: ActiveAnswer, ttlMs: number): void {
    const text = JSON.stringify(answer);
    // What JSON can't say again, such as a number beyond all, would be another answer.
    if (text.length > maximumCharacters || !isDeepStrictEqual(JSON.parse(text), answer)) return;
    const sealed = this.#seal?.seal(text, name);
    if (sealed === undefined || this.#underWay >= maximumUnderWay) return;
    const expiration = { type: 'PX', value: Math.ceil(ttlMs) } as const;
    void this.#ask((key) => this.#redis.ask((client) => client.set(key, sealed, { expiration })), name);
  }

  forget(name: string): void {
    if (this.#seal === undefined || this.#underWay >= maximumUnderWay) return;
    void this.#ask((key) => this.#redis.ask((client) => client.del(key)), name);
  }

  async #ask<T>(ask: (key: string) => Promise<T>, name: string): Promise<T> {
    this.#underWay += 1;
    try {
      return await ask(this.#redis.key(`answer:${name}`));
    } finally {
      this.#underWay -= 1;
    }
  }
}
