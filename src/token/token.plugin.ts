import fp from 'fastify-plugin';

import type { Route } from '../config/configuration.ts';
import { anonymous, authenticated } from '../vocabulary/passage.ts';
import type { Principal } from '../vocabulary/principal.ts';
import { checkScopes } from './check-scopes.ts';
import { readCredentials } from './credentials.ts';
import type { PossessionParts } from './prove-possession.ts';
import { provePossession } from './prove-possession.ts';
import type { VerifierParts, Verdict } from './verify-access-token.ts';
import { verifyAccessToken } from './verify-access-token.ts';

export interface TokenOptions {
  readonly route: Route;
  readonly parts: VerifierParts;
  /** For routes that take tokens bound to a key. */
  readonly possession: PossessionParts;
}

/**
 * Turns `matched` into `authenticated` before the body is read: credentials, token, proof of the key that the token
 * is bound to, and the scopes that every
 * request of the route needs. On an open route no credentials are looked at.
 */
export const tokenStage = fp<TokenOptions>(
  (scope, { route, parts, possession }, ready) => {
    scope.decorate('checksTokens', true);
    scope.addHook('onRequest', (request, reply, next) => {
      const { passage } = request;
      if (passage?.stage !== 'matched') throw new Error('the token stage needs a matched request');
      if (route.access === 'open') {
        request.passage = anonymous(passage);
        next();
        return;
      }
      const credentials = readCredentials(request.raw.rawHeaders, route.dpop);
      if (!credentials.ok) return reply.refuse(credentials.refusal);
      const { token, scheme } = credentials;
      const admit = (principal: Principal): void => {
        const refusal = checkScopes(principal, passage.route);
        if (refusal !== undefined) return reply.refuse(refusal);
        request.passage = authenticated(passage, principal);
        next();
      };
      const settle = (verdict: Verdict): void => {
        // The client left meanwhile: there is no one to answer.
        if (reply.raw.destroyed) return;
        if (!verdict.ok) return reply.refuse(verdict.refusal);
        const { principal } = verdict;
        if (scheme === 'Bearer') return admit(principal);
        const sent = { rawHeaders: request.raw.rawHeaders, method: request.method, token };
        provePossession(sent, principal, passage.route, possession).then((proved) => {
          if (reply.raw.destroyed) return;
          if (!proved.ok) return reply.refuse(proved.refusal);
          if (proved.nextNonce !== undefined) void reply.header('dpop-nonce', proved.nextNonce);
          admit(principal);
        }, next);
      };
      const verdict = verifyAccessToken(
        { token, scheme, connection: request.raw.socket },
        passage.route,
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
