import type { CelEnv, CelError, CelList, CelValue } from '@bufbuild/cel';

import { cel } from './cel.ts';
import { unusablePrefix } from './cel-values.ts';
import type { CelJson } from './cel-values.ts';
import type { Expression, Findings } from './condition-syntax.ts';
import { checkSyntax } from './condition-syntax.ts';
import { counterOf, countRounds } from './count-rounds.ts';
import type { UnknownPart } from './relax.ts';
import { relax } from './relax.ts';

/** What an evaluation may cost, in rounds of a loop; a few milliseconds. */
const maximumCost = 2_000;

/** Looking for a pattern takes time by the length of the text. */
const maximumMatchedLength = 4_096;

/** More than a person reads at once; the parser's stack is deep enough for it. */
export const maximumConditionLength = 2_000;

/** Whether a condition holds, or what kept it from it: for the log, without a value that someone sent. */
export type Held = { readonly holds: true } | { readonly holds: false; readonly says: string };

/** What a condition is asked about. Each is null where it wasn't asked for. */
export interface Bindings {
  readonly principal: CelJson | null;
  readonly call: CelJson | null;
  readonly route: CelJson | null;
}

export interface Condition extends Findings {
  /** The same answer for the same bindings, whenever it is asked: there is no clock in it. */
  evaluate(bindings: Bindings): Held;
  /**
   * Whether it could hold, of a call of which one part isn't known. A no is certain; a yes may be too kind, where two parts of
   * the condition contradict each other. What it is asked about needs no such part.
   */
  couldHold(unknown: UnknownPart, bindings: Bindings): Held;
}

export type ConditionReading =
  | { readonly ok: true; readonly condition: Condition }
  /** Line and column from 1, within the expression. */
  | { readonly ok: false; readonly line: number; readonly column: number; readonly says: string };

/**
 * A condition from its CEL text, or the first fault in it with its place. It reads nothing but `principal`, `call` and `route`, its
 * cost is bounded whatever they hold, and only a boolean true is a yes: an error is a no.
 */
export function readCondition(text: string): ConditionReading {
  const fault = (offset: number, says: string): ConditionReading => ({
    ok: false,
    ...placeAt(text, offset),
    says,
  });
  if (text.length > maximumConditionLength)
    return fault(maximumConditionLength, `more than ${maximumConditionLength} characters`);
  const { isCelError, parse, plan } = cel();
  const budget = { left: maximumCost };
  const env = environment(budget);
  try {
    const { expr: expression, sourceInfo } = parse(text);
    const offsetOf = (id: bigint | undefined): number => sourceInfo?.positions[String(id)] ?? 0;
    const findings = checkSyntax(expression, env);
    if ('says' in findings) return fault(offsetOf(findings.id), findings.says);
    const evaluatorOf = (part: Expression): Condition['evaluate'] => {
      const run = plan(env, part);
      return ({ principal, call, route }) => {
        budget.left = maximumCost;
        const result = run({ __proto__: null, principal, call, route } as never);
        if (result === true) return holds;
        if (!isCelError(result)) return result === false ? isFalse : isNoBoolean;
        const { line, column } = placeAt(text, offsetOf(result.exprId));
        const place = line === 1 ? `column ${column}` : `line ${line}, column ${column}`;
        return { holds: false, says: `can't be worked out at ${place}: ${sayError(result, findings)}` };
      };
    };
    const without = (unknown: UnknownPart): Expression =>
      relax(expression, (part) => {
        const found = checkSyntax(part, env);
        return 'says' in found || found.reads.has(unknown);
      });
    const relaxed = {
      'call.arguments': without('call.arguments'),
      'call.resource': without('call.resource'),
    };
    // In place: what the relaxed ones have of it has its rounds counted too.
    countRounds(expression);
    const evaluate = evaluatorOf(expression);
    const evaluators = {
      'call.arguments': evaluatorOf(relaxed['call.arguments']),
      'call.resource': evaluatorOf(relaxed['call.resource']),
    };
    return {
      ok: true,
      condition: {
        reads: findings.reads,
        names: findings.names,
        evaluate,
        couldHold: (unknown, bindings) => evaluators[unknown](bindings),
      },
    };
  } catch (error) {
    const { offset, says } = describeParseError(error);
    return fault(offset, says);
  }
}

