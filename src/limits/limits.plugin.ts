import type { FastifyReply } from 'fastify';
import fp from 'fastify-plugin';

import type { Route } from '../config/configuration.ts';
import type { RateReason, Refusal } from '../vocabulary/refusal.ts';
import type { Places } from './places.ts';
import { rateExceeded } from './rate-exceeded.ts';
import type { RateParts } from './route-rate.ts';
import { routeRate } from './route-rate.ts';
import { ruleRates } from './rule-rates.ts';

export interface CapsOptions {
  readonly route: Route;
  /** What each principal has under way on the route, whatever configuration let it begin. */
  readonly places: Places;
}

/**
 * Bounds what one principal has under way on a route, so that none starves the rest: 429 beyond it. It begins before
 * the body is read, because bodies on their way are held in memory, and ends when the connection is done with the answer.
 * Without a token there is no one to count; the cap of the route holds all the same.
 */
export const capsStage = fp<CapsOptions>(
  (scope, { route, places }, ready) => {
    const { perPrincipal } = route.limits;
    scope.addHook('onRequest', (request, reply, next) => {
      const { passage } = request;
      if (passage?.stage !== 'authenticated')
        throw new Error('the caps stage needs an authenticated request');
      if (passage.principal === null) {
        next();
        return;
      }
      const held = places.heldBy(passage.principal);
      const kind = request.method === 'GET' ? 'streams' : 'calls';
      if (held[kind] >= perPrincipal[kind]) return reply.refuse(full[kind]);
      held[kind] += 1;
      reply.raw.on('close', () => {
        held[kind] -= 1;
      });
      next();
    });
    ready();
  },
  // Not the token stage: where that is missing, the boot says on which route.
  { name: 'caps', dependencies: ['challenge'], decorators: { request: ['passage'], reply: ['refuse'] } },
);

const full: Readonly<Record<'calls' | 'streams', Refusal>> = {
  calls: { kind: 'principal-full', reason: 'principal_calls' },
  streams: { kind: 'principal-full', reason: 'principal_streams' },
};

export interface RatesOptions {
  readonly route: Route;
  readonly parts: RateParts;
}

const reasons = {
  principal: 'principal_rate',
  route: 'route_rate',
  tool: 'tool_rate',
} as const satisfies Record<string, RateReason>;

/**
 * Counts what was read towards the route's rate, whether a later stage lets it pass or not; beyond it the answer is 429.
 * Without a rate there is nothing of it on the way of a request.
 */
export const ratesStage = fp<RatesOptions>(
  (scope, { route, parts }, ready) => {
    const { rateLimit } = route;
    if (rateLimit !== undefined) {
      const take = routeRate(route.name, rateLimit, parts);
      const reason = reasons[rateLimit.key];
      scope.addHook('preHandler', (request, reply, next) => {
        const { passage } = request;
        if (passage?.stage !== 'read') throw new Error('the rates stage needs a request that was read');
        goOnWithin(take(passage, request.ip), { reply, reason }, next);
      });
    }
    ready();
  },
  { name: 'rates', dependencies: ['mcp'], decorators: { request: ['passage'], reply: ['refuse'] } },
);

export interface RuleRatesOptions {
  readonly route: Route;
  readonly parts: Pick<RateParts, 'rateOf'>;
}

/** Counts what the rules admitted towards the rates of those rules, in the same manner. */
export const ruleRatesStage = fp<RuleRatesOptions>(
  (scope, { route, parts }, ready) => {
    const take = ruleRates(route, parts);
    if (take !== undefined)
      scope.addHook('preHandler', (request, reply, next) => {
        const { passage, decision } = request;
        if (passage?.stage !== 'admitted')
          throw new Error('the stage of rule rates needs an admitted request');
        const roomInMs = decision === null ? 0 : take(decision.admittedBy, passage, request.ip);
        goOnWithin(roomInMs, { reply, reason: 'rule_rate' }, next);
      });
    ready();
  },
  {
    name: 'rule-rates',
    dependencies: ['policy'],
    decorators: { request: ['passage', 'decision'], reply: ['refuse'] },
  },
);

/** Goes on where there is room, else refuses; `roomInMs` is what a rate answered. */
function goOnWithin(
  roomInMs: number | Promise<number>,
  { reply, reason }: { readonly reply: FastifyReply; readonly reason: RateReason },
  next: (error?: Error) => void,
): void {
  const settle = (waitMs: number): void => {
    // The client left meanwhile: there is no one to answer.
    if (reply.raw.destroyed) return;
    if (waitMs === 0) next();
    else reply.refuse(rateExceeded(reason, waitMs));
  };
  if (roomInMs instanceof Promise) roomInMs.then(settle, next);
  else settle(roomInMs);
}
