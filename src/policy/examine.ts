import type { Policy } from '../config/configuration.ts';
import type { Asker } from './asker.ts';
import { AskerViews } from './asker.ts';
import type { Verdict } from './judge.ts';
import { verdictOf } from './judge.ts';
import type { Question } from './question.ts';
import type { Rule } from './rule.ts';
import { compileRule } from './rule.ts';

/** What one rule says of a question. */
export interface Examined {
  readonly rule: Rule;
  /** Undefined where it is about something else. */
  readonly verdict: Verdict | undefined;
}

/** Every rule that a question meets, in their order, up to the one that admits it. For people: a request needs only the outcome. */
export function examine(policy: Policy, question: Question, asker: Asker): readonly Examined[] {
  const rules = policy.rules.map(compileRule);
  const view = new AskerViews(rules).of(asker, question);
  const examined: Examined[] = [];
  for (const rule of rules) {
    const verdict = rule.covers(question) ? verdictOf(rule, view, asker) : undefined;
    examined.push({ rule, verdict });
    if (verdict?.outcome === 'admitted') break;
  }
  return examined;
}
