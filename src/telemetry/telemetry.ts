import type { Logger } from 'pino';

import type { Configuration, Route } from '../config/configuration.ts';
import type { RedisReport } from '../state/redis-connection.ts';
import type { Observer } from '../vocabulary/observer.ts';
import type { LineTrouble, Ports } from '../vocabulary/ports.ts';
import { version } from '../version.ts';
import { createLogger } from './logger.ts';
import type { Readings } from './metrics.ts';
import { createMetrics, registerReadings } from './metrics.ts';
import { reportStart } from './start-report.ts';
import type { TelemetryOptions } from './telemetry.plugin.ts';

/** Everything that the gateway says of itself, in one place for the composition root. */
export interface Telemetry {
  readonly observer: Observer;
  readonly stage: TelemetryOptions;
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
  const metrics = createMetrics(configuration, version);
  const auditSink = configuration.log.audit === 'off' ? undefined : ports.auditSink;
  reportTrouble(logger, ports);
  return {
    stage: {
      logLevel: configuration.log.level,
      logSink: ports.logSink,
      auditSink,
      metrics,
      clock: ports.clock,
    },
    observer: {
      signatureChecked: metrics.signatureChecked,
      introspected: metrics.introspected,
      introspectionSwitched(report) {
        metrics.introspectionSwitched(report);
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
        { ...addresses, version, node: process.version },
        `portcullis ${version} listens on ${addresses.publicAddress}`,
      );
    },
    reportRedis(report) {
      if (report.outcome === 'connected') logger.info(report, 'Redis is connected');
      else
        logger.warn(
          report,
          `Redis is gone (${report.reason}): until it is back DPoP proofs are 503, and rates are counted by this process alone`,
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

function droppedLines({ logSink, auditSink }: Ports): number {
  return (logSink.dropped ?? 0) + (auditSink === logSink ? 0 : (auditSink.dropped ?? 0));
}
