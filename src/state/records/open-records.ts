import type { TokenStore } from '../../config/configuration.ts';
import type { RedisConnection } from '../redis-connection.ts';
import { FileRecords } from './file-records.ts';
import type { RecordStore } from './record-store.ts';
import { RedisRecords } from './redis-records.ts';
import { SealedRecords } from './sealed-records.ts';

/** The store as the configuration says; a named folder wins over Redis. Opens nothing. */
export function openRecords({ directory, key, previous }: TokenStore, redis?: RedisConnection): RecordStore {
  // Ages of files are told by the machine's clock, whatever the gateway's is.
  if (directory !== undefined)
    return new SealedRecords(new FileRecords(directory, Date.now), [key, ...previous]);
  if (redis === undefined) throw new Error('a token store without a place passed the checks');
  return new SealedRecords(new RedisRecords(redis), [key, ...previous]);
}
