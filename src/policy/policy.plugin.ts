import fp from 'fastify-plugin';

import type { Route } from '../config/configuration.ts';
import { admitted } from '../vocabulary/passage.ts';
import { isModernRevision } from '../vocabulary/revision.ts';
import { createJudge } from './judge.ts';
import { createListFilter } from './list-filter.ts';
import { admittingRules, refusalOf, rulesIn, rulingsOn } from './rulings.ts';

export interface PolicyOptions {
  readonly route: Route;
}

/**
 * Turns `read` into `admitted`: by the rules of the route, message by message, before anything of it goes upstream. A route without rules
 * admits whoever has its scopes, which the token stage has seen to. Requests without a message are those that open and end
 * the streams of a session; what comes over them was admitted where it was asked for, and its lists are filtered all the same.
 */
export const policyStage = fp<PolicyOptions>(
  (scope, { route }, ready) => {
    scope.decorateRequest('decision', null);
    const { policy } = route;
    const judge = policy === undefined ? undefined : createJudge(policy);
    scope.decorateRequest('answerFilter', null);
    const answerFilter = judge === undefined || policy?.hide !== true ? null : createListFilter(judge);
    const hasRates = policy?.rules.some(({ rateLimit }) => rateLimit !== undefined) === true;
    scope.addHook('preHandler', (request, reply, next) => {
      const { passage } = request;
      if (passage?.stage !== 'read') throw new Error('the policy stage needs a request that was read');
      const { call } = passage;
      if (policy !== undefined && judge !== undefined && call !== null) {
        const rulings = rulingsOn(call, passage, judge);
        request.decision = {
          rule: rulesIn(rulings),
          admittedBy: hasRates ? admittingRules(rulings) : none,
        };
        const refusal = refusalOf(rulings, {
          call,
          route: passage.route,
          hide: policy.hide,
          isModern: isModernRevision(request.headers['mcp-protocol-version']),
        });
        if (refusal !== undefined) return reply.refuse(refusal);
      }
      request.answerFilter = answerFilter;
      request.passage = admitted(passage);
      next();
    });
    ready();
  },
  { name: 'policy', dependencies: ['mcp'], decorators: { request: ['passage'], reply: ['refuse'] } },
);

const none: readonly string[] = [];
