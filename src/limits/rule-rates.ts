import type { Route } from '../config/configuration.ts';
import type { Admitted } from '../vocabulary/passage.ts';
import type { RateParts } from './route-rate.ts';
import { CallerRates, longest } from './route-rate.ts';

/**
 * Counts what rules admitted, for each caller and rule by itself. `rules` has the name of a rule as often as it admitted
 * something. Answers for how many milliseconds there is no room: 0 where all of it is within the limits.
 */
export type TakeRules = (
  rules: readonly string[],
  passage: Pick<Admitted, 'principal'>,
  address: string | undefined,
) => number | Promise<number>;

/** Undefined where no rule of the route has a rate. */
export function ruleRates(
  { name, policy }: Pick<Route, 'name' | 'policy'>,
  { rateOf }: Pick<RateParts, 'rateOf'>,
): TakeRules | undefined {
  const byRule = new Map(
    (policy?.rules ?? []).flatMap((rule) =>
      rule.rateLimit === undefined
        ? []
        : [
            [
              rule.name,
              new CallerRates(
                { name: JSON.stringify(['rule', name, rule.name]), limit: rule.rateLimit },
                rateOf,
              ),
            ] as const,
          ],
    ),
  );
  if (byRule.size === 0) return undefined;
  return (rules, passage, address) => {
    const take = (rule: string, count: number): number | Promise<number> => {
      const caller = byRule.get(rule)?.callerOf(passage, address);
      return caller === undefined ? 0 : caller.rate.take(caller.key, count);
    };
    const [only, ...others] = rules;
    if (only === undefined) return 0;
    if (others.length === 0) return take(only, 1);
    const counts = new Map<string, number>();
    for (const rule of rules) counts.set(rule, (counts.get(rule) ?? 0) + 1);
    return longest([...counts].map(([rule, count]) => take(rule, count)));
  };
}
