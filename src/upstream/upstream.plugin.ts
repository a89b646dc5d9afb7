import httpProxy from '@fastify/http-proxy';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

import type { Route } from '../config/configuration.ts';
import type { Observer } from '../vocabulary/observer.ts';
import type { Standing } from '../vocabulary/standing.ts';
import { isForm } from '../vocabulary/tenant.ts';
import { forward } from './forward.ts';
import type { OpenExchanges } from './open-exchanges.ts';
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
  /** What is under way on the route; whoever stops the gateway ends it. */
  readonly exchanges: OpenExchanges;
  /** Of the configuration that the route is from. */
  readonly standing: Standing;
}

/** Serves the route: http-proxy registers it, the forwarder carries the traffic (docs/decisions/0001). */
export const upstreamStage = fp<UpstreamOptions>(
  async (scope, { route, publicOrigin, observer, clock, stillAdmitted, methods, exchanges, standing }) => {
    const target = createTarget(route, { publicOrigin, exchanges });
    const parts = { target, observer, clock, stillAdmitted, standing };
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
    scope.addHook('onClose', () => target.connections.destroy());
  },
  {
    name: 'upstream',
    dependencies: ['sessions'],
    decorators: { request: ['passage', 'upstreamHeaders', 'session', 'answerFilter', 'recovery'] },
  },
);
