import type { FastifyError, FastifyReply } from 'fastify';
import fp from 'fastify-plugin';

import type { Configuration } from '../config/configuration.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import type { Answer } from './answer.ts';
import { answerFor } from './answer.ts';
import { answerAndClose, isLongUnread } from './lingering-close.ts';
import type { Challenges } from './www-authenticate.ts';
import { challengesOf } from './www-authenticate.ts';

export interface ChallengeOptions {
  readonly configuration: Configuration;
  /** Hears of what only we can mend. */
  readonly onDefect: (error: unknown, requestId: string) => void;
}

/** Decorates `reply.refuse`, and turns what Fastify itself throws into refusals. */
export const challengeStage = fp<ChallengeOptions>(
  (app, { configuration, onDefect }, ready) => {
    const challenges = new Map<string, Challenges>(
      configuration.routes.map((route) => [route.name, challengesOf(route)]),
    );
    app.decorateRequest('refusal', null);
    app.decorateRequest('messageId', null);
    app.decorateReply('refuse', function refuse(this: FastifyReply, refusal: Refusal): void {
      const { request } = this;
      request.refusal = refusal;
      // The client left, or the answer has begun: there is no one to tell, or no way.
      if (this.raw.headersSent || this.raw.destroyed) return;
      const id = request.messageId ?? null;
      const routeName = request.passage?.route.name;
      sendAnswer(
        this,
        answerFor(refusal, {
          challenges: routeName === undefined ? undefined : challenges.get(routeName),
          id,
        }),
      );
    });
    app.setNotFoundHandler((_request, reply) =>
      reply.refuse({ kind: 'route-unknown', reason: 'no_such_route' }),
    );
    app.setErrorHandler((error: FastifyError, request, reply) => {
      const refusal = refusalFor(error);
      if (refusal.kind === 'defect') onDefect(error, request.id);
      reply.refuse(refusal);
    });
    ready();
  },
  { name: 'challenge' },
);

function sendAnswer(reply: FastifyReply, answer: Answer): void {
  const { request } = reply;
  reply.header('x-request-id', request.id);
  if (isLongUnread(request.raw)) {
    reply.hijack();
    answerAndClose(request.raw, reply.raw, {
      ...answer,
      headers: { ...plainHeaders(reply), ...answer.headers },
    });
    return;
  }
  void reply.code(answer.status).headers(answer.headers).send(answer.body);
}

function plainHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
}

/** Fastify's own errors that a client can cause, by its stable codes; everything else is a defect. */
export function refusalFor(error: FastifyError): Refusal {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { kind: 'body-too-large', reason: 'body_too_large' };
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return { kind: 'request-malformed', reason: 'body_framing' };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_EMPTY_TYPE':
      return { kind: 'media-type-refused', reason: 'content_type' };
    default:
      return (error as NodeJS.ErrnoException).code === 'ECONNRESET'
        ? { kind: 'request-malformed', reason: 'body_framing', detail: 'the client left within its body' }
        : { kind: 'defect', reason: 'defect' };
  }
}
