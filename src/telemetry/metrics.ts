import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';

import type { Configuration } from '../config/configuration.ts';
import type { Observer } from '../vocabulary/observer.ts';
import { createIntrospectionMetrics } from './introspection-metrics.ts';
import type { WindowsHeld } from './limit-metrics.ts';
import { createLimitMetrics, registerWindows } from './limit-metrics.ts';
import { httpMethodLabel, rememberClientLabels, rpcMethodLabel } from './known-words.ts';
import type { RequestRecord } from './record.ts';
import { TallyCounter, TallyHistogram } from './tallies.ts';

/** Requests take from half a millisecond to the quarter of an hour of a long tool call. */
const durationBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 900];

/** What other stages can be asked for when Prometheus scrapes. */
export interface Readings {
  readonly ready: () => boolean;
  readonly rememberedSignatures: () => number;
  readonly droppedLines: () => number;
  /** What is held of tenants; `routes` undefined where no route has several. */
  readonly tenantsHeld: () => {
    readonly routes: number | undefined;
    readonly authorizationServers: number;
  };
  /** Undefined where there is no Redis. */
  readonly redisConnected: () => boolean | undefined;
  readonly windowsHeld: WindowsHeld;
  readonly keyAges: () => readonly {
    readonly authorizationServer: string;
    readonly ageMs: number | undefined;
    readonly keys: number;
  }[];
}

export interface Metrics extends Observer {
  readonly registry: Registry;
  readonly observe: (record: RequestRecord, userAgent: string | undefined) => void;
}

/** All metrics of one gateway, in a registry of its own. Every label value is from a bounded list. */
export function createMetrics(configuration: Configuration, version: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new TallyCounter(registry, {
    name: 'portcullis_requests_total',
    help: 'Requests answered, by route, HTTP method, JSON-RPC method and status (499: the client left first)',
    labelNames: ['route', 'http_method', 'rpc_method', 'status'],
  });
  const refusals = new TallyCounter(registry, {
    name: 'portcullis_refusals_total',
    help: 'Requests that were not served, by route and reason',
    labelNames: ['route', 'reason'],
  });
  const clients = new TallyCounter(registry, {
    name: 'portcullis_client_requests_total',
    help: 'Requests by client software, as far as its User-Agent is known',
    labelNames: ['client'],
  });
  const durations = new TallyHistogram(registry, {
    name: 'portcullis_request_duration_seconds',
    help: 'Time from a request to the end of its answer, by route; event streams are left out',
    bounds: durationBounds,
  });
  const upstreamDurations = new TallyHistogram(registry, {
    name: 'portcullis_upstream_headers_seconds',
    help: 'Time from a request to the response headers of the upstream, by route',
    bounds: durationBounds,
  });
  const signatures = new TallyCounter(registry, {
    name: 'portcullis_token_signatures_total',
    help: 'Token signatures: remembered from before, verified, or failed',
    labelNames: ['outcome'],
  });
  const keyFetches = new TallyCounter(registry, {
    name: 'portcullis_key_fetches_total',
    help: 'Fetches of signing keys by authorization server and outcome',
    labelNames: ['authorization_server', 'outcome'],
  });
  const streams = new Gauge({
    name: 'portcullis_streams_open',
    help: 'Event streams open now',
    labelNames: ['route'],
    registers,
  });
  const limits = createLimitMetrics(registry);
  const clientLabelOf = rememberClientLabels();
  describeConfiguration(configuration, version, registers);

  return {
    registry,
    observe(record, userAgent) {
      const route = record.route ?? 'none';
      requests.count(
        route,
        httpMethodLabel(record.httpMethod),
        rpcMethodLabel(record.rpcMethods),
        String(record.status),
      );
      clients.count(clientLabelOf(userAgent));
      if (record.reason !== 'ok') {
        refusals.count(route, record.reason);
        limits.refused(route, record.reason);
      }
      if (!record.stream) durations.observe(route, record.durationMs / 1000);
      if (record.upstreamMs !== undefined) upstreamDurations.observe(route, record.upstreamMs / 1000);
    },
    signatureChecked: (outcome) => signatures.count(outcome),
    keysFetched: ({ authorizationServer, outcome }) => keyFetches.count(authorizationServer, outcome),
    ...createIntrospectionMetrics(registry, configuration),
    countedAlone: limits.countedAlone,
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
  if (readings.tenantsHeld().routes !== undefined)
    new Gauge({
      name: 'portcullis_tenants_held',
      help: 'Tenants in memory: their routes, and their authorization servers with metadata and keys; bounded, absent without tenants',
      labelNames: ['part'],
      registers,
      collect() {
        const { routes = 0, authorizationServers } = readings.tenantsHeld();
        this.set({ part: 'routes' }, routes);
        this.set({ part: 'authorization_servers' }, authorizationServers);
      },
    });
  if (readings.redisConnected() !== undefined)
    new Gauge({
      name: 'portcullis_redis_connected',
      help: '1 while the connection to Redis stands; absent without Redis',
      registers,
      collect() {
        this.set(readings.redisConnected() === true ? 1 : 0);
      },
    });
  registerWindows(registry, readings.windowsHeld);
  new Gauge({
    name: 'portcullis_lines_dropped',
    help: 'Log and audit lines lost since the start because their reader was too slow or gone',
    registers,
    collect() {
      this.set(readings.droppedLines());
    },
  });
  new Gauge({
    name: 'portcullis_keys_held',
    help: 'Signing keys in force, by authorization server',
    labelNames: ['authorization_server'],
    registers,
    collect() {
      for (const { authorizationServer, keys } of readings.keyAges())
        this.set({ authorization_server: authorizationServer }, keys);
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
    routeInfo.set(
      {
        route: name,
        access,
        authorization_servers: authorizationServers.map((server) => server.name).join(' '),
      },
      1,
    );
  }
  const weakening = new Gauge({
    name: 'portcullis_weakened_setting',
    help: 'Settings of the configuration that weaken a default; always 1',
    labelNames: ['setting'],
    registers,
  });
  for (const { path } of configuration.weakenings) weakening.set({ setting: path }, 1);
}
