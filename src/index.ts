/** The gateway as a part of another program. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { FastifyPluginAsync } from 'fastify';

import type { Configuration } from './config/configuration.ts';
import type { ConfigFault } from './config/faults.ts';
import { formatFaults } from './config/faults.ts';
import type { Loaded } from './config/load.ts';
import { loadConfiguration, loadValue } from './config/load.ts';
import type { ConfigurationInput } from './config/schema.ts';
import { pluginFor } from './embedding.ts';
import type { Injected } from './running/foundation.ts';
import { createGateway as createFromConfiguration } from './gateway.ts';
import type { Gateway as GatewayAlone } from './running/running-gateway.ts';
import type { Ports } from './vocabulary/ports.ts';

export type { Configuration, Route } from './config/configuration.ts';
export type { ConfigFault } from './config/faults.ts';
export type { ConfigurationInput } from './config/schema.ts';
export type { GivenState } from './state/given-state.ts';
export type { CredentialProvider, CredentialsAnswer, CredentialsAsked } from './vocabulary/credentials.ts';
export type { Fetch, LineSink } from './vocabulary/ports.ts';
export type { Principal } from './vocabulary/principal.ts';
export type { Refusal } from './vocabulary/refusal.ts';

export interface ReadingOptions {
  /** Where secrets named as `{ env }` are, and `HOST`, `PORT` and the like, which win over the configuration; default: the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Folder that paths in the configuration start from; default: the working directory. */
  readonly directory?: string;
  /** Names of the providers that `createGateway` will be given. */
  readonly providers?: readonly string[];
}

/**
 * A configuration from YAML text, or from an object of the same form: checked, with every default and secret filled in, or
 * every fault in it at once. Reads the files and variables that it names.
 */
export function readConfiguration(
  given: string | ConfigurationInput,
  { environment = process.env, directory = '.', providers = [] }: ReadingOptions = {},
): Loaded {
  const from = {
    file: resolve(directory, 'configuration'),
    environment,
    readFile: (path: string) => readFileSync(path, 'utf8'),
    providers,
  };
  // Through JSON, as from a file: what is undefined isn't there, and nothing can change later.
  return typeof given === 'string'
    ? loadConfiguration(given, from)
    : loadValue(JSON.parse(JSON.stringify(given)) as unknown, from);
}

/** A configuration with faults; the message lists them all. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super(`the configuration can't be used:\n${formatFaults('configuration', faults)}`);
    this.faults = faults;
  }
}

export interface GatewayOptions extends Partial<Ports>, Injected, Omit<ReadingOptions, 'providers'> {}

export interface Gateway extends GatewayAlone {
  /** For `app.register` of another Fastify application; in place of `start` and `open`. */
  readonly plugin: FastifyPluginAsync;
}

/**
 * A gateway from a configuration that was checked, or from an object as the file would have it. Opens nothing: `start` has
 * listeners of its own, `plugin` and `open` with `handle` use someone else's. Throws `ConfigurationError`.
 */
export function createGateway(
  config: Configuration | ConfigurationInput,
  options: GatewayOptions = {},
): Gateway {
  const gateway = createFromConfiguration(checkedOf(config, options), options);
  return Object.assign(gateway, { plugin: pluginFor(gateway) });
}

function checkedOf(
  config: Configuration | ConfigurationInput,
  { environment, directory, credentials = {} }: GatewayOptions,
): Configuration {
  // No key of the file: only what was checked has it.
  if ('weakenings' in config) return config;
  const loaded = readConfiguration(config, {
    ...(environment === undefined ? {} : { environment }),
    ...(directory === undefined ? {} : { directory }),
    providers: Object.keys(credentials),
  });
  if (!loaded.ok) throw new ConfigurationError(loaded.faults);
  return loaded.configuration;
}