const holds: Held = { holds: true };
const isFalse: Held = { holds: false, says: "isn't true" };
const isNoBoolean: Held = { holds: false, says: 'is neither true nor false' };

/** Standard CEL, with what costs by the length of what a caller sends held to a budget. */
function environment(budget: { left: number }): CelEnv {
  const spend = (cost: number): void => {
    budget.left -= cost;
    if (budget.left < 0) throw new Error('it takes too long');
  };
  const { celEnv, celFunc, celMethod, CelScalar, listType } = cel();
  const { funcs: standard } = celEnv();
  const { BOOL, DYN, STRING } = CelScalar;
  return celEnv({
    funcs: [
      counterOf(() => spend(1)),
      celFunc('@in', [DYN, listType(DYN)], BOOL, (value, list) => {
        spend(list.size / 16);
        return isMember(value, list) ?? standard.find('@in')?.call(0, undefined, [value, list]) === true;
      }),
      // A claim that holds one value instead of a list of one: that value as a whole, whatever commas it has.
      celFunc('@in', [STRING, STRING], BOOL, (value, only) => value === only),
      celMethod('matches', STRING, [STRING], BOOL, function matches(pattern) {
        if (this.length > maximumMatchedLength) throw new Error('the text is too long to match');
        spend(20);
        const result = standard.find('matches')?.call(0, this, [pattern]);
        if (typeof result !== 'boolean') throw new Error('the pattern cannot be used');
        return result;
      }),
    ],
  });
}

const scalars = new Set(['string', 'number', 'bigint', 'boolean']);

/** Undefined where the value is none that can be compared at a glance. */
function isMember(value: CelValue, list: CelList): boolean | undefined {
  const kind = kindOf(value);
  if (!scalars.has(typeof value)) return undefined;
  let found = false;
  for (const member of list) {
    // Such a list isn't the one that the condition was written for.
    if (kindOf(member) !== kind) throw new Error('the list has members of different kinds');
    if (member === value || isSameNumber(member, value)) found = true;
  }
  return found;
}

/** JSON has doubles, an expression ints. */
function isSameNumber(one: CelValue, other: CelValue): boolean {
  if (typeof one === 'bigint') return typeof other === 'number' && isSameNumber(other, one);
  return typeof one === 'number' && Number.isInteger(one) && BigInt(one) === other;
}

function kindOf(value: CelValue): string {
  return typeof value === 'bigint' ? 'number' : typeof value;
}

/** The words of CEL quote what they can't convert or find, which may be an argument; these don't. */
const harmless = [
  /^found no matching overload/,
  /^type mismatch/,
  /^it takes too long$/,
  /^the (?:list|text|pattern) /,
];

function sayError({ message }: CelError, { names }: Findings): string {
  if (message.startsWith(unusablePrefix)) return message.slice(unusablePrefix.length);
  const missing = /^field not found: (.*)$/s.exec(message)?.[1];
  if (missing !== undefined) return names.has(missing) ? `there is no ${missing}` : 'a member is missing';
  return harmless.some((known) => known.test(message)) ? message : 'an error in the values';
}

function describeParseError(error: unknown): { readonly offset: number; readonly says: string } {
  if (error instanceof RangeError) return { offset: 0, says: 'too deeply nested' };
  const { location, message } = error as {
    readonly location?: { start?: { offset?: number } };
    message: string;
  };
  return {
    offset: location?.start?.offset ?? 0,
    // The parser names the place before its words, as if it were a file, and lists all that could stand there.
    says: message.replace(/^<input>:\d+:\d+: /, '').replace(/ but expecting .{60,}$/s, ''),
  };
}

function placeAt(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
