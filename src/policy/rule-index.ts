import type { TargetKind } from './methods.ts';
import { knownMethods } from './methods.ts';
import type { Question } from './question.ts';
import type { Rule } from './rule.ts';

/** Which rules are about a call, in their order, looked up as far as that can be done ahead. */
export class RuleIndex {
  readonly #rules: readonly Rule[];
  /** By method and kind. */
  readonly #known: ReadonlyMap<string, Lookup>;

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.#known = new Map(
      [...knownMethods].flatMap(([method, kinds]) =>
        [undefined, ...kinds].map((kind) => [keyOf(method, kind), lookup(rules, method, kind)] as const),
      ),
    );
  }

  covering(question: Question): readonly Rule[] {
    const known = this.#known.get(keyOf(question.method, question.kind));
    // The names that are looked up ahead are no templates.
    if (known === undefined || question.unknown === 'call.resource')
      return this.#rules.filter((rule) => rule.covers(question));
    const { target } = question;
    const exact = known.exact.get(target) ?? known.remembered.get(target);
    if (exact !== undefined) return exact;
    const covering: Rule[] = [];
    for (const { rule, fits } of known.others) if (fits(target)) covering.push(rule);
    if (known.remembered.size < maximumRemembered && target.length <= longestRemembered)
      known.remembered.set(target, covering);
    return covering;
  }
}

/** A server has so many names, and clients call them again and again; invented ones are looked for each time once this is full. */
const maximumRemembered = 500;
const longestRemembered = 128;

interface Lookup {
  /** For each name that a rule has exactly: the rules that cover it, by a pattern or not. */
  readonly exact: ReadonlyMap<string, readonly Rule[]>;
  /** The same for names that were asked for and are only of patterns; never more than a few hundred, and never forgotten. */
  readonly remembered: Map<string, readonly Rule[]>;
  /** Rules that cover other names by a pattern. */
  readonly others: readonly { readonly rule: Rule; readonly fits: (target: string) => boolean }[];
}

function lookup(rules: readonly Rule[], method: string, kind: TargetKind | undefined): Lookup {
  const about = rules.filter((rule) => rule.isAbout(method));
  const covering = (target: string): readonly Rule[] =>
    about.filter((rule) => rule.covers({ method, kind, target, arguments: undefined }));
  // What has no name has an empty one.
  if (kind === undefined) return { exact: new Map([['', covering('')]]), remembered: new Map(), others: [] };
  const names = new Set(about.flatMap((rule) => rule.exactly(kind)));
  return {
    exact: new Map([...names].map((name) => [name, covering(name)])),
    remembered: new Map(),
    others: about.flatMap((rule) => {
      const fits = rule.byPattern(kind);
      return fits === undefined ? [] : [{ rule, fits }];
    }),
  };
}

/** No method of MCP has a space in it. */
function keyOf(method: string, kind: TargetKind | undefined): string {
  return kind === undefined ? method : `${kind} ${method}`;
}
