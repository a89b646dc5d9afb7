import type { PolicyRule } from '../config/configuration.ts';
import { compileGlob, isGlob } from './glob.ts';
import type { TargetKind } from './methods.ts';
import { knownMethods } from './methods.ts';

/** Stands for whatever a star could be: no pattern has it, so that nothing but a star takes it. */
const anything = '\u{10fffe}';

/** Whether every text of one pattern is of the other. */
function patternCovers(wide: string, narrow: string): boolean {
  return compileGlob(wide)(narrow.replaceAll('*', anything));
}

function listCovers(wide: readonly string[], narrow: readonly string[]): boolean {
  return narrow.every((each) => wide.some((pattern) => patternCovers(pattern, each)));
}

/**
 * Whether one rule admits all that another admits, so that the other decides nothing where it comes later. A yes is
 * certain; a no may be none, where it takes several patterns together to cover one, or conditions differ in words only.
 */
export function admitsAllOf(wide: PolicyRule, narrow: PolicyRule): boolean {
  if (!wide.scopes.every((scope) => narrow.scopes.includes(scope))) return false;
  if (wide.when !== undefined && wide.when !== narrow.when) return false;
  const unknown = (narrow.methods ?? []).filter((method) => isGlob(method) || !knownMethods.has(method));
  if (!listCovers(wide.methods ?? [], unknown)) return false;
  return [...knownMethods].every(
    ([method, kinds]) =>
      !isAbout(narrow, method) ||
      kindsOf(method, kinds).every((kind) => targetsCover(wide, narrow, { method, kind })),
  );
}

function isAbout({ methods }: PolicyRule, method: string): boolean {
  return methods === undefined || methods.some((pattern) => compileGlob(pattern)(method));
}

/** A subscription may name nothing. */
function kindsOf(method: string, kinds: readonly TargetKind[]): readonly (TargetKind | undefined)[] {
  return kinds.length === 0 || method === 'subscriptions/listen' ? [...kinds, undefined] : kinds;
}

interface About {
  readonly method: string;
  readonly kind: TargetKind | undefined;
}

function targetsCover(wide: PolicyRule, narrow: PolicyRule, { method, kind }: About): boolean {
  const given = patternsOf(narrow, kind);
  return given === undefined || (isAbout(wide, method) && listCovers(patternsOf(wide, kind) ?? [], given));
}

/** What a rule admits of one kind; undefined: nothing. What has no name is admitted as a whole. */
function patternsOf(rule: PolicyRule, kind: TargetKind | undefined): readonly string[] | undefined {
  const { tools, prompts, resources, methods } = rule;
  const isUnbound = tools === undefined && prompts === undefined && resources === undefined;
  if (isUnbound) return ['*'];
  if (kind === undefined) return methods === undefined ? undefined : ['*'];
  return { tool: tools, prompt: prompts, resource: resources }[kind];
}
