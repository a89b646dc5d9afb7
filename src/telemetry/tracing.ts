import type { Span, Tracer } from '@opentelemetry/api';
import {
  ProxyTracerProvider,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  context,
  createContextKey,
  propagation,
  trace,
} from '@opentelemetry/api';
import type { FastifyRequest } from 'fastify';

import type { Trace } from '../vocabulary/trace.ts';
import { httpMethodLabel, rpcMethodLabel } from './known-words.ts';
import type { RequestRecord } from './record.ts';
import type { TraceContext } from './trace-context.ts';
import { peersIn, receivedContext } from './trace-context.ts';

export interface RequestTrace extends Trace {
  /** Undefined unless it is recorded. */
  readonly id: string | undefined;
  end(record: RequestRecord): void;
}

/** Null: the request is part of no trace. */
export type BeginTrace = (request: FastifyRequest) => RequestTrace | null;

/** The tracer of an SDK that was loaded before the gateway (`node --import`); undefined without one. */
export function preloadedTracer(version: string): Tracer | undefined {
  const provider = trace.getTracerProvider();
  return provider instanceof ProxyTracerProvider
    ? provider.getDelegateTracer('portcullis', version)
    : provider.getTracer('portcullis', version);
}

/**
 * With a tracer every request is a span; without one the trace of a trusted peer goes on to the upstream as it is. Undefined
 * where there is neither, so that nothing has to be done for a request. What other peers say of traces is passed over:
 * anyone could write into the traces of others, or have all of theirs recorded.
 */
export function traceRequests(
  tracer: Tracer | undefined,
  trustProxy: readonly string[],
): BeginTrace | undefined {
  if (tracer === undefined && trustProxy.length === 0) return undefined;
  const isTrusted = peersIn(trustProxy);
  return (request) => {
    const received = receivedContext(request.headers);
    const trusted =
      received !== undefined && isTrusted(request.raw.socket.remoteAddress) ? received : undefined;
    if (tracer !== undefined) return beginSpan(tracer, request, trusted);
    return trusted === undefined ? null : passOn(trusted);
  };
}

function passOn({ traceparent, tracestate }: TraceContext): RequestTrace {
  const state = tracestate === undefined ? [] : ['tracestate', tracestate];
  return { headers: ['traceparent', traceparent, ...state], run: (send) => send(), id: undefined, end() {} };
}

function beginSpan(
  tracer: Tracer,
  request: FastifyRequest,
  received: TraceContext | undefined,
): RequestTrace {
  const parent = received === undefined ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, received);
  const method = httpMethodLabel(request.method);
  const span = tracer.startSpan(
    method,
    { kind: SpanKind.SERVER, attributes: { 'http.request.method': method } },
    parent,
  );
  const { traceId, traceFlags } = span.spanContext();
  return {
    headers: headersOf(span),
    run: (send) => context.with(untraced, send),
    id: (traceFlags & TraceFlags.SAMPLED) === 0 ? undefined : traceId,
    end: (record) => endSpan(span, record),
  };
}

/** Where the SDK's own propagators write no headers, and its tracers record nothing. */
const untraced = ROOT_CONTEXT.setValue(
  // The key that every SDK looks for; the API has no name for it.
  createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'),
  true,
);

/** As the SDK's propagator writes them; of its headers only those that upstreams may be shown. */
function headersOf(span: Span): readonly string[] {
  const carrier: Record<string, string> = {};
  propagation.inject(trace.setSpan(ROOT_CONTEXT, span), carrier);
  return ['traceparent', 'tracestate'].flatMap((name) => {
    const value = carrier[name];
    return value === undefined || value === '' ? [] : [name, value];
  });
}

/** Says what the log says, in bounded words: no person, no token, no name that a caller made up. */
function endSpan(span: Span, record: RequestRecord): void {
  const { route = 'none', status, reason, decision, requestId, upstreamStatus, rpcMethods } = record;
  span.updateName(`${httpMethodLabel(record.httpMethod)} ${route}`);
  span.setAttributes({
    'http.route': route,
    'http.response.status_code': status,
    'mcp.method.name': rpcMethodLabel(rpcMethods),
    'portcullis.request_id': requestId,
    'portcullis.decision': decision,
    'portcullis.reason': reason,
    ...(upstreamStatus === undefined ? {} : { 'portcullis.upstream.status_code': upstreamStatus }),
    ...(status >= 500 ? { 'error.type': reason } : {}),
  });
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
