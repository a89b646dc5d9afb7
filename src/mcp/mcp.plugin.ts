import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

import type { Route } from '../config/configuration.ts';
import { read } from '../vocabulary/passage.ts';
import type { Authenticated } from '../vocabulary/passage.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import { checkKnownRevision } from './check-known-revision.ts';
import { checkRevision } from './check-revision.ts';
import { checkContent } from './content.ts';
import { readBody } from './read-body.ts';
import { readMessage } from './read-message.ts';

export interface McpOptions {
  readonly route: Route;
}

/**
 * Turns `authenticated` into `read`: a POST by reading its message out of the exact bytes that will be
 * forwarded; GET and DELETE have none. Bodies are buffered whole, up to the limit.
 */
export const mcpStage = fp<McpOptions>(
  (scope, { route }, ready) => {
    const hasRules = route.policy !== undefined;
    scope.addHook('onRequest', (request, reply, next) => {
      const refusal = request.method === 'POST' ? checkContent(request.headers) : undefined;
      if (refusal !== undefined) return reply.refuse(refusal);
      next();
    });
    scope.addHook('preHandler', (request, reply, next) => {
      const { passage } = request;
      if (passage?.stage !== 'authenticated')
        throw new Error('the message stage needs an authenticated request');
      if (request.method !== 'POST') {
        const refusal = hasRules ? checkKnownRevision(request.headers, undefined) : undefined;
        if (refusal !== undefined) return reply.refuse(refusal);
        request.passage = read(passage, null);
        next();
        return;
      }
      readBody(request.raw, reply.raw, route.limits.body, (body) => {
        const refusal = body.ok
          ? takeMessage(request, passage, { bytes: body.bytes, hasRules })
          : body.refusal;
        if (refusal !== undefined) return reply.refuse(refusal);
        next();
      });
    });
    ready();
  },
  { name: 'mcp', dependencies: ['token'], decorators: { request: ['passage', 'messageId'] } },
);

interface Taken {
  readonly bytes: Buffer;
  /** Whether the route has rules, which hold for known revisions only. */
  readonly hasRules: boolean;
}

function takeMessage(
  request: FastifyRequest,
  passage: Authenticated,
  { bytes, hasRules }: Taken,
): Refusal | undefined {
  const message = readMessage(bytes);
  if (!message.ok) {
    request.messageId = message.id;
    return message.refusal;
  }
  const [first] = message.call.messages;
  if (!message.call.batch && first.kind === 'request') request.messageId = first.id;
  const unknown = hasRules ? checkKnownRevision(request.headers, message.value) : undefined;
  if (unknown !== undefined) return unknown;
  const disagreement = checkRevision(request.headers, message);
  if (disagreement !== undefined) return disagreement;
  request.passage = read(passage, message);
  return undefined;
}
