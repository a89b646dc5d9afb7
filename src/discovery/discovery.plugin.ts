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
  const documents = publishedDocuments(routes);
  scope.addHook('onRequest', (_request, reply, next) => {
    allowOrigin(reply, '*');
    next();
  });
  scope.route({
    method: ['GET', 'HEAD'],
    url: '/.well-known/*',
    config: publicRoute,
    handler: (request, reply) => {
      // Compared as it came: the router would decode the path, and read `:` and `*` of a resource as its own.
      const document = documents.get(request.raw.url?.split('?', 1)[0] ?? '');
      if (document === undefined) return reply.refuse({ kind: 'route-unknown', reason: 'no_such_route' });
      void reply
        .type('application/json; charset=utf-8')
        .header('cache-control', 'public, max-age=300')
        .send(document);
    },
  });
  scope.route({
    method: 'OPTIONS',
    url: '/.well-known/*',
    config: publicRoute,
    handler: (request, reply) => answerPreflight(request, reply, 'GET, HEAD'),
  });
  ready();
};

function publishedDocuments(routes: readonly Route[]): ReadonlyMap<string, string> {
  return new Map(
    routes
      .filter((route) => route.access !== 'open' && route.discovery === 'on')
      .flatMap((route) => {
        const document = protectedResourceMetadata(route);
        return metadataPaths(route).map((path) => [path, document] as const);
      }),
  );
}
