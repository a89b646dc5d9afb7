import { Counter, Gauge, Registry } from 'prom-client';

import type { ConfigMetrics } from './config-metrics.ts';
import { createConfigMetrics } from './config-metrics.ts';
import type { Observer } from '../vocabulary/observer.ts';
import { createIntrospectionMetrics, registerPauses } from './introspection-metrics.ts';
import type { WindowsHeld } from './limit-metrics.ts';
import { createLimitMetrics, registerWindows } from './limit-metrics.ts';
import { registerKeys } from './key-metrics.ts';
import { registerProcess } from './process-metrics.ts';
import type { RequestRecord } from './record.ts';
import { createRequestMetrics } from './request-metrics.ts';
import { TallyCounter } from './tallies.ts';

/** What other stages can be asked for when Prometheus scrapes. */
export interface Readings {
  readonly ready: () => boolean;
  readonly rememberedSignatures: () => number;
  /** By output; log and audit are one where both are written to standard output. */
  readonly droppedLines: () => Readonly<Record<string, number>>;
  /** What is held of tenants; `routes` undefined where no route has several. */
  readonly tenantsHeld: () => {
    readonly routes: number | undefined;
    readonly authorizationServers: number;
  };
  /** Undefined where there is no Redis. */
  readonly redisConnected: () => boolean | undefined;
  readonly windowsHeld: WindowsHeld;
  /** The one in force, and those that something still runs on. */
  readonly configurationsHeld: () => number;
  /** Of the authorization servers that are asked about tokens. */
  readonly introspectionPauses: () => readonly {
    readonly authorizationServer: string;
    readonly isPaused: boolean;
  }[];
  readonly keyAges: () => readonly {
    readonly authorizationServer: string;
    readonly ageMs: number | undefined;
    readonly keys: number;
    /** Older ones should have been replaced. */
    readonly refreshMs: number;
    /** Older ones aren't used. */
    readonly lifetimeMs: number;
  }[];
}

export interface Metrics extends Omit<Observer, 'introspectionSwitched'> {
  readonly registry: Registry;
  readonly configurations: ConfigMetrics;
  readonly observe: (record: RequestRecord, userAgent: string | undefined) => void;
}

export interface MetricsParts {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Only OpenMetrics has exemplars, which point from a duration to the trace of one request. */
  readonly format: 'text' | 'openmetrics';
}

/** All metrics of one gateway, in a registry of its own. Every label value is from a bounded list. */
export function createMetrics({ version, clock, format }: MetricsParts): Metrics {
  const registry = new Registry(
    format === 'text' ? Registry.PROMETHEUS_CONTENT_TYPE : Registry.OPENMETRICS_CONTENT_TYPE,
  );
  const registers = [registry];
  registerProcess(registry);
  const limits = createLimitMetrics(registry);
  const requests = createRequestMetrics(registry, { clock, refused: limits.refused });
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
  const upstreamTokens = new TallyCounter(registry, {
    name: 'portcullis_upstream_token_searches_total',
    help: 'Searches for another token of an upstream login, by route and outcome; unsaved: a new one could not be kept',
    labelNames: ['route', 'outcome'],
  });
  const configurations = createConfigMetrics(registry, (route) => {
    requests.begin(route);
    streams.inc({ route }, 0);
  });
  describeBuild(version, registers);

  return {
    registry,
    configurations,
    observe: requests.observe,
    signatureChecked: (outcome) => signatures.count(outcome),
    keysFetched: ({ authorizationServer, outcome }) => keyFetches.count(authorizationServer, outcome),
    ...createIntrospectionMetrics(registry),
    countedAlone: limits.countedAlone,
    upstreamTokenSought: ({ route, outcome }) => upstreamTokens.count(route, outcome),
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
    name: 'portcullis_config_held',
    help: 'Configurations in memory: the one in force, and those before it that a request or stream still runs on',
    registers,
    collect() {
      this.set(readings.configurationsHeld());
    },
  });
  new Gauge({
    name: 'portcullis_tenants_held',
    help: 'Tenants in memory: their routes, and their authorization servers with metadata and keys; bounded, absent without tenants',
    labelNames: ['part'],
    registers,
    collect() {
      this.reset();
      const { routes, authorizationServers } = readings.tenantsHeld();
      if (routes === undefined) return;
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
  registerDroppedLines(registry, readings.droppedLines);
  registerKeys(registry, readings.keyAges);
  registerPauses(registry, readings.introspectionPauses);
}

function registerDroppedLines(registry: Registry, droppedLines: Readings['droppedLines']): void {
  new Counter({
    name: 'portcullis_lines_dropped_total',
    help: 'Lines of log and audit that were lost because their reader was too slow or gone',
    labelNames: ['output'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [output, lines] of Object.entries(droppedLines())) this.inc({ output }, lines);
    },
  });
}

function describeBuild(version: string, registers: Registry[]): void {
  new Gauge({
    name: 'portcullis_info',
    help: 'Version of the gateway and of its runtime; always 1',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.version }, 1);
}
