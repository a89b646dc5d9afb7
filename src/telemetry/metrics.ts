import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

import type { Configuration } from '../config/configuration.ts';
import type { KeyFetch, Observer } from '../vocabulary/observer.ts';
import { clientLabel, httpMethodLabel, rpcMethodLabel } from './known-words.ts';
import type { RequestRecord } from './record.ts';

/** Requests take from half a millisecond to the quarter of an hour of a long tool call. */
const durationBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 900];

/** What other stages can be asked for when Prometheus scrapes. */
export interface Readings {
  readonly ready: () => boolean;
  readonly rememberedSignatures: () => number;
  readonly keyAges: () => readonly { readonly authorizationServer: string; readonly ageMs: number | undefined; readonly keys: number }[];
}

export interface Metrics extends Observer {
  readonly registry: Registry;
  observe(record: RequestRecord, userAgent: string | undefined): void;
}

/** All metrics of one gateway, in a registry of its own. Every label value is from a bounded list. */
export function createMetrics(configuration: Configuration, version: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'portcullis_requests_total',
    help: 'Requests answered, by route, HTTP method, JSON-RPC method and status (499: the client left first)',
    labelNames: ['route', 'http_method', 'rpc_method', 'status'],
    registers,
  });
  const refusals = new Counter({
    name: 'portcullis_refusals_total',
    help: 'Requests that were not served, by route and reason',
    labelNames: ['route', 'reason'],
    registers,
  });
  const clients = new Counter({
    name: 'portcullis_client_requests_total',
    help: 'Requests by client software, as far as its User-Agent is known',
    labelNames: ['client'],
    registers,
  });
  const durations = new Histogram({
    name: 'portcullis_request_duration_seconds',
    help: 'Time from a request to the end of its answer; event streams are left out',
    labelNames: ['route'],
    buckets: durationBuckets,
    registers,
  });
  const upstreamDurations = new Histogram({
    name: 'portcullis_upstream_headers_seconds',
    help: 'Time until the response headers of the upstream',
    labelNames: ['route'],
    buckets: durationBuckets,
    registers,
  });
  const streams = new Gauge({ name: 'portcullis_streams_open', help: 'Event streams open now', labelNames: ['route'], registers });
  const signatures = new Counter({
    name: 'portcullis_token_signatures_total',
    help: 'Token signatures: remembered from before, verified, or failed',
    labelNames: ['outcome'],
    registers,
  });
  const keyFetches = new Counter({
    name: 'portcullis_key_fetches_total',
    help: 'Fetches of signing keys by authorization server and outcome',
    labelNames: ['authorization_server', 'outcome'],
    registers,
  });
  describeConfiguration(configuration, version, registers);

  return {
    registry,
    observe(record, userAgent) {
      const route = record.route ?? 'none';
      requests.inc({
        route,
        http_method: httpMethodLabel(record.httpMethod),
        rpc_method: rpcMethodLabel(record.rpcMethods),
        status: String(record.status),
      });
      clients.inc({ client: clientLabel(userAgent) });
      if (record.reason !== 'ok') refusals.inc({ route, reason: record.reason });
      if (!record.stream) durations.observe({ route }, record.durationMs / 1000);
      if (record.upstreamMs !== undefined) upstreamDurations.observe({ route }, record.upstreamMs / 1000);
    },
    signatureChecked: (outcome) => signatures.inc({ outcome }),
    keysFetched: ({ authorizationServer, outcome }: KeyFetch) =>
      keyFetches.inc({ authorization_server: authorizationServer, outcome }),
    streamOpened: (route) => streams.inc({ route }),
    streamClosed: (route) => streams.dec({ route }),
  };
}

/** Gauges that are read from the stages when Prometheus asks. */
export function registerReadings(registry: Registry, readings: Readings): void {
  const registers = [registry];
  new Gauge({
    name: 'portcullis_ready',
    help: '1 once every authorization server has been asked, 0 before and while stopping',
    registers,
    collect() {
      this.set(readings.ready() ? 1 : 0);
    },
  });
  new Gauge({
    name: 'portcullis_remembered_signatures',
    help: 'Token signatures held in memory',
    registers,
    collect() {
      this.set(readings.rememberedSignatures());
    },
  });
  new Gauge({
    name: 'portcullis_keys_held',
    help: 'Signing keys in force, by authorization server',
    labelNames: ['authorization_server'],
    registers,
    collect() {
      for (const { authorizationServer, keys } of readings.keyAges()) this.set({ authorization_server: authorizationServer }, keys);
    },
  });
  new Gauge({
    name: 'portcullis_key_age_seconds',
    help: 'Time since the signing keys in force were fetched; absent while there are none',
    labelNames: ['authorization_server'],
    registers,
    collect() {
      for (const { authorizationServer, ageMs } of readings.keyAges()) {
        if (ageMs !== undefined) this.set({ authorization_server: authorizationServer }, ageMs / 1000);
      }
    },
  });
}

function describeConfiguration(configuration: Configuration, version: string, registers: Registry[]): void {
  new Gauge({
    name: 'portcullis_info',
    help: 'Version of the gateway and of its runtime; always 1',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.version }, 1);
  const routeInfo = new Gauge({
    name: 'portcullis_route_info',
    help: 'Configured routes with their access and accepted authorization servers; always 1',
    labelNames: ['route', 'access', 'authorization_servers'],
    registers,
  });
  for (const { name, access, authorizationServers } of configuration.routes) {
    routeInfo.set({ route: name, access, authorization_servers: authorizationServers.map((server) => server.name).join(' ') }, 1);
  }
  const weakening = new Gauge({
    name: 'portcullis_weakened_setting',
    help: 'Settings of the configuration that weaken a default; always 1',
    labelNames: ['setting'],
    registers,
  });
  for (const { path } of configuration.weakenings) weakening.set({ setting: path }, 1);
}
