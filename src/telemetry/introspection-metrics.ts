import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

import type { Configuration } from '../config/configuration.ts';
import type { Observer } from '../vocabulary/observer.ts';
import { TallyCounter } from './tallies.ts';

/** How authorization servers are asked about tokens. */
export function createIntrospectionMetrics(
  registry: Registry,
  { authorizationServers }: Pick<Configuration, 'authorizationServers'>,
): Pick<Observer, 'introspected' | 'introspectionSwitched'> {
  const introspections = new TallyCounter(registry, {
    name: 'portcullis_introspections_total',
    help: 'Wishes to know whether a token is active, by authorization server and outcome: remembered, shared by another gateway, asked (active, inactive, failed, refused), or not asked (paused, busy)',
    labelNames: ['authorization_server', 'outcome'],
  });
  const paused = new Gauge({
    name: 'portcullis_introspection_paused',
    help: '1 while an authorization server is not asked about tokens because it failed',
    labelNames: ['authorization_server'],
    registers: [registry],
  });
  for (const { name, introspection } of authorizationServers)
    if (introspection !== undefined) paused.set({ authorization_server: name }, 0);
  return {
    introspected: (authorizationServer, outcome) => introspections.count(authorizationServer, outcome),
    introspectionSwitched: ({ authorizationServer, to }) =>
      paused.set({ authorization_server: authorizationServer }, to === 'paused' ? 1 : 0),
  };
}
