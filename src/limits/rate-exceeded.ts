import type { RateReason, Refusal } from '../vocabulary/refusal.ts';

export function rateExceeded(reason: RateReason, roomInMs: number): Refusal {
  return { kind: 'rate-exceeded', reason, retryAfterSeconds: Math.max(1, Math.ceil(roomInMs / 1000)) };
}
