import fp from 'fastify-plugin';
import type { Logger } from 'pino';

import type { LineSink } from '../vocabulary/ports.ts';
import { auditEvent, logRequest } from './lines.ts';
import type { Metrics } from './metrics.ts';
import { recordOf } from './record.ts';

export interface TelemetryOptions {
  readonly logger: Logger;
  /** Undefined: no audit. */
  readonly auditSink: LineSink | undefined;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** One log line, one audit event and the metrics of every request, once its answer ended or its client left. */
export const telemetryStage = fp<TelemetryOptions>(
  (app, { logger, auditSink, metrics, clock }, ready) => {
    app.decorateRequest('exchange', null);
    app.addHook('onRequest', (request, reply, next) => {
      const startedAt = performance.now();
      // Once the socket is gone it no longer knows its peer.
      const address = request.ip;
      reply.raw.once('close', () => {
        const record = recordOf(request, reply, { durationMs: performance.now() - startedAt, address });
        metrics.observe(record, request.headers['user-agent']);
        logRequest(logger, record);
        auditSink?.write(auditEvent(record, new Date(clock()).toISOString()));
      });
      next();
    });
    ready();
  },
  { name: 'telemetry' },
);
