import type { Configuration, Route } from '../config/configuration.ts';
import type { Fetch } from '../vocabulary/ports.ts';
import { isForm, routeOfTenant } from '../vocabulary/tenant.ts';
import { explainToken } from './explanation.ts';
import type { CommandIo } from './io.ts';
import { exitCode } from './io.ts';
import { printExplanation } from './print-explanation.ts';
import { readConfiguration } from './read-configuration.ts';

export interface ExplainRequest {
  /** `-` stands for standard input. */
  readonly tokenFile: string;
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
 * Says in order what the gateway checks of a token on a route, what failed, and what the client would be told. Keys
 * are asked for anew; a running gateway may still hold older ones. The token is never printed. Answers the exit
 * code: 0 allowed, 3 denied or not to be decided now.
 */
export async function explain(request: ExplainRequest, io: CommandIo, ports: ExplainPorts): Promise<number> {
  const configuration = readConfiguration(request.configurationFile, io);
  if (typeof configuration === 'number') return configuration;
  const route = findRoute(configuration, request);
  const text = typeof route === 'string' ? undefined : await readToken(request.tokenFile, io);
  if (typeof route === 'string') io.err(`${route}\n`);
  if (typeof route === 'string' || text === undefined) return exitCode.usage;
  const explanation = await explainToken({ sent: sentAs(text), route, configuration }, ports);
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

async function readToken(file: string, io: CommandIo): Promise<string | undefined> {
  try {
    return file === '-' ? await io.readStandardInput() : io.readFile(file);
  } catch (error) {
    io.err(`${file}: ${error instanceof Error ? error.message : 'unreadable'}\n`);
    return undefined;
  }
}

/** What the client would send as `Authorization`: the file holds the token, or the whole value. */
function sentAs(text: string): string {
  const value = text.trim();
  return /^[a-z0-9-]+\s/i.test(value) ? value : `Bearer ${value}`;
}
