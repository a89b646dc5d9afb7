import type { Route } from '../config/configuration.ts';
import type { Call } from '../vocabulary/call.ts';
import type { Read } from '../vocabulary/passage.ts';
import type { DeniedAs, Refusal } from '../vocabulary/refusal.ts';
import type { Judge, Verdict } from './judge.ts';
import type { TargetKind } from './methods.ts';
import { questionsOf } from './question.ts';

/** What was said of one thing that a call asks for. */
export interface Ruling {
  readonly verdict: Verdict;
  readonly kind: TargetKind | undefined;
}

/** Every message of a call is judged by itself, and everything that a message names. */
export function rulingsOn(call: Call, { principal, route, value }: Read, judge: Judge): readonly Ruling[] {
  const asker = { principal, route };
  const values = call.batch && Array.isArray(value) ? (value as readonly unknown[]) : [value];
  return call.messages.flatMap((message, index) =>
    questionsOf(message, values[index]).map((question) => ({
      verdict: judge(question, asker),
      kind: question.kind,
    })),
  );
}

/** The rules that a request was decided by: those that refused it, else those that admitted it. */
export function rulesIn(rulings: readonly Ruling[]): string | undefined {
  const [only] = rulings;
  if (rulings.length === 1) return only?.verdict.rule?.name;
  const refused = rulings.filter(({ verdict }) => verdict.outcome !== 'admitted');
  const deciding = refused.length === 0 ? rulings : refused;
  const names = new Set(
    deciding.map(({ verdict }) => verdict.rule?.name).filter((name) => name !== undefined),
  );
  return names.size === 0 ? undefined : [...names].join(',');
}

/** Of everything that was admitted, the rule that did it; what needs no rule has none. */
export function admittingRules(rulings: readonly Ruling[]): readonly string[] {
  return rulings.flatMap(({ verdict }) =>
    verdict.outcome === 'admitted' && verdict.rule !== undefined ? [verdict.rule.name] : [],
  );
}

interface Asked {
  readonly call: Call;
  readonly route: Route;
  readonly hide: boolean;
  /** The request is of MCP 2026-07-28 or later. */
  readonly isModern: boolean;
}

/**
 * Why a call isn't served; undefined where all of it is admitted. One refusal refuses a batch. What no step of the client's would
 * open is said first; then the missing login; then the scopes of all rules that lack nothing else, so that one step-up is enough.
 */
export function refusalOf(rulings: readonly Ruling[], asked: Asked): Refusal | undefined {
  const denied = rulings.find(({ verdict }) => verdict.outcome === 'denied');
  if (denied?.verdict.outcome === 'denied') {
    const { says: detail } = denied.verdict;
    return { kind: 'call-denied', reason: 'call_denied', shownAs: shownAs(denied.kind, asked), detail };
  }
  const login = rulings.find(({ verdict }) => verdict.outcome === 'login');
  if (login?.verdict.outcome === 'login') {
    const { says: detail } = login.verdict;
    return { kind: 'login-needed', reason: 'login_needed', scopes: scopesIn(rulings, 'login'), detail };
  }
  const lacking = rulings.find(({ verdict }) => verdict.outcome === 'scopes');
  if (lacking?.verdict.outcome !== 'scopes') return undefined;
  return {
    kind: 'scope-insufficient',
    reason: 'scope_insufficient',
    scopes: [...new Set([...asked.route.scopes, ...scopesIn(rulings, 'scopes')])],
    detail: lacking.verdict.says,
  };
}

/** In the order of the file. */
function scopesIn(rulings: readonly Ruling[], outcome: Verdict['outcome']): readonly string[] {
  const rules = rulings.flatMap(({ verdict }) =>
    verdict.outcome === outcome && verdict.rule !== undefined ? [verdict.rule] : [],
  );
  const inOrder = rules.toSorted((one, other) => one.index - other.index);
  return [...new Set(inOrder.flatMap(({ scopes }) => scopes))];
}

/**
 * A hidden name gets the answer of one that isn't there; both come from here, for a name that no rule admits is never asked for upstream.
 * Only who waits for an answer in this very response can be told so: not a batch, a notification, or the older transport,
 * whose answers come on another stream.
 */
function shownAs(kind: TargetKind | undefined, { call, route, hide, isModern }: Asked): DeniedAs {
  const [first] = call.messages;
  const isAnswered =
    !call.batch && first.kind === 'request' && route.upstream.transport === 'streamable-http';
  if (!hide || !isAnswered) return 'not-allowed';
  if (kind !== undefined) return `unknown-${kind}`;
  // Older revisions have 404 for a lost session alone.
  return isModern ? 'unknown-method-modern' : 'unknown-method';
}
