import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Observer } from '../vocabulary/observer.ts';
import type { Standing } from '../vocabulary/standing.ts';
import type { Target } from './target.ts';

export interface Downstream {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface ForwardParts {
  readonly target: Target;
  readonly observer: Observer;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Asks again whether the token of an open stream would be let in. */
  readonly stillAdmitted: (request: FastifyRequest) => Promise<boolean>;
  /** Of the configuration that let the request in. */
  readonly standing: Standing;
}
