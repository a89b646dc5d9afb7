import type { FastifyPluginCallback } from 'fastify';

import type { Route } from '../config/configuration.ts';
import { allowOrigin, answerPreflight } from '../vocabulary/cors.ts';
import { metadataPaths, protectedResourceMetadata } from './protected-resource-metadata.ts';

export interface DiscoveryOptions {
  readonly routes: readonly Route[];
}

const publicRoute = { access: 'public' } as const;

/**
 * Publishes the metadata of every route that has some, for anyone and from any origin, without a token. What
 * else is asked for under /.well-known is 404: clients probe there and take any other answer for a document.
 */
export const discovery: FastifyPluginCallback<DiscoveryOptions> = (scope, { routes }, ready) => {
  scope.addHook('onRequest', (_request, reply, next) => {
    allowOrigin(reply, '*');
    next();
  });
  for (const route of routes) {
    if (route.access === 'open' || route.discovery === 'off') continue;
    const document = protectedResourceMetadata(route);
    for (const url of metadataPaths(route)) {
      scope.route({
        method: ['GET', 'HEAD'],
        url,
        config: publicRoute,
        handler: (_request, reply) =>
          reply
            .type('application/json; charset=utf-8')
            .header('cache-control', 'public, max-age=300')
            .send(document),
      });
    }
  }
  scope.route({
    method: ['GET', 'HEAD'],
    url: '/.well-known/*',
    config: publicRoute,
    handler: (_request, reply) => reply.refuse({ kind: 'route-unknown', reason: 'no_such_route' }),
  });
  scope.route({
    method: 'OPTIONS',
    url: '/.well-known/*',
    config: publicRoute,
    handler: (request, reply) => answerPreflight(request, reply, 'GET, HEAD'),
  });
  ready();
};
