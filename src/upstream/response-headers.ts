import type { Route } from '../config/configuration.ts';

export type UpstreamHeaders = Record<string, string | string[] | undefined>;

/** Pass besides `content-*` and `mcp-*`; the rest of what an upstream says is its own affair. */
const alwaysAllowed = ['cache-control', 'x-accel-buffering', 'retry-after', 'date'];

// MCP 2025-11-25 transports §Session management: visible ASCII. Real ids stay far below.
const sessionId = /^[\x21-\x7e]{1,512}$/;

/** Picks what reaches the client by an allow-list; hop-by-hop, cookies, CORS and challenges aren't on it. */
export function responseHeaderFilter(route: Route): (headers: UpstreamHeaders) => Record<string, string | string[]> | undefined {
  const allowed = new Set([...alwaysAllowed, ...route.upstream.responseHeaders]);
  return (headers) => {
    const passing: Record<string, string | string[]> = {};
    for (const name in headers) {
      const value = headers[name];
      if (value === undefined) continue;
      if (allowed.has(name) || name.startsWith('content-') || name.startsWith('mcp-')) passing[name] = value;
    }
    const session = passing['mcp-session-id'];
    // Undefined: the answer is garbage. A client must never be handed an id that it can't send back.
    return session === undefined || (typeof session === 'string' && sessionId.test(session)) ? passing : undefined;
  };
}

/** Whether an answer is an event stream, whatever the spelling of its type. */
export function isEventStream(headers: UpstreamHeaders): boolean {
  const type = headers['content-type'];
  return typeof type === 'string' && /^text\/event-stream(?:[\s;]|$)/i.test(type);
}
