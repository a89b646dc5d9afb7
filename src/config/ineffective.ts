import { admitsAllOf } from '../policy/admits-all-of.ts';
import { compileGlob } from '../policy/glob.ts';
import { knownMethods, needsNoRule } from '../policy/methods.ts';
import { neverHolds } from '../policy/never-holds.ts';
import { closest } from './closest.ts';
import type { PolicyRule, Route, Weakening } from './configuration.ts';

/** Each rule is held against those before it; a start shall not take long for thousands. */
const maximumCompared = 100;

/** What stands in the file and can't come true, each in a sentence for the operator: rules that never admit anything, scopes that nobody offers. */
export function findIneffective(routes: readonly Route[]): readonly Weakening[] {
  return routes.flatMap((route, index) => {
    const path = `routes[${index}]`;
    const rules = route.policy?.rules ?? [];
    return [
      ...rules.flatMap((rule, place) =>
        ofRule(rule, route, rules.slice(0, Math.min(place, maximumCompared))).map(([key, says]) => ({
          path: `${path}.policy[${place}]${key}`,
          says: `rule ${rule.name} ${says}`,
        })),
      ),
      ...unofferedScopes(route, path),
    ];
  });
}

type Said = readonly [key: string, says: string];

function ofRule(rule: PolicyRule, route: Route, before: readonly PolicyRule[]): readonly Said[] {
  const wide = before.find((earlier) => admitsAllOf(earlier, rule));
  const never = neverHolds(rule, route);
  return [
    ...(wide === undefined
      ? []
      : [['', `decides nothing: rule ${wide.name} before it admits all that it admits`] as const]),
    ...(never === undefined
      ? []
      : [['.when', `admits nothing: its condition ${never}, whoever asks`] as const]),
    ...(rule.methods ?? []).flatMap((method, place): readonly Said[] => {
      const says = whyNoMethod(method);
      return says === undefined ? [] : [[`.methods[${place}]`, says]];
    }),
  ];
}

/** A server may have methods of its own, so that a method which nobody knows isn't yet a mistake. */
function whyNoMethod(method: string): string | undefined {
  if (needsNoRule(method)) return `names ${method}, which needs no rule and is always admitted`;
  const known = [...knownMethods.keys()];
  const fits = compileGlob(method);
  if (known.some(fits)) return undefined;
  const meant = closest(method, known);
  if (meant !== undefined) return `names ${method}, which is no method of MCP; did you mean ${meant}?`;
  const [namespace] = method.split('/');
  return known.some((each) => each.startsWith(`${namespace}/`))
    ? `names ${method}, and no method of MCP is of that pattern`
    : undefined;
}

/** Clients learn from the metadata which scopes there are. */
function unofferedScopes(
  { scopesSupported, scopes, challengeScopes, policy }: Route,
  path: string,
): readonly Weakening[] {
  if (typeof scopesSupported === 'string' || scopesSupported.length === 0) return [];
  const needed: readonly (readonly [string, readonly string[]])[] = [
    ['scopes', scopes],
    ...(typeof challengeScopes === 'string' || challengeScopes === scopes
      ? []
      : [['challengeScopes', challengeScopes] as const]),
    ...(policy?.rules ?? []).map((rule, place) => [`policy[${place}].scopes`, rule.scopes] as const),
  ];
  return needed.flatMap(([key, list]) =>
    list
      .filter((scope) => !scopesSupported.some((offered) => isOffered(scope, offered)))
      .map((scope) => ({
        path: `${path}.${key}`,
        says: `the scope ${scope} isn't among scopesSupported, so that nobody knows who offers it`,
      })),
  );
}

/** Entra ID is asked for `api://…/mcp.use`, and writes `mcp.use` into the token. */
function isOffered(scope: string, offered: string): boolean {
  return offered === scope || offered.endsWith(`/${scope}`);
}
