import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

import type { Observer } from '../vocabulary/observer.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import { TallyCounter } from './tallies.ts';

type LimitRefusal = Extract<Refusal, { readonly kind: 'rate-exceeded' | 'principal-full' }>;

/** Limit by reason. */
const limits: Readonly<Record<LimitRefusal['reason'], string>> = {
  address_rate: 'address',
  principal_rate: 'principal',
  route_rate: 'route',
  tool_rate: 'tool',
  rule_rate: 'rule',
  principal_calls: 'principal_calls',
  principal_streams: 'principal_streams',
};
const limitByReason: ReadonlyMap<string, string> = new Map(Object.entries(limits));

export interface LimitMetrics extends Pick<Observer, 'countedAlone'> {
  /** Counts those refusals that a limit has caused. */
  readonly refused: (route: string, reason: string) => void;
}

/** Who was told to slow down, and how well the counting goes. */
export function createLimitMetrics(registry: Registry): LimitMetrics {
  const limited = new TallyCounter(registry, {
    name: 'portcullis_rate_limited_total',
    help: 'Requests answered 429, by route and limit: a rate (address, principal, route, tool, rule) or what one principal has under way (principal_calls, principal_streams)',
    labelNames: ['route', 'limit'],
  });
  const alone = new TallyCounter(registry, {
    name: 'portcullis_rate_counted_alone_total',
    help: 'Requests counted towards a rate by this process alone because Redis did not answer',
    labelNames: [],
  });
  return {
    refused(route, reason) {
      const limit = limitByReason.get(reason);
      if (limit !== undefined) limited.count(route, limit);
    },
    countedAlone: () => alone.count(),
  };
}

/** How many of whom, as the state knows it. */
export type WindowsHeld = () => Readonly<Record<'principals' | 'addresses', number>>;

export function registerWindows(registry: Registry, windowsHeld: WindowsHeld): void {
  new Gauge({
    name: 'portcullis_rate_windows_held',
    help: 'Windows of rates in memory, of principals and of addresses; bounded',
    labelNames: ['of'],
    registers: [registry],
    collect() {
      const { principals, addresses } = windowsHeld();
      this.set({ of: 'principals' }, principals);
      this.set({ of: 'addresses' }, addresses);
    },
  });
}
