import type { FastifyPluginCallback, FastifyReply } from 'fastify';

import { allowOrigin, answerPreflight } from '../vocabulary/cors.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import type { Document, PublicationSources } from './publications.ts';
import { publicationsOf } from './publications.ts';

export type DiscoveryOptions = PublicationSources;

const publicRoute = { access: 'public' } as const;

/**
 * Publishes the metadata of every route that has some, and the mirrored one of an authorization server, for anyone
 * and from any origin, without a token. What else is asked for under /.well-known is 404: clients probe there and
 * take any other answer for a document.
 */
export const discovery: FastifyPluginCallback<DiscoveryOptions> = (scope, sources, ready) => {
  const publicationAt = publicationsOf(sources);
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
      const publication = publicationAt(request.raw.url?.split('?', 1)[0] ?? '');
      if (publication === undefined) return reply.refuse({ kind: 'route-unknown', reason: 'no_such_route' });
      const document = publication();
      if (!(document instanceof Promise)) return answer(reply, document);
      return document.then((later) => {
        answer(reply, later);
        return reply;
      });
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

function answer(reply: FastifyReply, document: Document | Refusal): void {
  if ('kind' in document) return reply.refuse(document);
  void reply
    .type('application/json; charset=utf-8')
    .header('cache-control', document.cacheControl)
    .send(document.text);
}
