import httpProxy from '@fastify/http-proxy';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

import type { Route } from '../config/configuration.ts';
import type { Observer } from '../vocabulary/observer.ts';
import { isForm } from '../vocabulary/tenant.ts';
import { forward } from './forward.ts';
import { createTarget } from './target.ts';

export interface UpstreamOptions {
  readonly route: Route;
  /** Of the public URL. */
  readonly publicOrigin: string;
  readonly observer: Observer;
  readonly clock: () => number;
  /** Asks again whether the token of an open stream would be let in. */
  readonly stillAdmitted: (request: FastifyRequest) => Promise<boolean>;
  /** Methods that go upstream. */
  readonly methods: readonly string[];
  /** How long calls in flight may go on once the gateway stops. */
  readonly drainMs: number;
}

/** Serves the route: http-proxy registers it, the forwarder carries the traffic (docs/decisions/0001). */
export const upstreamStage = fp<UpstreamOptions>(
  async (scope, { route, publicOrigin, observer, clock, stillAdmitted, methods, drainMs }) => {
    const parts = { target: createTarget(route, publicOrigin), observer, clock, stillAdmitted };
    const { connections, exchanges } = parts.target;
    const config = { access: route.access, routeName: route.name };
    // http-proxy's own handler would work out a destination that is fixed here: a third of the cost of a bare forwarder.
    const preHandler = (request: FastifyRequest, reply: FastifyReply): void => {
      const { passage, session } = request;
      if (passage?.stage !== 'admitted' || session === null)
        throw new Error('only an admitted request whose session was looked at may go upstream');
      forward(passage, { request, reply }, parts);
    };
    const handler = (): never => {
      throw new Error('the forwarder answers before this handler');
    };
    // Prefixes of http-proxy are static: tenants have a route of their own before the same forwarder.
    if (isForm(route)) scope.route({ method: [...methods], url: '/', config, preHandler, handler });
    else
      await scope.register(httpProxy, {
        upstream: new URL(route.upstream.url).origin,
        rewritePrefix: new URL(route.upstream.url).pathname,
        httpMethods: [...methods],
        routes: ['/'],
        proxyPayloads: false,
        config,
        preHandler,
        handler,
      });
    let limit: NodeJS.Timeout | undefined;
    scope.addHook('preClose', (done) => {
      exchanges.endIdle();
      limit = setTimeout(() => exchanges.endAll(), drainMs);
      done();
    });
    scope.addHook('onClose', async () => {
      clearTimeout(limit);
      await connections.destroy();
    });
  },
  {
    name: 'upstream',
    dependencies: ['sessions'],
    decorators: { request: ['passage', 'upstreamHeaders', 'session'] },
  },
);
