import type { Route } from '../config/configuration.ts';
import type { SessionDoor } from '../vocabulary/session.ts';

export type UpstreamHeaders = Record<string, string | string[] | undefined>;

/** Pass besides `content-*` and `mcp-*`; the rest of what an upstream says is its own affair. */
const alwaysAllowed = ['cache-control', 'x-accel-buffering', 'retry-after', 'date'];

// MCP 2025-11-25 transports §Session management: visible ASCII. Real ids stay far below.
const sessionId = /^[\x21-\x7e]{1,512}$/;

/** `undefined` for garbage. */
export type ResponseHeaderFilter = (
  headers: UpstreamHeaders,
  session: SessionDoor | null,
  status: number,
) => string[] | undefined;

/**
 * Picks what reaches the client by an allow-list, as name, value, name, value …; hop-by-hop, cookies, CORS and
 * challenges aren't on it. A session id leaves sealed. Undefined: the answer is garbage, for a client must never be handed a session id that
 * it can't send back.
 */
export function responseHeaderFilter(route: Route): ResponseHeaderFilter {
  const { responseHeaders, token } = route.upstream;
  // A challenge is about the token that the upstream was shown: the client's, or the gateway's own.
  const challenge = token === 'passthrough' ? ['www-authenticate'] : [];
  const allowed = new Set([...alwaysAllowed, ...responseHeaders, ...challenge]);
  return (headers, session, status) => {
    const passing: string[] = [];
    for (const name in headers) {
      if (!allowed.has(name) && !name.startsWith('content-') && !name.startsWith('mcp-')) continue;
      const value = headers[name];
      if (name === 'mcp-session-id') {
        if (typeof value !== 'string' || !sessionId.test(value)) return undefined;
        const named = session === null ? undefined : nameOf(value, session, status);
        if (named !== undefined) passing.push(name, named);
      } else if (typeof value === 'string') passing.push(name, value);
      else for (const each of value ?? []) passing.push(name, each);
    }
    return passing;
  };
}

/** Whether an answer is an event stream, whatever the spelling of its type. */
export function isEventStream(headers: UpstreamHeaders): boolean {
  const type = headers['content-type'];
  return typeof type === 'string' && /^text\/event-stream(?:[\s;]|$)/i.test(type);
}

/** The headers of an event stream, which no proxy shall hold up: said once, whatever the upstream says of it. */
export function unbuffered(headers: readonly string[]): string[] {
  const others = headers.filter((_, index) => headers[index - (index % 2)] !== 'x-accel-buffering');
  return [...others, 'x-accel-buffering', 'no'];
}

/** Whether a body's bytes are its text, so that one may read in it and put something between. */
export function isUnencoded(encoding: string | string[] | undefined): boolean {
  return encoding === undefined || encoding === 'identity';
}

/**
 * What the client is told of a session id: its own again, or a new one where it asked for one and got it. Any other
 * would put it into a session that it never began.
 */
function nameOf(upstreamId: string, session: SessionDoor, status: number): string | undefined {
  const isNew = session.begins && status >= 200 && status < 300;
  return isNew || upstreamId === session.upstreamId ? session.seal(upstreamId) : undefined;
}
