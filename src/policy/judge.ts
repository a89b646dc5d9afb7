import type { Policy } from '../config/configuration.ts';
import type { Asker } from './asker.ts';
import { AskerViews } from './asker.ts';
import { needsNoRule } from './methods.ts';
import type { Question, Unreadable } from './question.ts';
import { RuleIndex } from './rule-index.ts';
import type { Rule } from './rule.ts';
import { compileRule } from './rule.ts';

/**
 * What the rules say of one question. `rule` is the one that admits it, else the one that came nearest to admitting it;
 * `says` what that one lacked, for the log.
 */
export type Verdict =
  | { readonly outcome: 'admitted'; readonly rule: Rule | undefined }
  /** All but scopes is there. */
  | { readonly outcome: 'scopes'; readonly rule: Rule; readonly says: string }
  /** Nobody is logged in, and whoever were might be admitted. */
  | { readonly outcome: 'login'; readonly rule: Rule; readonly says: string }
  | { readonly outcome: 'denied'; readonly rule: Rule | undefined; readonly says: string };

/** Answers a question by a policy. */
export type Judge = (question: Question | Unreadable, asker: Asker) => Verdict;

/**
 * The rules of a route, ready to be asked. Rules only ever admit; the first that does is the one that counts, in the order of the
 * file. Nothing that can't be read, matched or worked out is admitted.
 */
export function createJudge(policy: Policy): Judge {
  const rules = policy.rules.map(compileRule);
  const index = new RuleIndex(rules);
  const views = new AskerViews(rules);
  return (question, asker) => {
    const { method } = question;
    if (needsNoRule(method)) return noRuleNeeded;
    if ('says' in question) return { outcome: 'denied', rule: undefined, says: question.says };
    let nearest: Exclude<Verdict, { outcome: 'admitted' }> | undefined;
    const view = views.of(asker, question);
    for (const rule of index.covering(question)) {
      const verdict = verdictOf(rule, view, asker);
      if (verdict.outcome === 'admitted') return verdict;
      if (nearest === undefined || isNearer(verdict, nearest, view.missing)) nearest = verdict;
    }
    return nearest ?? { outcome: 'denied', rule: undefined, says: `no rule is about ${nameOf(question)}` };
  };
}

const noRuleNeeded: Verdict = { outcome: 'admitted', rule: undefined };

type Refused = Exclude<Verdict, { outcome: 'admitted' }>;

/** What one rule says of a question that it is about. */
export function verdictOf(rule: Rule, view: ReturnType<AskerViews['of']>, asker: Asker): Verdict {
  const held = view.holds(rule);
  const missing = view.missing(rule);
  if (held.holds && missing.length === 0) return { outcome: 'admitted', rule };
  const aboutPrincipal = rule.condition?.reads.has('principal') === true;
  const isNobody = asker.principal === null && asker.route.access === 'optional';
  if (isNobody && (aboutPrincipal || (held.holds && missing.length > 0)))
    return { outcome: 'login', rule, says: `rule ${rule.name} needs a login` };
  if (!held.holds)
    return { outcome: 'denied', rule, says: `the condition of rule ${rule.name} ${held.says}` };
  const says = `rule ${rule.name} lacks ${missing.join(' ')}`;
  // On an open route there is nobody to grant them to.
  return { outcome: asker.principal === null ? 'denied' : 'scopes', rule, says };
}

const nearness: Readonly<Record<Refused['outcome'], number>> = { scopes: 2, login: 1, denied: 0 };

/** What one more step would open is nearer than what nothing would; of two, what needs fewer new scopes, then the earlier one. */
function isNearer(one: Refused, other: Refused, missing: (rule: Rule) => readonly string[]): boolean {
  if (nearness[one.outcome] !== nearness[other.outcome])
    return nearness[one.outcome] > nearness[other.outcome];
  if (one.rule === undefined || other.rule === undefined || one.outcome === 'denied') return false;
  return missing(one.rule).length < missing(other.rule).length;
}

function nameOf({ method, kind, target }: Question): string {
  return kind === undefined ? method : `${method} of ${target}`;
}
