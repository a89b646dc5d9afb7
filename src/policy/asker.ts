import type { Route } from '../config/configuration.ts';
import type { Principal } from '../vocabulary/principal.ts';
import { cel } from './cel.ts';
import type { CelJson, Names } from './cel-values.ts';
import { argumentsValue, namesOf, principalValue } from './cel-values.ts';
import type { Bindings, Held } from './condition.ts';
import type { Question } from './question.ts';
import type { Rule } from './rule.ts';

/** Who asks, and where: nobody, where the route lets callers in without a token. */
export interface Asker {
  readonly principal: Principal | null;
  readonly route: Route;
}

/** What the conditions of a policy see of each asker. */
export class AskerViews {
  /** What every condition that reads arguments calls their parts. */
  readonly #names: Names;
  /** A principal's claims never change, so that what depends on them alone is worked out once. */
  readonly #known = new WeakMap<Principal, KnownPrincipal>();

  constructor(rules: readonly Rule[]) {
    const readers = rules.filter(({ condition }) => condition?.reads.has('call.arguments') === true);
    this.#names = namesOf(readers.flatMap(({ condition }) => [...(condition?.names ?? [])]));
  }

  of(asker: Asker, question: Question): AskerView {
    return new AskerView({ asker, question, names: this.#names, recall: this.#recall });
  }

  readonly #recall = (principal: Principal): KnownPrincipal => {
    const known = this.#known.get(principal);
    if (known !== undefined) return known;
    const fresh = { value: principalValue(principal), answers: [] };
    this.#known.set(principal, fresh);
    return fresh;
  };
}

interface KnownPrincipal {
  readonly value: CelJson;
  /** Of conditions that read the principal alone, by the rule's index. */
  readonly answers: (Held | undefined)[];
}

interface Viewed {
  readonly asker: Asker;
  readonly question: Question;
  readonly names: Names;
  readonly recall: (principal: Principal) => KnownPrincipal;
}

/** One question of one asker, as rules look at it. */
class AskerView {
  readonly #viewed: Viewed;
  #arguments: ReturnType<typeof argumentsValue> | undefined;

  constructor(viewed: Viewed) {
    this.#viewed = viewed;
  }

  /** The scopes of a rule that weren't granted. */
  readonly missing = ({ scopes }: Rule): readonly string[] => {
    const granted = this.#viewed.asker.principal?.scopes;
    return granted === undefined ? scopes : scopes.filter((scope) => !granted.includes(scope));
  };

  /** Whether a rule's condition holds; where it has none, it does. */
  holds(rule: Rule): Held {
    const { condition } = rule;
    if (condition === undefined) return holds;
    const { principal } = this.#viewed.asker;
    if (principal === null || condition.reads.has('call') || condition.reads.has('route'))
      return this.#evaluate(condition);
    const { answers } = this.#viewed.recall(principal);
    return (answers[rule.index] ??= this.#evaluate(condition));
  }

  #evaluate(condition: NonNullable<Rule['condition']>): Held {
    const { reads } = condition;
    const { unknown } = this.#viewed.question;
    if (unknown !== undefined) return condition.couldHold(unknown, this.#bindings(reads, undefined));
    const read = reads.has('call.arguments') ? this.#readArguments() : undefined;
    // Without them even a `!` could come true.
    if (read !== undefined && 'fault' in read)
      return { holds: false, says: `can't be worked out: ${read.fault}` };
    return condition.evaluate(this.#bindings(reads, read?.value));
  }

  #bindings(reads: ReadonlySet<string>, given: CelJson | undefined): Bindings {
    return {
      principal: reads.has('principal') ? this.#principal() : null,
      call: reads.has('call') ? this.#callValue(given) : null,
      route: reads.has('route') ? routeValue(this.#viewed.asker.route) : null,
    };
  }

  #principal(): CelJson | null {
    const { asker, recall } = this.#viewed;
    return asker.principal === null ? null : recall(asker.principal).value;
  }

  #readArguments(): ReturnType<typeof argumentsValue> {
    const { question, names } = this.#viewed;
    this.#arguments ??= argumentsValue(question.arguments, names);
    return this.#arguments;
  }

  #callValue(given: CelJson | undefined): CelJson {
    const { method, kind, target } = this.#viewed.question;
    return cel().celMap(
      new Map([
        ['method', method],
        ...(kind === undefined ? [] : [[kind, target] as const]),
        ...(given === undefined || (kind !== 'tool' && kind !== 'prompt')
          ? []
          : [['arguments', given] as const]),
      ]),
    );
  }
}

const holds: Held = { holds: true };

/** The route, as conditions see it. */
export function routeValue({ name, tenant }: Pick<Route, 'name' | 'tenant'>): CelJson {
  return cel().celMap(
    new Map([['name', name], ...(tenant === undefined ? [] : [['tenant', tenant.name] as const])]),
  );
}
