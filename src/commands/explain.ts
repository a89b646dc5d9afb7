import type { Configuration, Route } from '../config/configuration.ts';
import type { Fetch } from '../vocabulary/ports.ts';
import { isForm, routeOfTenant } from '../vocabulary/tenant.ts';
import { readAskedCall } from './asked-call.ts';
import type { AskedCall } from './asked-call.ts';
import { claimedPrincipal } from './claimed-principal.ts';
import type { Question, Shown } from './explanation.ts';
import { explainRequest } from './explanation.ts';
import type { CommandIo } from './io.ts';
import { exitCode } from './io.ts';
import { printExplanation } from './print-explanation.ts';
import { readConfiguration } from './read-configuration.ts';

export interface ExplainRequest {
  /** `-` stands for standard input. */
  readonly tokenFile: string | undefined;
  /** Claims instead of a token; `-` as well. */
  readonly claimsFile: string | undefined;
  /** Undefined where only the caller is asked about; the arguments are a file's name. */
  readonly call: AskedCall | undefined;
  readonly routeName: string;
  /** Where the route's path has one. */
  readonly tenant: string | undefined;
  /** Without a file the environment is the configuration. */
  readonly configurationFile: string | undefined;
}

export interface ExplainPorts {
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Instead of the network to authorization servers. */
  readonly fetch?: Fetch;
}

/**
 * Says in order what the gateway checks of a token on a route, and of a call, what failed, and what the client would be told. Keys
 * are asked for anew; a running gateway may still hold older ones. The token is never printed. Answers the exit
 * code: 0 allowed, 3 denied or not to be decided now.
 */
export async function explain(request: ExplainRequest, io: CommandIo, ports: ExplainPorts): Promise<number> {
  const configuration = readConfiguration(request.configurationFile, io);
  if (typeof configuration === 'number') return configuration;
  const asked = await readQuestion(request, configuration, io);
  if (typeof asked === 'string') {
    io.err(`${asked}\n`);
    return exitCode.usage;
  }
  const explanation = await explainRequest(asked, ports);
  io.out(printExplanation(explanation));
  return 'refusal' in explanation.outcome ? exitCode.denied : exitCode.ok;
}

/** The route that a request would meet, or what is wrong with the question. */
function findRoute({ routes }: Configuration, { routeName, tenant }: ExplainRequest): Route | string {
  const route = routes.find(({ name }) => name === routeName);
  if (route === undefined)
    return `there is no route ${JSON.stringify(routeName)}; the routes are: ${routes.map(({ name }) => name).join(', ')}`;
  if (!isForm(route))
    return tenant === undefined
      ? route
      : `route ${routeName} isn't one for several tenants: leave --tenant out`;
  if (tenant === undefined)
    return `route ${routeName} has a tenant in its path: say which with --tenant NAME`;
  return routeOfTenant(route, tenant) ?? `route ${routeName} has no tenant ${JSON.stringify(tenant)}`;
}

/** What is asked, out of the files that the command line names; or what is wrong with it. */
async function readQuestion(
  request: ExplainRequest,
  configuration: Configuration,
  io: CommandIo,
): Promise<Question | string> {
  const route = findRoute(configuration, request);
  if (typeof route === 'string') return route;
  const files = [request.tokenFile, request.claimsFile, request.call?.arguments];
  if (files.filter((file) => file === '-').length > 1) return 'only one file can be standard input';
  const options = ['--token', '--claims', '--arguments'];
  const texts = await Promise.all(files.map((file, index) => readText(file, options[index] ?? '', io)));
  const fault = texts.find((text) => typeof text === 'object');
  if (typeof fault === 'object') return fault.says;
  const [token, claims, values] = texts.map((text) => (typeof text === 'string' ? text : undefined));
  const call = request.call === undefined ? undefined : readAskedCall({ ...request.call, arguments: values });
  if (typeof call === 'string') return call;
  const shown = shownBy({ token, claims }, route);
  return typeof shown === 'string' ? shown : { shown, route, call, configuration };
}

function shownBy(
  { token, claims }: Readonly<Record<'token' | 'claims', string | undefined>>,
  route: Route,
): Shown | string {
  if (token !== undefined) return { by: 'token', sent: sentAs(token) };
  if (claims === undefined || route.access === 'open') return { by: 'nothing' };
  const principal = claimedPrincipal(claims, route);
  return typeof principal === 'string' ? principal : { by: 'claims', principal };
}

/** The name isn't told where it can't be read: it may be the token itself, given in the place of a file. */
async function readText(
  file: string | undefined,
  option: string,
  io: CommandIo,
): Promise<string | { readonly says: string } | undefined> {
  if (file === undefined) return undefined;
  try {
    return file === '-' ? await io.readStandardInput() : io.readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return {
      says: `${option}: the file can't be read (${code}); it takes a file's name, or - for standard input`,
    };
  }
}

/** What the client would send as `Authorization`: the file holds the token, or the whole value. */
function sentAs(text: string): string {
  const value = text.trim();
  return /^[a-z0-9-]+\s/i.test(value) ? value : `Bearer ${value}`;
}
