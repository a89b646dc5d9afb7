import type { FastifyReply } from 'fastify';
import fp from 'fastify-plugin';

import type { Route } from '../config/configuration.ts';
import { anonymous, authenticated } from '../vocabulary/passage.ts';
import type { Matched } from '../vocabulary/passage.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import type { Strangers } from '../vocabulary/strangers.ts';
import { checkScopes } from './check-scopes.ts';
import { readCredentials } from './credentials.ts';
import type { PossessionParts, SentRequest } from './prove-possession.ts';
import { provePossession } from './prove-possession.ts';
import type { VerifierParts, Verdict } from './verify-access-token.ts';
import { verifyAccessToken } from './verify-access-token.ts';

/** mcp-remote sends a GET beside its first POST, and two 401 at once break its login; MCP has 405 for a server without a stream. */
const noStreamForNobody: Refusal = {
  kind: 'method-not-served',
  reason: 'method_not_served',
  allow: 'POST, DELETE',
};

export interface TokenOptions {
  readonly route: Route;
  readonly parts: VerifierParts;
  /** For routes that take tokens bound to a key. */
  readonly possession: PossessionParts;
  /** Absent where refusals aren't counted. */
  readonly strangers?: Strangers | undefined;
}

/**
 * Turns `matched` into `authenticated` before the body is read: credentials, token, the proof of the key that it is
 * bound to, and the scopes that every request of the route needs. On an open route no credentials are looked at; on
 * an optional one whoever shows none passes as nobody, and what is shown must hold.
 */
export const tokenStage = fp<TokenOptions>(
  (scope, { route, parts, possession, strangers }, ready) => {
    scope.decorate('checksTokens', true);
    // The older transport begins with a GET.
    const streamIsExtra = route.upstream.transport === 'streamable-http';
    const refuse = (reply: FastifyReply, refusal: Refusal): void =>
      reply.refuse(strangers?.judge(reply.request.ip, refusal) ?? refusal);
    scope.addHook('onRequest', (request, reply, next) => {
      const { passage } = request;
      if (passage?.stage !== 'matched') throw new Error('the token stage needs a matched request');
      if (route.access === 'open') {
        request.passage = anonymous(passage);
        next();
        return;
      }
      const { rawHeaders, socket } = request.raw;
      const credentials = readCredentials(rawHeaders, route.dpop, parts.remembered.presentedLast(socket));
      if (!credentials.ok) {
        const { refusal } = credentials;
        if (route.access !== 'optional' || refusal.reason !== 'no_credentials') return refuse(reply, refusal);
        if (request.method === 'GET' && streamIsExtra) return reply.refuse(noStreamForNobody);
        request.passage = anonymous(passage);
        next();
        return;
      }
      const { token, scheme } = credentials;
      const settle = (verdict: Verdict): void => {
        // The client left meanwhile: there is no one to answer.
        if (reply.raw.destroyed) return;
        const settled = settleVerdict(verdict, passage);
        if ('kind' in settled) return refuse(reply, settled);
        request.passage = settled;
        next();
      };
      const barred = strangers === undefined ? undefined : () => strangers.barred(request.ip);
      const presentation = { token, scheme, connection: request.raw.socket, barred };
      const verdict = verifyAccessToken(presentation, passage.route, parts);
      if (scheme === 'DPoP') {
        const sent = { rawHeaders: request.raw.rawHeaders, method: request.method, token };
        proveBound(verdict, sent, { route: passage.route, possession }).then((proved) => {
          if (proved.nextNonce !== undefined) void reply.header('dpop-nonce', proved.nextNonce);
          settle(proved);
        }, next);
      } else if (verdict instanceof Promise) verdict.then(settle, next);
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
  return checkScopes(verdict.principal, passage.route) ?? authenticated(passage, verdict.principal);
}

/** The verdict on a token that is bound to a key, and on the proof of that key. */
async function proveBound(
  verdict: Verdict | Promise<Verdict>,
  sent: SentRequest,
  { route, possession }: { readonly route: Route; readonly possession: PossessionParts },
): Promise<Verdict & { readonly nextNonce?: string | undefined }> {
  const judged = await verdict;
  if (!judged.ok) return judged;
  const proved = await provePossession(sent, judged.principal, route, possession);
  return proved.ok ? { ...judged, nextNonce: proved.nextNonce } : proved;
}
