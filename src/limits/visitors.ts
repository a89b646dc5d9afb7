import type { RateLimit } from '../config/configuration.ts';
import type { MemoryRate } from '../state/rates/memory-rate.ts';
import type { RateOf } from '../state/rates/rate.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import { addressKey } from './address-key.ts';
import { rateExceeded } from './rate-exceeded.ts';

/** A login is four visits; an office of many behind one address can log in within a minute. */
const visits: RateLimit = { requests: 300, per: 60_000 };

/** Counts visits to pages that ask for no token, by address and in this process; answers why one is refused. */
export function visitorsWithin(
  localRateOf: (counted: RateOf) => MemoryRate,
): (address: string | undefined) => Refusal | undefined {
  const rate = localRateOf({ name: 'login', limit: visits, of: 'addresses' });
  return (address) => {
    const over = rate.take(addressKey(address), 1);
    return over === 0 ? undefined : rateExceeded('address_rate', over);
  };
}
