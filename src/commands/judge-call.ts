import type { Route } from '../config/configuration.ts';
import type { ReadMessage } from '../mcp/read-message.ts';
import type { Examined } from '../policy/examine.ts';
import { examine } from '../policy/examine.ts';
import { createJudge } from '../policy/judge.ts';
import type { Question, Unreadable } from '../policy/question.ts';
import { questionsOf } from '../policy/question.ts';
import { refusalOf, rulesIn } from '../policy/rulings.ts';
import type { Principal } from '../vocabulary/principal.ts';
import type { Refusal } from '../vocabulary/refusal.ts';

/** What the rules of a route say of a call. */
export interface JudgedCall {
  /** Undefined where the message couldn't be read. */
  readonly question: Question | Unreadable | undefined;
  /** `none`: the route has no rules. */
  readonly rules: readonly Examined[] | 'none';
  /** Name of the rule that decided: it admitted the call, or came nearest. */
  readonly decidedBy: string | undefined;
  /** Undefined where the call is served. */
  readonly refusal: Refusal | undefined;
}

export interface Caller {
  /** Null for who comes without a token. */
  readonly principal: Principal | null;
  readonly route: Route;
}

/** Judges a call as the gateway does: as a request of 2025-11-25, whose answer isn't that of 2026-07-28 in each detail. */
export function judgeCall(message: ReadMessage, { principal, route }: Caller): JudgedCall {
  if (!message.ok)
    return { question: undefined, rules: 'none', decidedBy: undefined, refusal: message.refusal };
  const { call, value } = message;
  const [question] = questionsOf(call.messages[0], value);
  const { policy } = route;
  if (policy === undefined || question === undefined)
    return { question, rules: 'none', decidedBy: undefined, refusal: undefined };
  const asker = { principal, route };
  const verdict = createJudge(policy)(question, asker);
  const rulings = [{ verdict, kind: question.kind }];
  return {
    question,
    rules: verdict.rule === undefined && verdict.outcome === 'admitted' ? [] : examined(question, asker),
    decidedBy: rulesIn(rulings),
    refusal: refusalOf(rulings, { call, route, hide: policy.hide, isModern: false }),
  };
}

function examined(question: Question | Unreadable, asker: Caller): readonly Examined[] {
  const { policy } = asker.route;
  return policy === undefined || 'says' in question ? [] : examine(policy, question, asker);
}
