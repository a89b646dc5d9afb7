import type { Registry } from 'prom-client';

import {
  httpMethodLabel,
  rememberClientLabels,
  rpcMethodLabel,
  ruleLabel,
  statusLabel,
} from './known-words.ts';
import type { LimitMetrics } from './limit-metrics.ts';
import type { RequestRecord } from './record.ts';
import { TallyCounter, TallyHistogram } from './tallies.ts';

/** Requests take from half a millisecond to the quarter of an hour of a long tool call. */
const durationBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 900];

/** The label of what belongs to no route, such as metadata. */
const noRoute = 'none';

export interface RequestMetrics {
  readonly observe: (record: RequestRecord, userAgent: string | undefined) => void;
  /** Shows what a route has to be watched for before it happens. */
  readonly begin: (route: string) => void;
}

interface RequestMetricsParts extends Pick<LimitMetrics, 'refused'> {
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** What came of requests, and how long they took. */
export function createRequestMetrics(
  registry: Registry,
  { clock, refused }: RequestMetricsParts,
): RequestMetrics {
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
  const ruled = new TallyCounter(registry, {
    name: 'portcullis_policy_decisions_total',
    help: 'Requests that the rules of a route judged, by route, rule that admitted it or came nearest, and decision',
    labelNames: ['route', 'rule', 'decision'],
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
  const clientLabelOf = rememberClientLabels();
  const begin = (route: string): void => refusals.begin(route, 'defect');
  begin(noRoute);
  return {
    begin,
    observe(record, userAgent) {
      const route = record.route ?? noRoute;
      requests.count(
        route,
        httpMethodLabel(record.httpMethod),
        rpcMethodLabel(record.rpcMethods),
        statusLabel(record.status),
      );
      clients.count(clientLabelOf(userAgent));
      if (record.ruled !== undefined) ruled.count(route, ruleLabel(record.rule), record.ruled);
      if (record.reason !== 'ok') {
        refusals.count(route, record.reason);
        refused(route, record.reason);
      }
      const exemplar =
        record.traceId === undefined ? undefined : { traceId: record.traceId, atSeconds: clock() / 1000 };
      if (!record.stream) durations.observe(route, record.durationMs / 1000, exemplar);
      if (record.upstreamMs !== undefined)
        upstreamDurations.observe(route, record.upstreamMs / 1000, exemplar);
    },
  };
}
