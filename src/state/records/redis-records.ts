import { randomUUID } from 'node:crypto';

import type { RedisConnection } from '../redis-connection.ts';
import type { RecordClaim, RecordName, RecordOutcome, RecordReading, RecordStore } from './record-store.ts';

/** Only whoever holds the claim ends it: its time may be over, and another have it by now. */
const releaseScript = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end";

/** Records in Redis, for all gateways that share it; the text is its own version. Whether Redis keeps it over a crash is for Redis to say. */
export class RedisRecords implements RecordStore {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async read(name: RecordName, known?: string): Promise<RecordReading> {
    const answered = await this.#redis.ask((client) => client.get(this.#keyOf(name)));
    if (answered === undefined) return unavailable;
    const text = answered.answer;
    if (text === null) return { is: 'absent' };
    return text === known ? { is: 'same' } : { is: 'read', text, version: text };
  }

  async write(name: RecordName, text: string): Promise<RecordOutcome> {
    const answered = await this.#redis.ask((client) => client.set(this.#keyOf(name), text));
    return answered?.answer === 'OK' ? { is: 'kept' } : unavailable;
  }

  async remove(name: RecordName): Promise<RecordOutcome> {
    const answered = await this.#redis.ask((client) => client.del(this.#keyOf(name)));
    return answered === undefined ? unavailable : { is: 'kept' };
  }

  async claim(name: RecordName, ttlMs: number): Promise<RecordClaim> {
    const key = `${this.#keyOf(name)}:claim`;
    const holder = randomUUID();
    const answered = await this.#redis.ask((client) =>
      client.set(key, holder, { condition: 'NX', expiration: { type: 'PX', value: ttlMs } }),
    );
    if (answered === undefined) return unavailable;
    if (answered.answer !== 'OK') return { is: 'taken' };
    return {
      is: 'held',
      release: async () => {
        await this.#redis.ask((client) => client.eval(releaseScript, { keys: [key], arguments: [holder] }));
      },
    };
  }

  #keyOf(name: RecordName): string {
    return this.#redis.key(`record:${name}`);
  }
}

const unavailable = { is: 'unavailable', detail: 'the token store: Redis gives no answer' } as const;
