import type { Route } from '../config/configuration.ts';

export type UpstreamHeaders = Record<string, string | string[] | undefined>;

/** Pass besides `content-*` and `mcp-*`; the rest of what an upstream says is its own affair. */
const alwaysAllowed = ['cache-control', 'x-accel-buffering', 'retry-after', 'date'];

// MCP 2025-11-25 transports §Session management: visible ASCII. Real ids stay far below.
const sessionId = /^[\x21-\x7e]{1,512}$/;

/**
 * Picks what reaches the client by an allow-list, as name, value, name, value …; hop-by-hop, cookies, CORS and
 * challenges aren't on it. Undefined: the answer is garbage, for a client must never be handed a session id that
 * it can't send back.
 */
export function responseHeaderFilter(route: Route): (headers: UpstreamHeaders) => string[] | undefined {
  const allowed = new Set([...alwaysAllowed, ...route.upstream.responseHeaders]);
  return (headers) => {
    const passing: string[] = [];
    for (const name in headers) {
      if (!allowed.has(name) && !name.startsWith('content-') && !name.startsWith('mcp-')) continue;
      const value = headers[name];
      if (name === 'mcp-session-id' && (typeof value !== 'string' || !sessionId.test(value)))
        return undefined;
      if (typeof value === 'string') passing.push(name, value);
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
