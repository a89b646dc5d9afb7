import fp from 'fastify-plugin';

import type { LogLevel } from '../config/configuration.ts';
import type { LineSink } from '../vocabulary/ports.ts';
import { levelOf, lineWriter } from './lines.ts';
import type { Metrics } from './metrics.ts';
import { recordOf } from './record.ts';
import type { BeginTrace } from './tracing.ts';
import { utcTimeWriter } from './utc-time.ts';

export interface TelemetryOptions {
  readonly logLevel: LogLevel;
  readonly logSink: LineSink;
  /** Undefined: no audit. */
  readonly auditSink: LineSink | undefined;
  readonly metrics: Metrics;
  /** Undefined: no request is part of a trace. */
  readonly beginTrace: BeginTrace | undefined;
  /** Counts what the configuration of the stage is needed for. */
  readonly underWay: { began(): void; ended(): void };
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** One log line, one audit event and the metrics of every request, once its answer ended or its client left. */
export const telemetryStage = fp<TelemetryOptions>(
  (app, { logLevel, logSink, auditSink, metrics, beginTrace, underWay, clock }, ready) => {
    const levels = loggedLevels(logLevel);
    const writeTime = utcTimeWriter();
    const writeLines = lineWriter();
    app.decorateRequest('exchange', null).decorateRequest('trace', null).decorateRequest('loginVisit', null);
    app.addHook('onRequest', (request, reply, next) => {
      const startedAt = performance.now();
      underWay.began();
      // Once the socket is gone it no longer knows its peer; a client that resets at once may be gone already.
      const address = request.raw.socket.remoteAddress === undefined ? 'unknown' : request.ip;
      const trace = beginTrace === undefined ? null : beginTrace(request);
      if (trace !== null) request.trace = trace;
      reply.raw.on('close', () => {
        const endedAt = performance.now();
        const record = recordOf(request, reply, { startedAt, endedAt, address, traceId: trace?.id });
        const time = writeTime(clock());
        metrics.observe(record, request.headers['user-agent']);
        const lines = writeLines(record, time);
        if (levels.has(levelOf(record))) logSink.write(lines.log);
        auditSink?.write(lines.audit);
        trace?.end(record);
        underWay.ended();
      });
      next();
    });
    ready();
  },
  { name: 'telemetry' },
);

function loggedLevels(level: LogLevel): ReadonlySet<string> {
  const order: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
  return new Set(order.slice(order.indexOf(level)));
}
