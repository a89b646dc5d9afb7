import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

import type { CredentialProvider, CredentialsAnswer } from '../vocabulary/credentials.ts';
import { opensUrls } from '../vocabulary/opens-urls.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import { AskedByRequest } from './asked.ts';
import { withHeaders, withoutHeaders } from './header-pairs.ts';

export interface CredentialsOptions {
  /** Absent where the upstream wants to be shown none. */
  readonly provider: CredentialProvider | undefined;
}

/**
 * Adds what the upstream wants to be shown to the headers that go there. A request for which there is nothing is
 * refused: it never goes upstream without credentials, nor with those of anyone else.
 */
export const credentialsStage = fp<CredentialsOptions>(
  (scope, { provider }, ready) => {
    scope.decorateRequest('recovery', null);
    if (provider !== undefined) {
      const recover = provider.recover?.bind(provider);
      scope.addHook('preHandler', (request, reply, next) => {
        const { passage, upstreamHeaders } = request;
        if (passage?.stage !== 'admitted' || upstreamHeaders === null)
          throw new Error('the credentials stage needs an admitted request with its headers');
        const asked = new AskedByRequest(request, passage);
        const settle = (answer: CredentialsAnswer): void => {
          // The client left meanwhile: there is no one to answer.
          if (reply.raw.destroyed) return;
          if (!answer.ok) return reply.refuse(asToldTo(request, answer.refusal));
          request.upstreamHeaders = withHeaders(upstreamHeaders, answer.headers);
          if (recover !== undefined)
            request.recovery = () => replaceRefused(request, answer.headers, recover(asked, answer.headers));
          next();
        };
        const answer = provider.credentialsFor(asked);
        if (answer instanceof Promise) answer.then(settle, next);
        else settle(answer);
      });
    }
    ready();
  },
  {
    name: 'credentials',
    dependencies: ['identity', 'challenge'],
    decorators: { request: ['passage', 'upstreamHeaders'], reply: ['refuse'] },
  },
);

async function replaceRefused(
  request: FastifyRequest,
  refused: readonly string[],
  recovering: Promise<CredentialsAnswer>,
): Promise<CredentialsAnswer> {
  const answer = await recovering;
  if (answer.ok) {
    const others = withoutHeaders(request.upstreamHeaders ?? [], refused);
    request.upstreamHeaders = withHeaders(others, answer.headers);
    return answer;
  }
  return { ok: false, refusal: asToldTo(request, answer.refusal) };
}

/** Where the client can have its person log in at once, it is asked to. */
function asToldTo({ passage, headers }: FastifyRequest, refusal: Refusal): Refusal {
  if (refusal.kind !== 'upstream-login-needed' || refusal.url === undefined) return refusal;
  const call = passage?.stage === 'admitted' ? passage.call : null;
  return opensUrls(call, headers['mcp-protocol-version']) ? { ...refusal, opensUrls: true } : refusal;
}
