import type { AuthorizationServer } from '../../config/configuration.ts';

/** Runs something later, once, without keeping the process alive; answers how to call it off. */
export type StartTimer = (afterMs: number, run: () => void) => () => void;

/** Above it Node's timers fire at once. */
const longestTimerMs = 2 ** 31 - 1;

export const startTimer: StartTimer = (afterMs, run) => {
  const timer = setTimeout(run, Math.min(afterMs, longestTimerMs)).unref();
  return () => clearTimeout(timer);
};

/**
 * When to fetch keys again without being asked: before their TTL is over, or soon after a failure, never before
 * the cool-down is over. Spread at random so that replicas that were started together, or that saw the same
 * outage, don't ask together.
 */
export function refreshAfterMs(
  { ttl, cooldown }: AuthorizationServer['keys'],
  lastOutcome: 'success' | 'failure',
  random: number,
): number {
  return lastOutcome === 'success'
    ? Math.max(cooldown, ttl * (0.8 + 0.15 * random))
    : cooldown * (1 + random);
}
