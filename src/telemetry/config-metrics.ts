import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

import type { Configuration } from '../config/configuration.ts';
import { TallyCounter } from './tallies.ts';

export interface ConfigMetrics {
  /** `nowMs`: since the epoch. */
  readonly applied: (configuration: Configuration, nowMs: number) => void;
  readonly refused: () => void;
}

/**
 * Which configuration is in force, and what came of the attempts to put another one there. `beginRoute` hears of every
 * route, so that series are there before anything happens on it.
 */
export function createConfigMetrics(registry: Registry, beginRoute: (route: string) => void): ConfigMetrics {
  const registers = [registry];
  const describe = configurationGauges(registers);
  const failures = new TallyCounter(registry, {
    name: 'portcullis_config_reload_failures_total',
    help: 'Configurations that were refused while the gateway ran, because of faults in them',
    labelNames: [],
  });
  failures.begin();
  const isLastGood = new Gauge({
    name: 'portcullis_config_last_reload_successful',
    help: '1 if the configuration was good when it was last read, 0 if the one before stays in force',
    registers,
  });
  const lastGood = new Gauge({
    name: 'portcullis_config_last_reload_success_timestamp_seconds',
    help: 'When a good configuration was last read, at the start or since; Unix time',
    registers,
  });
  return {
    applied(configuration, nowMs) {
      for (const { name } of configuration.routes) beginRoute(name);
      describe(configuration);
      isLastGood.set(1);
      lastGood.set(nowMs / 1000);
    },
    refused() {
      failures.count();
      isLastGood.set(0);
    },
  };
}

/** Gauges that say what stands in the configuration; of one that is replaced nothing is left. */
function configurationGauges(registers: Registry[]): (configuration: Configuration) => void {
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ): Gauge<Label> => new Gauge({ name, help, labelNames: [...labelNames], registers });
  const info = gauge(
    'portcullis_config_info',
    'The configuration in force, by a hash of its text; always 1. Replicas with one file have one hash',
    ['hash'],
  );
  const routeInfo = gauge(
    'portcullis_route_info',
    'Configured routes with their access and accepted authorization servers; always 1',
    ['route', 'access', 'authorization_servers'],
  );
  const streamsLimit = gauge('portcullis_streams_limit', 'Event streams that may be open at one time', [
    'route',
  ]);
  const weakening = gauge(
    'portcullis_weakened_setting',
    'Settings of the configuration that weaken a default; always 1',
    ['setting'],
  );
  return ({ hash, routes, weakenings }) => {
    for (const each of [info, routeInfo, streamsLimit, weakening]) each.reset();
    info.set({ hash }, 1);
    for (const { name, access, authorizationServers, limits } of routes) {
      streamsLimit.set({ route: name }, limits.streams);
      const names = authorizationServers.map((server) => server.name).join(' ');
      routeInfo.set({ route: name, access, authorization_servers: names }, 1);
    }
    for (const { path } of weakenings) weakening.set({ setting: path }, 1);
  };
}
