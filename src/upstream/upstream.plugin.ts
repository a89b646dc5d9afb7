import httpProxy from '@fastify/http-proxy';
import fp from 'fastify-plugin';

import type { Route } from '../config/configuration.ts';
import type { Observer } from '../vocabulary/observer.ts';
import { forward } from './forward.ts';
import { createTarget } from './target.ts';

export interface UpstreamOptions {
  readonly route: Route;
  readonly observer: Observer;
  readonly clock: () => number;
  /** Methods that go upstream. */
  readonly methods: readonly string[];
  /** How long calls in flight may go on once the gateway stops. */
  readonly drainMs: number;
}

/** Serves the route: http-proxy registers it, the forwarder carries the traffic (docs/decisions/0001). */
export const upstreamStage = fp<UpstreamOptions>(
  async (scope, { route, observer, clock, methods, drainMs }) => {
    const parts = { target: createTarget(route), observer, clock };
    const { pool, exchanges } = parts.target;
    await scope.register(httpProxy, {
      upstream: new URL(route.upstream.url).origin,
      rewritePrefix: new URL(route.upstream.url).pathname,
      httpMethods: [...methods],
      routes: ['/'],
      proxyPayloads: false,
      config: { access: route.access, routeName: route.name },
      // Its own handler would work out a destination that is fixed here: a third of the cost of a bare forwarder.
      preHandler: (request, reply) => {
        const { passage } = request;
        if (passage?.stage !== 'admitted') throw new Error('only an admitted request may go upstream');
        forward(passage, { request, reply }, parts);
      },
      handler: () => {
        throw new Error('the forwarder answers before this handler');
      },
    });
    let limit: NodeJS.Timeout | undefined;
    scope.addHook('preClose', (done) => {
      exchanges.endIdle();
      limit = setTimeout(() => exchanges.endAll(), drainMs);
      done();
    });
    scope.addHook('onClose', async () => {
      clearTimeout(limit);
      await pool.destroy();
    });
  },
  { name: 'upstream', dependencies: ['identity'], decorators: { request: ['passage', 'upstreamHeaders'] } },
);
