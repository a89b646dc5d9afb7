/**
 * Preloaded into a gateway beside an SDK: does to every outgoing request what OpenTelemetry's instrumentation of undici does.
 */
import { subscribe } from 'node:diagnostics_channel';
import { SpanKind, context, propagation, trace } from '@opentelemetry/api';

interface Created {
  readonly request: { addHeader(name: string, value: string): void };
}

subscribe('undici:request:create', (message) => {
  const { request } = message as Created;
  const active = context.active();
  const span = trace.getTracer('undici').startSpan('upstream', { kind: SpanKind.CLIENT }, active);
  const headers: Record<string, string> = {};
  propagation.inject(trace.setSpan(active, span), headers);
  for (const [name, value] of Object.entries(headers)) request.addHeader(name, value);
  span.end();
});
