import type { RateLimit } from '../config/configuration.ts';
import type { MemoryRate } from '../state/rates/memory-rate.ts';
import type { RateOf } from '../state/rates/rate.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import type { Strangers } from '../vocabulary/strangers.ts';
import { addressKey } from './address-key.ts';
import { rateExceeded } from './rate-exceeded.ts';

/** What a peer did itself: not the fault of an authorization server, nor what a good token lacks. */
const counted: ReadonlySet<Refusal['kind']> = new Set<Refusal['kind']>([
  'credentials-missing',
  'credentials-ambiguous',
  'token-invalid',
  'proof-invalid',
]);

/**
 * Counts refusals by address, in this process alone: a flood of bad tokens must not become one of questions to
 * Redis. Undefined where there is no limit.
 */
export function strangersWithin(
  limit: RateLimit | undefined,
  localRateOf: (counted: RateOf) => MemoryRate,
): Strangers | undefined {
  if (limit === undefined) return undefined;
  const rate = localRateOf({ name: 'address', limit, of: 'addresses' });
  return {
    barred(address) {
      const exhaustedFor = rate.exhaustedFor(addressKey(address));
      return exhaustedFor === 0 ? undefined : rateExceeded('address_rate', exhaustedFor);
    },
    judge(address, refusal) {
      if (!counted.has(refusal.kind)) return refusal;
      const over = rate.take(addressKey(address), 1);
      return over === 0 ? refusal : rateExceeded('address_rate', over);
    },
  };
}
