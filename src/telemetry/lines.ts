import type { RequestRecord } from './record.ts';

/** Names and paths are the caller's; longer ones only fill the log. */
const maximumTextLength = 256;

/** What every client's first request ends with, and what clients probe for. */
const expected = new Set(['no_credentials', 'login_needed', 'no_such_route']);

export type RequestLevel = 'info' | 'warn' | 'error';

/** How loud a request is. What is expected is no one's mistake; a status of 500 and more is someone's behind the gate. */
export function levelOf({ status, decision, reason }: RequestRecord): RequestLevel {
  if (status >= 500) return 'error';
  return decision === 'deny' && !expected.has(reason) ? 'warn' : 'info';
}

/*
 * Two lines for each request are most of what a request costs beyond its forwarding, so they are put together
 * by hand: text from outside goes through JSON.stringify, words of our own stand as they are. The tests hold both
 * against the published schema, with hostile text in every field.
 */

/** What both lines of a request say alike, as JSON members that follow others. */
interface Description {
  readonly log: string;
  readonly audit: string;
}

/** Routes, methods, rules and statuses that go well are few; what doesn't go well is written anew each time. */
const maximumRemembered = 500;

/** Writes both lines of a request. */
export function lineWriter(): (
  record: RequestRecord,
  time: string,
) => { readonly log: string; readonly audit: string } {
  const known = new Map<string, Description>();
  const descriptionOf = (record: RequestRecord): Description => {
    if (!isOrdinary(record)) return describe(record);
    const key = `${record.route}\n${record.httpMethod}\n${record.rpcMethods[0]}\n${record.status}\n${record.rule}`;
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const description = describe(record);
    if (known.size < maximumRemembered) known.set(key, description);
    return description;
  };
  return (record, time) => {
    const { log, audit } = descriptionOf(record);
    const { upstreamMs, target, traceId } = record;
    const stamp = `"time":"${time}","requestId":"${record.requestId}"`;
    const end = `,"durationMs":${milliseconds(record.durationMs)},"address":${text(record.address)}}\n`;
    const traced = traceId === undefined ? '' : `,"traceId":"${traceId}"`;
    const waited = upstreamMs === undefined ? '' : `,"upstreamMs":${milliseconds(upstreamMs)}`;
    const who = `,"principal":${principalJson(record.principal)}`;
    const what = `,"target":${target === undefined ? 'null' : text(target)}`;
    return {
      /** Everything the operator needs to understand an answer, and no name of a person. */
      log: `{"level":"${levelOf(record)}",${stamp}${traced}${log}${waited}${end}`,
      /** Its shape is published in docs/reference/audit.schema.json. */
      audit: `{"event":"request",${stamp}${audit}${who}${what}${end}`,
    };
  };
}

/** Served as it should be: nothing in it but the five words that it is remembered by. */
function isOrdinary(record: RequestRecord): boolean {
  return (
    record.reason === 'ok' &&
    record.end === 'complete' &&
    record.route !== undefined &&
    record.decision === 'allow' &&
    record.detail === undefined &&
    record.upstreamStatus === record.status &&
    record.rpcMethods.length <= 1
  );
}

function describe(record: RequestRecord): Description {
  const { route, rule, detail, upstreamStatus } = record;
  const method = rpcMethod(record);
  const outcome = `"status":${record.status},"reason":"${record.reason}"`;
  return {
    log:
      (route === undefined ? `,"path":${text(record.path)}` : `,"route":${text(route)}`) +
      `,"httpMethod":"${record.httpMethod}"` +
      (method === undefined ? '' : `,"rpcMethod":${text(method)}`) +
      `,${outcome}` +
      (detail === undefined ? '' : `,"detail":${text(detail)}`) +
      (upstreamStatus === undefined ? '' : `,"upstreamStatus":${upstreamStatus}`) +
      `,"end":"${record.end}","msg":${text(sentence(record))}`,
    audit:
      `,"route":${route === undefined ? 'null' : text(route)},"httpMethod":"${record.httpMethod}"` +
      `,"rpcMethod":${method === undefined ? 'null' : text(method)},"decision":"${record.decision}"` +
      `,"rule":${rule === undefined ? 'null' : text(rule)}` +
      `,${outcome},"upstreamStatus":${upstreamStatus ?? 'null'},"end":"${record.end}"`,
  };
}

/** A principal is remembered with its token, so its text is made once. */
const principals = new WeakMap<NonNullable<RequestRecord['principal']>, string>();

function principalJson(principal: RequestRecord['principal']): string {
  if (principal === undefined) return 'null';
  const known = principals.get(principal);
  if (known !== undefined) return known;
  const { issuer, subject, clientId } = principal;
  const json = `{"issuer":${quoted(issuer)},"subject":${quoted(subject)},"clientId":${clientId === undefined ? 'null' : text(clientId)}}`;
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
  return quoted(value.length > maximumTextLength ? `${value.slice(0, maximumTextLength - 1)}…` : value);
}

/** JSON leaves them as they are; terminals obey some of them, editors end lines at others or turn the text round. */
const unseen = /[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]/;
const everyUnseen = new RegExp(unseen, 'g');

function quoted(value: string): string {
  const json = JSON.stringify(value);
  if (!unseen.test(json)) return json;
  return json.replace(everyUnseen, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
