import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

import type { Route } from '../config/configuration.ts';
import type { Principal } from '../vocabulary/principal.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import { sessionSubject } from './anonymous.ts';
import type { Assertion, Assertions } from './assertions.ts';
import { encodeValue } from './encode.ts';
import type { IdentityHeaders } from './identity-headers.ts';
import { identityHeaders } from './identity-headers.ts';
import { passingHeaders, requestHeaderRules } from './request-headers.ts';
import { writeMeta } from './write-meta.ts';

export interface IdentityOptions {
  readonly route: Route;
  readonly assertions: Assertions;
  /** Whether an upstream may look for assertions in `_meta`: then no client puts one there, on any route. */
  readonly guardsMeta: boolean;
}

/** Writes the headers that go upstream: the client's that may pass, then the gateway's own. */
export const identityStage = fp<IdentityOptions>(
  (scope, options, ready) => {
    const { route } = options;
    scope.decorateRequest('upstreamHeaders', null).decorateRequest('upstreamBody', null);
    const rules = requestHeaderRules(route);
    const tenantHeader = route.identity.headers.tenant;
    const nobody = anonymousHeaders(route);
    const remembered = new WeakMap<Principal, IdentityHeaders>();
    const headersOf = (principal: Principal): IdentityHeaders => {
      const known = remembered.get(principal);
      if (known !== undefined) return known;
      const headers = identityHeaders(principal, route.identity);
      remembered.set(principal, headers);
      return headers;
    };
    scope.addHook('preHandler', (request, reply, next) => {
      const { passage } = request;
      if (passage?.stage !== 'admitted') throw new Error('the identity stage needs an admitted request');
      const headers = passingHeaders(request.raw.rawHeaders, rules);
      if (headers === undefined)
        return reply.refuse({ kind: 'request-malformed', reason: 'duplicate_header' });
      if (passage.principal !== null) {
        const own = headersOf(passage.principal);
        if (!own.ok) {
          return reply.refuse({
            kind: 'identity-unusable',
            reason: 'identity_unusable',
            detail: `claim ${own.claim} ${own.claim === route.identity.subject ? "isn't there, or " : ''}can't be a header value`,
          });
        }
        headers.push(...own.headers);
        // One token may be good for several tenants: which is meant stands in the path alone.
        if (passage.route.tenant !== undefined && tenantHeader !== undefined)
          headers.push(tenantHeader, passage.route.tenant.name);
      }
      if (nobody !== undefined) headers.push(...nobody);
      if (request.trace !== null) headers.push(...request.trace.headers);
      request.upstreamHeaders = headers;
      next();
    });
    if (route.identity.assertion !== undefined || options.guardsMeta) carryAssertions(scope, options);
    ready();
  },
  { name: 'identity', dependencies: ['mcp'], decorators: { request: ['passage'] } },
);

/** Who asks on an open route, where that is always the same. */
function anonymousHeaders({ access, identity }: Route): readonly string[] | undefined {
  const { anonymous, headers } = identity;
  if (access !== 'open' || typeof anonymous !== 'object' || headers.subject === undefined) return undefined;
  const value = encodeValue(anonymous.static);
  if (value === undefined) throw new Error('a subject that is no header value passed the checks');
  return [headers.subject, value];
}

export interface AnonymousOptions {
  readonly route: Route;
}

/** On an open route that asks for it: tells each session by a subject of its own, once the session has opened. */
export const anonymousStage = fp<AnonymousOptions>(
  (scope, { route }, ready) => {
    const { anonymous, headers } = route.identity;
    const name = headers.subject;
    if (route.access === 'open' && anonymous === 'session' && name !== undefined)
      scope.addHook('preHandler', ({ passage, session, upstreamHeaders }, _reply, next) => {
        if (passage?.stage !== 'admitted' || session === null || upstreamHeaders === null)
          throw new Error('the subject of a session needs an admitted request whose session was looked at');
        const { upstreamId } = session;
        if (upstreamId !== undefined) upstreamHeaders.push(name, sessionSubject(upstreamId, passage.route));
        next();
      });
    ready();
  },
  {
    name: 'anonymous',
    dependencies: ['identity', 'sessions'],
    decorators: { request: ['passage', 'session', 'upstreamHeaders'] },
  },
);

/** Adds the assertion to what goes upstream, and takes out what a client put in its place. */
function carryAssertions(scope: FastifyInstance, { route, assertions, guardsMeta }: IdentityOptions): void {
  const settings = route.identity.assertion;
  scope.addHook('preHandler', (request, reply, next) => {
    const { passage } = request;
    if (passage?.stage !== 'admitted') throw new Error('an assertion needs an admitted request');
    const goOn = (assertion: Assertion | undefined): void => {
      if (settings !== undefined && assertion !== undefined)
        request.upstreamHeaders?.push(settings.header, assertion.text);
      const member = settings?.meta === true ? assertion?.member : undefined;
      const refusal = guardsMeta ? putIntoMeta(request, member) : undefined;
      if (refusal === undefined) next();
      else reply.refuse(refusal);
    };
    if (settings === undefined || passage.principal === null) return goOn(undefined);
    const assertion = assertions.about(passage.principal, passage.route, settings.ttl);
    if (assertion instanceof Promise) assertion.then(goOn).catch(next);
    else goOn(assertion);
  });
}

function putIntoMeta(request: FastifyRequest, member: string | undefined): Refusal | undefined {
  const call = request.passage?.stage === 'admitted' ? request.passage.call : null;
  if (call === null) return undefined;
  const body = writeMeta(call, member);
  if (body === undefined) return { kind: 'message-refused', reason: 'shape', code: -32600 };
  if (body !== call.bytes) request.upstreamBody = body;
  return undefined;
}
