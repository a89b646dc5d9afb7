import type { PolicyRule, Route } from '../config/configuration.ts';
import { routeValue } from './asker.ts';
import { cel } from './cel.ts';
import type { CelJson } from './cel-values.ts';
import { readCondition } from './condition.ts';
import type { Condition } from './condition.ts';

type Asking = Pick<Route, 'access' | 'name' | 'tenant'>;

/**
 * Whether the condition of a rule can hold of nobody who reaches it, by what is known before anyone asks: the route's name, and whether callers
 * are known there. Undefined where it may hold.
 */
export function neverHolds({ when, scopes }: PolicyRule, route: Asking): string | undefined {
  const reading = when === undefined ? undefined : readCondition(when);
  if (reading?.ok !== true) return undefined;
  const { condition } = reading;
  const says = callersOf(route, scopes).map((principal) => whyNot(condition, principal, route));
  return says.every((each) => each !== undefined) ? says[0] : undefined;
}

/** Someone of whom nothing is known but that there is one; null for nobody. */
const someone = (): CelJson => cel().celMap(new Map());

function callersOf({ access }: Asking, scopes: readonly string[]): readonly (CelJson | null)[] {
  const mayBeNobody = access !== 'required' && scopes.length === 0;
  return [...(access === 'open' ? [] : [someone()]), ...(mayBeNobody ? [null] : [])];
}

/** Undefined where it holds, or reads what only a call can say. */
function whyNot(condition: Condition, principal: CelJson | null, route: Asking): string | undefined {
  const isKnown = (part: string): boolean => {
    if (part === 'principal' || part === 'route' || part === 'route.name') return true;
    if (part === 'route.tenant') return route.tenant === undefined;
    return part.startsWith('principal.') && principal === null;
  };
  if (![...condition.reads].every(isKnown)) return undefined;
  const held = condition.evaluate({ principal, call: null, route: routeValue(route) });
  return held.holds ? undefined : held.says;
}
