import type { Configuration, Route } from '../config/configuration.ts';
import { formatFaults } from '../config/faults.ts';
import { loadConfiguration } from '../config/load.ts';
import type { CommandIo } from './io.ts';
import { exitCode } from './io.ts';

/** Says whether the gateway would start with this file and what it would serve, or every fault in it. Opens no port. */
export function check(file: string, io: CommandIo): number {
  let text: string;
  try {
    text = io.readFile(file);
  } catch (error) {
    io.err(`${file}: ${error instanceof Error ? error.message : 'unreadable'}\n`);
    return exitCode.usage;
  }
  const loaded = loadConfiguration(text, { file, environment: io.environment, readFile: io.readFile });
  if (!loaded.ok) {
    io.err(formatFaults(file, loaded.faults));
    return exitCode.configuration;
  }
  io.out(`${file}: ok\n${summarise(loaded.configuration)}`);
  return exitCode.ok;
}

function summarise({ routes, weakenings }: Configuration): string {
  const lines = [
    ...routes.map(summariseRoute),
    ...weakenings.map(({ path, says }) => `warning: ${path}: ${says}`),
  ];
  return lines.map((line) => `  ${line}\n`).join('');
}

function summariseRoute({ name, resource, access, authorizationServers, upstream }: Route): string {
  const who =
    access === 'open'
      ? 'open to anyone'
      : `tokens of ${authorizationServers.map((server) => server.name).join(', ')}`;
  const called = resource.endsWith(name) ? '' : ` (${name})`;
  return `route ${resource}${called}: ${who} -> ${new URL(upstream.url).origin}`;
}
