import type { Principal } from '../vocabulary/principal.ts';
import type { RequestRecord } from './record.ts';

/** Names and paths are the caller's; longer ones only fill the log. */
const maximumTextLength = 256;

export type RequestLevel = 'info' | 'warn' | 'error';

/**
 * How loud a request is. What every client's first request ends with, and what clients probe for, is no one's
 * mistake; a status of 500 and more is someone's behind the gate.
 */
export function levelOf({ status, decision, reason }: RequestRecord): RequestLevel {
  if (status >= 500) return 'error';
  return decision === 'deny' && reason !== 'no_credentials' && reason !== 'no_such_route' ? 'warn' : 'info';
}

/*
 * Two lines for each request are most of what a request costs beyond its forwarding, so they are put together
 * by hand: text from outside goes through JSON.stringify, words of our own stand as they are. The tests hold both
 * against the published schema, with hostile text in every field.
 */

/** One line of the log: everything the operator needs to understand an answer, and no name of a person. */
export function logLine(record: RequestRecord, time: string): string {
  const { route, detail, upstreamStatus, upstreamMs } = record;
  const method = rpcMethod(record);
  return (
    `{"level":"${levelOf(record)}","time":"${time}","requestId":"${record.requestId}"` +
    (route === undefined ? `,"path":${text(record.path)}` : `,"route":${text(route)}`) +
    `,"httpMethod":"${record.httpMethod}"` +
    (method === undefined ? '' : `,"rpcMethod":${text(method)}`) +
    `,"status":${record.status},"reason":"${record.reason}"` +
    (detail === undefined ? '' : `,"detail":${text(detail)}`) +
    (upstreamStatus === undefined ? '' : `,"upstreamStatus":${upstreamStatus}`) +
    (upstreamMs === undefined ? '' : `,"upstreamMs":${milliseconds(upstreamMs)}`) +
    `,"durationMs":${milliseconds(record.durationMs)},"end":"${record.end}","address":${text(record.address)}` +
    `,"msg":${text(sentence(record))}}\n`
  );
}

/** One audit event; its shape is published in docs/reference/audit.schema.json. */
export function auditLine(record: RequestRecord, time: string): string {
  const { route, target, upstreamStatus } = record;
  const method = rpcMethod(record);
  return (
    `{"event":"request","time":"${time}","requestId":"${record.requestId}"` +
    `,"route":${route === undefined ? 'null' : text(route)},"principal":${principalJson(record.principal)}` +
    `,"httpMethod":"${record.httpMethod}","rpcMethod":${method === undefined ? 'null' : text(method)}` +
    `,"target":${target === undefined ? 'null' : text(target)},"decision":"${record.decision}","rule":null` +
    `,"reason":"${record.reason}","status":${record.status},"upstreamStatus":${upstreamStatus ?? 'null'}` +
    `,"durationMs":${milliseconds(record.durationMs)},"end":"${record.end}","address":${text(record.address)}}\n`
  );
}

/** A principal is remembered with its token, so its text is made once. */
const principals = new WeakMap<Principal, string>();

function principalJson(principal: Principal | undefined): string {
  if (principal === undefined) return 'null';
  const known = principals.get(principal);
  if (known !== undefined) return known;
  const { issuer, subject, clientId } = principal;
  const json = `{"issuer":${JSON.stringify(issuer)},"subject":${JSON.stringify(subject)},"clientId":${clientId === undefined ? 'null' : text(clientId)}}`;
  principals.set(principal, json);
  return json;
}

function rpcMethod({ rpcMethods }: RequestRecord): string | undefined {
  return rpcMethods.length <= 1 ? rpcMethods[0] : rpcMethods.join(',');
}

function sentence(record: RequestRecord): string {
  const what = `${record.httpMethod} ${record.route ?? record.path} ${record.status}`;
  return record.reason === 'ok' ? what : `${what} ${record.reason}`;
}

/** Three decimals: a microsecond. */
function milliseconds(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function text(value: string): string {
  return JSON.stringify(
    value.length > maximumTextLength ? `${value.slice(0, maximumTextLength - 1)}…` : value,
  );
}
