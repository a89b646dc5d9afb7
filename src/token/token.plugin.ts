import fp from 'fastify-plugin';

import type { Route } from '../config/configuration.ts';
import { anonymous, authenticated } from '../vocabulary/passage.ts';
import type { Matched } from '../vocabulary/passage.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import { readCredentials } from './credentials.ts';
import type { VerifierParts, Verdict } from './verify-access-token.ts';
import { verifyAccessToken } from './verify-access-token.ts';

export interface TokenOptions {
  readonly route: Route;
  readonly parts: VerifierParts;
}

/**
 * Turns `matched` into `authenticated` before the body is read: credentials, token, and the scopes that every
 * request of the route needs. On an open route no credentials are looked at.
 */
export const tokenStage = fp<TokenOptions>(
  (scope, { route, parts }, ready) => {
    scope.decorate('checksTokens', true);
    scope.addHook('onRequest', (request, reply, next) => {
      const { passage } = request;
      if (passage?.stage !== 'matched') throw new Error('the token stage needs a matched request');
      if (route.access === 'open') {
        request.passage = anonymous(passage);
        next();
        return;
      }
      const settle = (verdict: Verdict): void => {
        // The client left meanwhile: there is no one to answer.
        if (reply.raw.destroyed) return;
        const settled = settleVerdict(verdict, passage);
        if ('kind' in settled) return reply.refuse(settled);
        request.passage = settled;
        next();
      };
      const credentials = readCredentials(request.raw.rawHeaders);
      if (!credentials.ok) return reply.refuse(credentials.refusal);
      const verdict = verifyAccessToken(
        { token: credentials.token, connection: request.raw.socket },
        route,
        parts,
      );
      if (verdict instanceof Promise) verdict.then(settle, next);
      else settle(verdict);
    });
    ready();
  },
  {
    name: 'token',
    dependencies: ['routes', 'challenge'],
    decorators: { request: ['passage'], reply: ['refuse'] },
  },
);

function settleVerdict(verdict: Verdict, passage: Matched): ReturnType<typeof authenticated> | Refusal {
  if (!verdict.ok) return verdict.refusal;
  const { scopes } = passage.route;
  const granted = verdict.principal.scopes;
  // RFC 6750 §3.1: all that the request needs, granted or not, so that one step-up is enough.
  if (!scopes.every((scope) => granted.includes(scope)))
    return { kind: 'scope-insufficient', reason: 'scope_insufficient', scopes };
  return authenticated(passage, verdict.principal);
}
