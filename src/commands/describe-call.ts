import type { Examined } from '../policy/examine.ts';
import type { Question, Unreadable } from '../policy/question.ts';
import { quoted } from '../token/fault.ts';
import type { Line } from './describe-step.ts';
import { faultText } from './describe-step.ts';
import type { Explanation } from './explanation.ts';
import type { JudgedCall } from './judge-call.ts';

/** What the rules say of the call, each in a line, in the order in which they are asked. */
export function callLines({ call }: Explanation): readonly Line[] {
  if (call === undefined) return [];
  const { question, rules, refusal } = call;
  if (question === undefined)
    return [{ mark: 'FAIL', check: 'call', says: refusal === undefined ? '' : faultText(refusal) }];
  const what = nameOf(question);
  if (rules === 'none')
    return [
      { mark: 'ok', check: 'call', says: `${what}; the route has no rules, so everything is admitted` },
    ];
  if ('says' in question)
    return [{ mark: 'FAIL', check: 'call', says: `${question.says}: no rule can admit it` }];
  if (rules.length === 0) return [{ mark: 'ok', check: 'call', says: `${what} needs no rule` }];
  return [{ mark: '-', check: 'call', says: what }, ...rules.map((examined) => ruleLine(examined, question))];
}

/** ` by rule …` of the one that decided. */
export function decidedBy(call: JudgedCall | undefined): string {
  return call?.decidedBy === undefined ? '' : ` by rule ${call.decidedBy}`;
}

function ruleLine({ rule, verdict }: Examined, question: Question): Line {
  const line = (mark: Line['mark'], says: string): Line => ({ mark, check: 'rule', says });
  if (verdict === undefined) return line('-', `${rule.name} isn't about ${nameOf(question)}`);
  return verdict.outcome === 'admitted'
    ? line('ok', `${rule.name} admits it`)
    : line('FAIL', verdict.says.replace(/^rule /, ''));
}

function nameOf({ method, ...about }: Question | Unreadable): string {
  const target = 'target' in about && about.kind !== undefined ? ` of ${quoted(about.target)}` : '';
  return `${method}${target}`;
}
