import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

import type { Observer } from '../vocabulary/observer.ts';
import type { Readings } from './metrics.ts';
import { TallyCounter } from './tallies.ts';

/** How authorization servers are asked about tokens. */
export function createIntrospectionMetrics(registry: Registry): Pick<Observer, 'introspected'> {
  const introspections = new TallyCounter(registry, {
    name: 'portcullis_introspections_total',
    help: 'Wishes to know whether a token is active, by authorization server and outcome: remembered, shared by another gateway, asked (active, inactive, failed, refused), or not asked (paused, busy)',
    labelNames: ['authorization_server', 'outcome'],
  });
  return {
    introspected: (authorizationServer, outcome) => introspections.count(authorizationServer, outcome),
  };
}

/** Read where it is known: a pause ends with the server's settings, too, and nobody tells of that. */
export function registerPauses(
  registry: Registry,
  introspectionPauses: Readings['introspectionPauses'],
): void {
  new Gauge({
    name: 'portcullis_introspection_paused',
    help: '1 while an authorization server is not asked about tokens because it failed',
    labelNames: ['authorization_server'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { authorizationServer, isPaused } of introspectionPauses())
        this.set({ authorization_server: authorizationServer }, isPaused ? 1 : 0);
    },
  });
}
