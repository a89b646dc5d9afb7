import type { Upstream } from '../config/configuration.ts';
import type { UpstreamHeaders } from './response-headers.ts';

/** Every known text is shorter; a longer answer says something else. */
export const maximumDialectBytes = 512;

/** How one program says that it doesn't know a session, where it should say 404. */
interface Dialect {
  readonly name: string;
  readonly transport: Upstream['transport'];
  readonly status: number;
  readonly contentType: string | undefined;
  /** The whole body, for the session that was asked for. */
  readonly textFor: (upstreamId: string) => string;
}

const json = 'application/json; charset=utf-8';
const expressText = 'text/html; charset=utf-8';
const noValidSession = '"error":{"code":-32000,"message":"Bad Request: No valid session ID provided"}';

/**
 * Measured; test/long/bridges-lost-session.test.ts asks the real programs again.
 *
 * | Program | Asked | Answer |
 * |---|---|---|
 * | supergateway 3.4.3 `--stateful` | POST | 400 `application/json; charset=utf-8`, 105 bytes |
 * | | GET, DELETE | 400 `text/html; charset=utf-8`, `Invalid or missing session ID` |
 * | supergateway 3.4.3, 4.0.0, SSE | POST | 503 `text/html; charset=utf-8`, `No active SSE connection for session <id>` |
 * | mcp-proxy 6.7.19, SSE | POST | 400 without a type, `No active transport` |
 * | server-everything 2026.8.31 `streamableHttp` | POST, GET, DELETE | 400 `application/json; charset=utf-8`, 95 bytes |
 */
const dialects: readonly Dialect[] = [
  {
    name: 'supergateway 3 stateful',
    transport: 'streamable-http',
    status: 400,
    contentType: json,
    textFor: () => `{"jsonrpc":"2.0",${noValidSession},"id":null}`,
  },
  {
    name: 'supergateway 3 stateful',
    transport: 'streamable-http',
    status: 400,
    contentType: expressText,
    textFor: () => 'Invalid or missing session ID',
  },
  {
    name: 'supergateway sse',
    transport: 'sse',
    status: 503,
    contentType: expressText,
    textFor: (endpoint) => `No active SSE connection for session ${sessionIn(endpoint)}`,
  },
  {
    name: 'mcp-proxy sse',
    transport: 'sse',
    status: 400,
    contentType: undefined,
    textFor: () => 'No active transport',
  },
  {
    name: 'server-everything streamableHttp',
    transport: 'streamable-http',
    status: 400,
    contentType: json,
    textFor: () => `{"jsonrpc":"2.0",${noValidSession}}`,
  },
];

/** Names the dialect in which a whole body says that the session is lost; undefined for everything else. */
export type ReadLostSession = (body: Buffer) => string | undefined;

/** What a dialect is told apart by before the body comes. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: UpstreamHeaders;
}

/**
 * How to read an answer that may say, by its status and type, that the session is lost; undefined for one that
 * can't. Whoever calls it has sent a session id that had opened: without one the same words are about the
 * request, not about a session. An answer that isn't any of the dialects to the last byte passes as it is.
 */
export function lostSessionReader(
  { status, headers }: AnswerHead,
  transport: Upstream['transport'],
  upstreamId: string,
): ReadLostSession | undefined {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined || Number(headers['content-length'] ?? 0) > maximumDialectBytes)
    return undefined;
  const spoken = dialects.filter(
    (dialect) =>
      dialect.transport === transport &&
      dialect.status === status &&
      dialect.contentType === headers['content-type'],
  );
  if (spoken.length === 0) return undefined;
  return (body) => {
    const text = body.toString('latin1');
    return spoken.find(({ textFor }) => textFor(upstreamId) === text)?.name;
  };
}

/** The bridge's own id in the address that its stream had named. */
function sessionIn(endpoint: string): string {
  const query = endpoint.indexOf('?');
  return new URLSearchParams(query === -1 ? '' : endpoint.slice(query)).get('sessionId') ?? '';
}
