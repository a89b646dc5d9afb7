import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Message } from '../vocabulary/call.ts';
import type { ExchangeEnd } from '../vocabulary/exchange.ts';
import type { Principal } from '../vocabulary/principal.ts';

/** What became of one request; log line, audit event and metrics are projections of it. Never holds a credential. */
export interface RequestRecord {
  readonly requestId: string;
  /** Name of the configured route. */
  readonly route: string | undefined;
  readonly httpMethod: string;
  /** Without query, fragment and parameters: they may hold what a client should have put elsewhere. */
  readonly path: string;
  /** JSON-RPC methods in order; more than one in a batch. */
  readonly rpcMethods: readonly string[];
  /** Tool, prompt or resource of a single message; the step of a login in the browser. */
  readonly target: string | undefined;
  readonly principal: Pick<Principal, 'issuer' | 'subject' | 'clientId'> | undefined;
  readonly decision: 'allow' | 'deny';
  /** The policy rule that decided. */
  readonly rule: string | undefined;
  /** What the rules of the route said; undefined where none were asked. */
  readonly ruled: 'allow' | 'deny' | undefined;
  readonly reason: string;
  /** For the log alone. */
  readonly detail: string | undefined;
  /** 499 where the client left before an answer. */
  readonly status: number;
  readonly upstreamStatus: number | undefined;
  readonly upstreamMs: number | undefined;
  readonly durationMs: number;
  readonly end: ExchangeEnd;
  readonly stream: boolean;
  readonly address: string;
  /** Of a trace that is recorded. */
  readonly traceId: string | undefined;
}

/** nginx's word for a client that left before it was answered. */
const clientClosedRequest = 499;

/** What telemetry itself knows of a request. */
export interface Measured {
  /** Milliseconds of the monotonic clock. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Of the peer, or of its client where the peer is a trusted proxy. */
  readonly address: string;
  readonly traceId: string | undefined;
}

export function recordOf(request: FastifyRequest, reply: FastifyReply, measured: Measured): RequestRecord {
  const { passage, refusal, exchange, loginVisit } = request;
  const call = passage?.stage === 'admitted' || passage?.stage === 'read' ? passage.call : null;
  const first = call?.messages[0];
  const { raw } = reply;
  const status = raw.headersSent ? raw.statusCode : clientClosedRequest;
  const url = request.raw.url ?? '';
  const pathEnd = url.search(/[?#;]/);
  const end = exchange?.end ?? (raw.writableFinished ? 'complete' : 'client_left');
  return {
    requestId: request.id,
    route: passage?.route.name ?? loginVisit?.route,
    httpMethod: request.method,
    path: pathEnd === -1 ? url : url.slice(0, pathEnd),
    rpcMethods:
      call === null
        ? none
        : call.messages.length === 1 && first !== undefined
          ? methodsOf(first)
          : call.messages.flatMap(methodsOf),
    target:
      call?.batch === false && first !== undefined && first.kind !== 'response'
        ? first.target
        : loginVisit?.step,
    principal:
      passage === null || passage.stage === 'matched'
        ? (loginVisit?.person ?? undefined)
        : (passage.principal ?? undefined),
    decision: isAllowed(request, status) ? 'allow' : 'deny',
    rule: request.decision?.rule,
    ruled: request.decision === null ? undefined : passage?.stage === 'admitted' ? 'allow' : 'deny',
    reason: refusal?.reason ?? (status === clientClosedRequest ? 'client_left' : 'ok'),
    detail: refusal !== null && 'detail' in refusal ? refusal.detail : exchange?.withheld,
    status,
    upstreamStatus: exchange?.status,
    upstreamMs: exchange?.headersAt === undefined ? undefined : exchange.headersAt - measured.startedAt,
    durationMs: measured.endedAt - measured.startedAt,
    end,
    stream: exchange?.stream ?? false,
    address: measured.address,
    traceId: measured.traceId,
  };
}

const none: readonly string[] = [];

function methodsOf(message: Message): readonly string[] {
  return message.kind === 'response' ? none : [message.method];
}

/** The gate let it pass; what the upstream made of it is another matter. */
function isAllowed({ refusal, passage }: FastifyRequest, status: number): boolean {
  if (refusal === null) return passage?.stage === 'admitted' || status !== clientClosedRequest;
  return (
    refusal.kind === 'upstream-failed' ||
    refusal.kind === 'upstream-silent' ||
    refusal.kind === 'session-lost'
  );
}
