import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';

import type { Route } from '../config/configuration.ts';
import type { Call } from '../vocabulary/call.ts';
import type { Principal } from '../vocabulary/principal.ts';
import { isModernRevision } from '../vocabulary/revision.ts';
import type { SessionDoor } from '../vocabulary/session.ts';
import { holderOf } from './holder.ts';
import { endpointSession, legacyMethods } from './legacy.ts';
import { open, seal } from './seal.ts';
import type { SessionKeys } from './session-keys.ts';

export interface SessionsOptions {
  readonly keys: SessionKeys;
}

/** Opening costs more than all else of a small call; whoever fills this only pushes others back to that. */
const maximumOpened = 10_000;

/**
 * Opens the session id that a client shows and puts the upstream's in its place; what doesn't open for this very
 * principal, route and upstream is 404, so that the client begins anew (MCP transports, Session management).
 */
export const sessionsStage = fp<SessionsOptions>(
  (scope, { keys }, ready) => {
    const openFor = rememberOpened(keys);
    scope.decorateRequest('session', null);
    scope.addHook('preHandler', (request, reply, next) => {
      const { passage, upstreamHeaders } = request;
      if (passage?.stage !== 'admitted' || upstreamHeaders === null)
        throw new Error('the sessions stage needs an admitted request with its headers');
      const { principal, route } = passage;
      const isLegacy = route.upstream.transport === 'sse';
      const allow = isLegacy ? legacyMethods(request) : undefined;
      if (allow !== undefined)
        return reply.refuse({ kind: 'method-not-served', reason: 'method_not_served', allow });
      const begins = !isLegacy && isInitialize(passage.call);
      const shown = isLegacy ? endpointSession(request) : request.headers['mcp-session-id'];
      if (shown === undefined || begins) {
        // Whoever begins a session can't choose its name, nor have another's looked at.
        if (shown !== undefined) dropHeader(upstreamHeaders, 'mcp-session-id');
        const resumes = request.headers['last-event-id'] !== undefined;
        if (resumes) dropHeader(upstreamHeaders, 'last-event-id');
        if (resumes && !isLegacy && !isModernRevision(request.headers['mcp-protocol-version']))
          return reply.refuse({ kind: 'session-unknown', reason: 'session_unknown' });
        request.session = { upstreamId: undefined, begins, seal: sealer(principal, route, keys) };
        next();
        return;
      }
      const upstreamId = openFor(String(shown), holderOf(principal, route));
      if (upstreamId === undefined)
        return reply.refuse({ kind: 'session-unknown', reason: 'session_unknown' });
      replaceHeader(upstreamHeaders, 'mcp-session-id', upstreamId);
      request.session = { upstreamId, begins, seal: sealer(principal, route, keys) };
      next();
    });
    ready();
  },
  {
    name: 'sessions',
    dependencies: ['identity'],
    decorators: { request: ['passage', 'upstreamHeaders'], reply: ['refuse'] },
  },
);

function sealer(principal: Principal | null, route: Route, keys: SessionKeys): SessionDoor['seal'] {
  return (id) => seal(id, holderOf(principal, route), keys);
}

function isInitialize(call: Call | null): boolean {
  return (
    call?.messages.some((message) => message.kind === 'request' && message.method === 'initialize') === true
  );
}

/** Remembers what opened and for whom; another holder's attempt is judged by the seal itself. */
function rememberOpened(keys: SessionKeys): (sealed: string, holder: string) => string | undefined {
  const opened = new LRUCache<string, { readonly holder: string; readonly id: string }>({
    max: maximumOpened,
  });
  return (sealed, holder) => {
    const known = opened.get(sealed);
    if (known?.holder === holder) return known.id;
    const id = open(sealed, holder, keys);
    if (id !== undefined) opened.set(sealed, { holder, id });
    return id;
  };
}

function replaceHeader(headers: string[], name: string, value: string): void {
  for (let index = 0; index < headers.length; index += 2)
    if (headers[index] === name) headers[index + 1] = value;
}

function dropHeader(headers: string[], name: string): void {
  const index = headers.findIndex((entry, at) => at % 2 === 0 && entry === name);
  if (index !== -1) headers.splice(index, 2);
}
