import type { Logger } from 'pino';

import type { RequestRecord } from './record.ts';

/** Names and paths are the caller's; longer ones only fill the log. */
const maximumTextLength = 256;

/** One line of the log: everything the operator needs to understand an answer, and no name of a person. */
export function logRequest(logger: Logger, record: RequestRecord): void {
  const line = {
    requestId: record.requestId,
    route: record.route,
    httpMethod: record.httpMethod,
    path: record.route === undefined ? shorten(record.path) : undefined,
    rpcMethod: rpcMethod(record),
    status: record.status,
    reason: record.reason,
    detail: record.detail === undefined ? undefined : shorten(record.detail),
    upstreamStatus: record.upstreamStatus,
    upstreamMs: milliseconds(record.upstreamMs),
    durationMs: milliseconds(record.durationMs),
    end: record.end,
    address: record.address,
  };
  if (record.status >= 500) logger.error(line, sentence(record));
  else if (record.decision === 'deny' && !ordinary.has(record.reason)) logger.warn(line, sentence(record));
  else logger.info(line, sentence(record));
}

/** How every client's first request ends, and what clients probe for: no one's mistake. */
const ordinary = new Set(['no_credentials', 'no_such_route']);

/** One audit event; its shape is published in docs/reference/audit.schema.json. */
export function auditEvent(record: RequestRecord, time: string): string {
  const { principal } = record;
  return `${JSON.stringify({
    event: 'request',
    time,
    requestId: record.requestId,
    route: record.route ?? null,
    principal:
      principal === undefined
        ? null
        : { issuer: principal.issuer, subject: principal.subject, clientId: principal.clientId ?? null },
    httpMethod: record.httpMethod,
    rpcMethod: rpcMethod(record) ?? null,
    target: record.target === undefined ? null : shorten(record.target),
    decision: record.decision,
    rule: null,
    reason: record.reason,
    status: record.status,
    upstreamStatus: record.upstreamStatus ?? null,
    durationMs: milliseconds(record.durationMs),
    end: record.end,
    address: record.address,
  })}\n`;
}

function rpcMethod(record: RequestRecord): string | undefined {
  if (record.rpcMethods.length === 0) return undefined;
  return shorten(record.rpcMethods.length === 1 ? (record.rpcMethods[0] ?? '') : record.rpcMethods.join(','));
}

function sentence(record: RequestRecord): string {
  const what = record.route === undefined ? `${record.httpMethod} ${shorten(record.path)}` : `${record.httpMethod} ${record.route}`;
  return record.reason === 'ok' ? `${what} ${record.status}` : `${what} ${record.status} ${record.reason}`;
}

function milliseconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 1000) / 1000;
}

function shorten(text: string): string {
  return text.length > maximumTextLength ? `${text.slice(0, maximumTextLength - 1)}…` : text;
}
