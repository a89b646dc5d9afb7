import type { PolicyRule } from '../config/configuration.ts';
import type { Condition } from './condition.ts';
import { readCondition } from './condition.ts';
import { compileGlob, isGlob } from './glob.ts';
import type { TargetKind } from './methods.ts';
import { knownMethods } from './methods.ts';
import type { Question } from './question.ts';
import { couldFit } from './uri-template.ts';

/** A rule of the configuration, ready to be asked. */
export interface Rule {
  readonly name: string;
  /** Its place among the rules of the route. */
  readonly index: number;
  readonly scopes: readonly string[];
  readonly condition: Condition | undefined;
  /** Names and URIs that it admits exactly, of one kind. */
  exactly(kind: TargetKind): readonly string[];
  /** Whether it admits a name of one kind by a pattern; undefined: none, whatever its name. */
  byPattern(kind: TargetKind): ((target: string) => boolean) | undefined;
  /** Whether it is about a method at all, and one that the file names or that the gateway knows. */
  isAbout(method: string): boolean;
  /** Whether the rule is about this call, or about any of a template's; who may make it, scopes and condition say. */
  covers(question: Question): boolean;
}

/** The patterns of a rule for what a call may be about. */
function patternsOf(
  rule: Pick<PolicyRule, 'tools' | 'prompts' | 'resources'>,
): ReadonlyMap<TargetKind, readonly string[]> {
  const { tools, prompts, resources } = rule;
  return new Map<TargetKind, readonly string[]>([
    ...(tools === undefined ? [] : [['tool', tools] as const]),
    ...(prompts === undefined ? [] : [['prompt', prompts] as const]),
    ...(resources === undefined ? [] : [['resource', resources] as const]),
  ]);
}

export function compileRule(rule: PolicyRule, index: number): Rule {
  const patterns = patternsOf(rule);
  const globs = new Map([...patterns].map(([kind, texts]) => [kind, anyOf(texts)] as const));
  const { methods } = rule;
  const names = methods === undefined ? undefined : anyOf(methods);
  const isAbout = (method: string): boolean => names?.(method) ?? knownMethods.has(method);
  return {
    name: rule.name,
    index,
    scopes: rule.scopes,
    condition: rule.when === undefined ? undefined : compileCondition(rule.when),
    exactly: (kind) => (patterns.get(kind) ?? []).filter((pattern) => !isGlob(pattern)),
    byPattern(kind) {
      if (patterns.size === 0) return () => true;
      const [only, ...others] = (patterns.get(kind) ?? []).filter(isGlob).map(compileGlob);
      if (only === undefined || others.length === 0) return only;
      return (target) => only(target) || others.some((fits) => fits(target));
    },
    isAbout,
    covers({ method, kind, target, unknown }) {
      if (!isAbout(method)) return false;
      if (unknown === 'call.resource')
        return globs.size === 0 || (rule.resources ?? []).some((pattern) => couldFit(target, pattern));
      // A rule about tools says nothing of a prompt, and of what has no name only where it names the method.
      if (kind === undefined) return globs.size === 0 || names !== undefined;
      return globs.size === 0 || globs.get(kind)?.(target) === true;
    },
  };
}

function anyOf(patterns: readonly string[]): (text: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !isGlob(pattern)));
  const globs = patterns.filter(isGlob).map(compileGlob);
  return (text) => exact.has(text) || globs.some((fits) => fits(text));
}

/** The configuration's checks have read it before. */
function compileCondition(text: string): Condition {
  const reading = readCondition(text);
  if (!reading.ok) throw new Error(`a condition passed the checks: ${reading.says}`);
  return reading.condition;
}
