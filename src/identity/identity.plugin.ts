import fp from 'fastify-plugin';

import type { Route } from '../config/configuration.ts';
import type { Principal } from '../vocabulary/principal.ts';
import type { IdentityHeaders } from './identity-headers.ts';
import { identityHeaders } from './identity-headers.ts';
import { passingHeaders, requestHeaderRules } from './request-headers.ts';

export interface IdentityOptions {
  readonly route: Route;
}

/** Writes the headers that go upstream: the client's that may pass, then the gateway's own. */
export const identityStage = fp<IdentityOptions>(
  (scope, { route }, ready) => {
    scope.decorateRequest('upstreamHeaders', null);
    const rules = requestHeaderRules(route);
    const tenantHeader = route.identity.headers.tenant;
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
            detail: `claim ${own.claim} can't be a header value`,
          });
        }
        headers.push(...own.headers);
        // One token may be good for several tenants: which is meant stands in the path alone.
        if (passage.route.tenant !== undefined && tenantHeader !== undefined)
          headers.push(tenantHeader, passage.route.tenant.name);
      }
      request.upstreamHeaders = headers;
      next();
    });
    ready();
  },
  { name: 'identity', dependencies: ['mcp'], decorators: { request: ['passage'] } },
);
