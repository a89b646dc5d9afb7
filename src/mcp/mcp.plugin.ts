import type { IncomingHttpHeaders } from 'node:http';

import fp from 'fastify-plugin';

import type { Route } from '../config/configuration.ts';
import { admitted } from '../vocabulary/passage.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import { checkContent, checkNoContent } from './content.ts';
import { readMessage } from './read-message.ts';

export interface McpOptions {
  readonly route: Route;
}

/**
 * Turns `authenticated` into `admitted`: a POST by reading its message out of the exact bytes that will be
 * forwarded, GET and DELETE by seeing that they bring no body. Bodies are buffered whole, up to the limit.
 */
export const mcpStage = fp<McpOptions>(
  (scope, { route }, ready) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: route.limits.body },
      (_request, body, done) => done(null, body),
    );
    scope.addHook('onRequest', (request, reply, next) => {
      const refusal = checkBody(request.method, request.headers);
      if (refusal !== undefined) return reply.refuse(refusal);
      next();
    });
    scope.addHook('preHandler', (request, reply, next) => {
      const { passage, body } = request;
      if (passage?.stage !== 'authenticated')
        throw new Error('the message stage needs an authenticated request');
      if (request.method !== 'POST') {
        request.passage = admitted(passage, null);
        next();
        return;
      }
      const read = readMessage(Buffer.isBuffer(body) ? body : empty);
      if (!read.ok) {
        request.messageId = read.id;
        return reply.refuse(read.refusal);
      }
      const [first] = read.call.messages;
      if (!read.call.batch && first.kind === 'request') request.messageId = first.id;
      request.passage = admitted(passage, read.call);
      next();
    });
    ready();
  },
  { name: 'mcp', dependencies: ['token'], decorators: { request: ['passage', 'messageId'] } },
);

const empty = Buffer.alloc(0);

function checkBody(method: string, headers: IncomingHttpHeaders): Refusal | undefined {
  if (method === 'POST') return checkContent(headers);
  // Methods that the route doesn't serve get their 405 whatever they bring.
  return method === 'GET' || method === 'DELETE' ? checkNoContent(headers) : undefined;
}
