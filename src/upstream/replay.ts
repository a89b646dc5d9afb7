import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Route } from '../config/configuration.ts';
import { needsLogin } from '../vocabulary/needs-login.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import type { SentOnce } from './connections.ts';

/** A call is far smaller; an upload of this size twice is for the client to decide. */
const largestReplayBytes = 1024 * 1024;

/** What ends a connection whose answer nobody wants: other credentials are looked for. */
export const credentialsRefused = new Error('the upstream refused the credentials');

/** A request that the upstream answered 401, and nothing of it has gone to the client. */
export interface RefusedRequest {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly bodyBytes: number;
  readonly recovery: NonNullable<FastifyRequest['recovery']>;
  /** The client has left, or the gateway stops. */
  readonly isOver: () => boolean;
  readonly sendAgain: () => void;
  readonly giveUp: (refusal: Refusal) => void;
}

/** Has other credentials looked for and sends the request once more; a request that is over by then is sent nowhere. */
export function replayOnce(refused: RefusedRequest): void {
  const { request, reply, bodyBytes, recovery, isOver, sendAgain, giveUp } = refused;
  // Whoever answers 401 to these as well gets no third try.
  request.recovery = null;
  recovery().then(
    (answer) => {
      if (isOver()) return;
      if (!answer.ok) giveUp(answer.refusal);
      else if (bodyBytes > largestReplayBytes) giveUp(tooLargeToRepeat);
      else sendAgain();
    },
    (error: unknown) => void reply.send(error),
  );
}

const tooLargeToRepeat: Refusal = {
  kind: 'upstream-credentials-unavailable',
  reason: 'credentials_renewed',
  retryAfterSeconds: 1,
  detail: `they have been renewed, and a body of more than ${largestReplayBytes} bytes isn't sent twice`,
};

/** What a 401 means on a route whose login was renewed a moment ago: only a person can say more. */
export function refusalOfRenewed(route: Route): Refusal | undefined {
  const { credentials } = route.upstream;
  return credentials?.kind === 'oauth'
    ? needsLogin(route, credentials.scope, 'the upstream answered 401 to renewed credentials too')
    : undefined;
}

/** Hands the events of a second attempt to the exchange that made the first; whether its bytes went out is its own. */
export function secondAttempt(exchange: SentOnce): SentOnce {
  let sent = false;
  return {
    get sent() {
      return sent;
    },
    onRequestStart(controller, context) {
      sent = true;
      exchange.onRequestStart?.(controller, context);
    },
    onResponseStart: (...event) => exchange.onResponseStart?.(...event),
    onResponseData: (...event) => exchange.onResponseData?.(...event),
    onResponseEnd: (...event) => exchange.onResponseEnd?.(...event),
    onResponseError: (...event) => exchange.onResponseError?.(...event),
  };
}
