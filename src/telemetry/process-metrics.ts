import { Registry, collectDefaultMetrics } from 'prom-client';

/** The process has one event loop and one collector. What the library starts to watch them never ends: it is started once. */
let watched: Registry | undefined;

/** Adds what Node tells of the process, for gateways in the same one alike. */
export function registerProcess(registry: Registry): void {
  if (watched === undefined) {
    watched = new Registry();
    collectDefaultMetrics({ register: watched });
  }
  for (const { name } of watched.getMetricsAsArray()) {
    const metric = watched.getSingleMetric(name);
    if (metric !== undefined) registry.registerMetric(metric);
  }
}
