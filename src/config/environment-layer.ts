import type { Finding } from './finding.ts';
import { valueAt } from './issues.ts';
import type { Path } from './path.ts';
import { isWithin } from './path.ts';
import type { RouteVariable, VariableReading } from './route-variables.ts';
import { routeVariables } from './route-variables.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What stands in the file, and below it what the environment says of the keys that the file leaves open. */
export interface Layered {
  readonly value: unknown;
  readonly findings: readonly Finding[];
  /** Keys whose variable is faulty or missing, which is told by `findings` already. */
  readonly unread: readonly Path[];
  /** The variable that a value comes from, or would have to come from. */
  readonly variableOf: (path: Path) => string | undefined;
}

/**
 * Fills the open keys of a file, or of nothing at all, from the variables of one route (row C3). A key that the file
 * has wins, and the variable isn't even read. Beside a file with several routes no variable speaks of a route.
 */
export function layEnvironment(
  written: unknown,
  environment: Environment,
  file: 'file' | 'no file',
): Layered {
  const value: unknown = structuredClone(written);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return asWritten(value);
  const isRouteOpen = !Object.hasOwn(value, 'routes');
  if (isRouteOpen && (file === 'no file' || speaksOfARoute(environment)))
    Object.assign(value, { routes: [{}] });
  const findings: Finding[] = [];
  const unread: Path[] = [];
  const origins: (readonly [Path, string])[] = [];
  for (const variable of routeVariables) {
    const open = openKeys(value, variable);
    const text = environment[variable.name]?.trim() ?? '';
    const isNeeded = variable.isNeeded && (file === 'no file' || (isRouteOpen && open.some(isOfRoute)));
    if (open.length === 0 || (text === '' && !isNeeded)) continue;
    origins.push(...open.map((path) => [path, variable.name] as const));
    const reading: VariableReading =
      text === '' ? { ok: false, found: 'nothing', expected: variable.expected } : variable.read(text, value);
    if (reading.ok) for (const path of open) put(value, path, reading.valueFor(path.at(-1)));
    else {
      findings.push({ path: [], variable: variable.name, ...wordsOf(reading) });
      unread.push(...open);
    }
  }
  const variableOf = (path: Path): string | undefined =>
    origins.find(([origin]) => isWithin(path, origin))?.[1];
  return { value, findings, unread, variableOf };
}

/** Whether any variable of a route is set, so that a gateway can be asked for by the environment alone. */
export function speaksOfARoute(environment: Environment): boolean {
  return routeVariables.some(
    ({ name, keys }) => (environment[name]?.trim() ?? '') !== '' && keys.some(isOfRoute),
  );
}

function asWritten(value: unknown): Layered {
  return { value, findings: [], unread: [], variableOf: () => undefined };
}

function isOfRoute(path: Path): boolean {
  return path[0] === 'routes';
}

/** The keys of a variable that the file hasn't. */
function openKeys(value: unknown, { keys }: RouteVariable): readonly Path[] {
  const routes = valueAt(value, ['routes']);
  const isOneRoute = Array.isArray(routes) && routes.length === 1;
  const open = keys.filter((path) => {
    const holder = valueAt(value, path.slice(0, -1));
    const isMapping = typeof holder === 'object' && holder !== null && !Array.isArray(holder);
    return isMapping && !Object.hasOwn(holder, path.at(-1) ?? '') && (isOneRoute || !isOfRoute(path));
  });
  // Where the file says the path, resource and path would be of two minds.
  const isPathOpen = open.some((path) => path.at(-1) === 'path');
  return open.filter((path) => path.at(-1) !== 'resource' || isPathOpen);
}

function put(value: unknown, path: Path, given: unknown): void {
  const holder = valueAt(value, path.slice(0, -1));
  if (typeof holder === 'object' && holder !== null && given !== undefined)
    Reflect.set(holder, path.at(-1) ?? '', given);
}

function wordsOf({
  found,
  expected,
  hint,
}: Extract<VariableReading, { readonly ok: false }>): Pick<Finding, 'found' | 'expected' | 'hint'> {
  return { found, expected, ...(hint === undefined ? {} : { hint }) };
}
