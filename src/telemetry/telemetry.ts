import type { Logger } from 'pino';

import type { Configuration, Listen, Route } from '../config/configuration.ts';
import type { RedisReport } from '../state/redis-connection.ts';
import type { Observer } from '../vocabulary/observer.ts';
import type { LineTrouble, Ports } from '../vocabulary/ports.ts';
import { version } from '../version.ts';
import { createLogger } from './logger.ts';
import type { Readings } from './metrics.ts';
import { createMetrics, registerReadings } from './metrics.ts';
import type { ReloadReports } from './reload-report.ts';
import { reloadReports } from './reload-report.ts';
import { reportStart } from './start-report.ts';
import { reportUpstreamToken } from './upstream-token-report.ts';
import type { TelemetryOptions } from './telemetry.plugin.ts';
import { preloadedTracer, traceRequests } from './tracing.ts';

/** Everything that the gateway says of itself, in one place for the composition root. */
export interface Telemetry extends ReloadReports {
  readonly observer: Observer;
  /** Of every configuration alike. */
  readonly stage: Omit<TelemetryOptions, 'logLevel' | 'underWay' | 'beginTrace'>;
  /** Whose traces go on is for each configuration to say. */
  readonly beginTraceFor: (listen: Pick<Listen, 'trustProxy'>) => TelemetryOptions['beginTrace'];
  /** Registers what is read from the stages when Prometheus scrapes. */
  read(readings: Omit<Readings, 'droppedLines'>): void;
  readonly exposition: () => Promise<{ readonly text: string; readonly type: string }>;
  readonly reportDefect: (error: unknown, requestId: string) => void;
  reportStart(addresses: { readonly publicAddress: string; readonly opsAddress: string }): void;
  reportDeadUpstream(route: Route, reason: string): void;
  readonly reportRedis: (report: RedisReport) => void;
}

export function createTelemetry(configuration: Configuration, ports: Ports): Telemetry {
  const logger = createLogger(configuration.log.level, ports.logSink);
  const tracer = preloadedTracer(version);
  const metrics = createMetrics({
    version,
    clock: ports.clock,
    format: tracer === undefined ? 'text' : 'openmetrics',
  });
  const auditSink = configuration.log.audit === 'off' ? undefined : ports.auditSink;
  metrics.configurations.applied(configuration, ports.clock());
  reportTrouble(logger, ports);
  return {
    stage: {
      logSink: ports.logSink,
      auditSink,
      metrics,
      clock: ports.clock,
    },
    beginTraceFor: ({ trustProxy }) => traceRequests(tracer, trustProxy),
    observer: {
      signatureChecked: metrics.signatureChecked,
      introspected: metrics.introspected,
      introspectionSwitched(report) {
        const { authorizationServer } = report;
        if (report.to === 'asked')
          logger.info(report, `authorization server ${authorizationServer} is asked about tokens again`);
        else
          logger.warn(
            report,
            `authorization server ${authorizationServer} isn't asked about tokens for ${report.seconds} s: ${report.detail}`,
          );
      },
      streamOpened: metrics.streamOpened,
      streamClosed: metrics.streamClosed,
      countedAlone: metrics.countedAlone,
      upstreamTokenSought(report) {
        metrics.upstreamTokenSought(report);
        reportUpstreamToken(logger, report);
      },
      keysFetched(report) {
        metrics.keysFetched(report);
        if (report.outcome === 'success')
          logger.debug(report, `keys of ${report.authorizationServer} fetched`);
        else
          logger.warn(
            report,
            `authorization server ${report.authorizationServer} gave no keys: ${report.detail ?? 'no reason known'}`,
          );
      },
    },
    read: (readings) =>
      registerReadings(metrics.registry, { ...readings, droppedLines: () => droppedLines(ports) }),
    exposition: async () => ({ text: await metrics.registry.metrics(), type: metrics.registry.contentType }),
    reportDefect: (error, requestId) =>
      logger.error({ requestId, err: error }, 'defect: this should never happen'),
    reportStart(addresses) {
      reportStart(logger, configuration);
      logger.info(
        { ...addresses, version, node: process.version, configuration: configuration.hash },
        `portcullis ${version} listens on ${addresses.publicAddress}`,
      );
    },
    ...reloadReports(logger, { metrics: metrics.configurations, clock: ports.clock }),
    reportRedis(report) {
      if (report.outcome === 'connected') logger.info(report, 'Redis is connected');
      else
        logger.warn(
          report,
          `Redis is gone (${report.reason}): until it is back DPoP proofs and upstream logins that are kept there are 503, and rates are counted by this process alone`,
        );
    },
    reportDeadUpstream: (route, reason) =>
      logger.warn(
        { route: route.name, reason },
        `upstream of route ${route.name} can't be reached (${reason}); its calls will be 502 until it can`,
      ),
  };
}

/** The log says of itself too what it lost: once someone reads again. */
function reportTrouble(logger: Logger, { logSink, auditSink }: Ports): void {
  const hearOf =
    (output: 'log' | 'audit') =>
    ({ lostLines, fault }: LineTrouble): void => {
      const facts = { output, lostLines, ...(fault === undefined ? {} : { fault }) };
      if (lostLines > 0) logger.error(facts, `${lostLines} lines of the ${output} are lost`);
      else logger.error(facts, `the ${output} can't be written (${fault}); its lines wait`);
    };
  logSink.onTrouble?.(hearOf('log'));
  if (auditSink !== logSink) auditSink.onTrouble?.(hearOf('audit'));
}

function droppedLines({ logSink, auditSink }: Ports): Readonly<Record<string, number>> {
  const log = logSink.dropped ?? 0;
  return auditSink === logSink ? { log_and_audit: log } : { log, audit: auditSink.dropped ?? 0 };
}
