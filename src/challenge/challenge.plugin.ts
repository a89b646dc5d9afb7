import type { FastifyReply } from 'fastify';
import fp from 'fastify-plugin';

import type { Route } from '../config/configuration.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import type { Answer } from './answer.ts';
import { answerFor } from './answer.ts';
import { answerAndClose, isLongUnread } from './lingering-close.ts';
import type { GlancedScopes } from './current-challenges.ts';
import { currentChallenges } from './current-challenges.ts';
import type { Challenges } from './www-authenticate.ts';

export interface ChallengeOptions {
  /** For routes whose challenge shows what their authorization servers advertise. */
  readonly liveScopes: (route: Route) => GlancedScopes;
  /** Hears of what only we can mend. */
  readonly onDefect: (error: unknown, requestId: string) => void;
}

/** Decorates `reply.refuse`, and answers what no stage foresaw. */
export const challengeStage = fp<ChallengeOptions>(
  (app, { liveScopes, onDefect }, ready) => {
    const known = new WeakMap<Route, () => Challenges>();
    const challengesOn = (route: Route): Challenges => {
      const current = known.get(route) ?? currentChallenges(route, liveScopes);
      known.set(route, current);
      return current();
    };
    app.decorateRequest('refusal', null);
    app.decorateRequest('messageId', null);
    app.decorateReply('refuse', function refuse(this: FastifyReply, refusal: Refusal): void {
      const { request } = this;
      request.refusal = refusal;
      // The client left, or the answer has begun: there is no one to tell, or no way.
      if (this.raw.headersSent || this.raw.destroyed) return;
      const id = request.messageId ?? null;
      const route = request.passage?.route;
      sendAnswer(
        this,
        answerFor(refusal, {
          challenges: route === undefined ? undefined : challengesOn(route),
          id,
        }),
      );
    });
    app.setNotFoundHandler((_request, reply) =>
      reply.refuse({ kind: 'route-unknown', reason: 'no_such_route' }),
    );
    // No client can make a stage throw, nor Fastify: it reads no body and validates nothing here.
    app.setErrorHandler((error, request, reply) => {
      onDefect(error, request.id);
      reply.refuse({ kind: 'defect', reason: 'defect' });
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
