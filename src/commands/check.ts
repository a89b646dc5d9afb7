import type { Configuration, Route } from '../config/configuration.ts';
import type { CommandIo } from './io.ts';
import { exitCode } from './io.ts';
import { readConfiguration } from './read-configuration.ts';

/** Says whether the gateway would start with this file, or without one with the environment, and what it would serve, or every fault in it. Opens no port. */
export function check(file: string | undefined, io: CommandIo): number {
  const configuration = readConfiguration(file, io);
  if (typeof configuration === 'number') return configuration;
  io.out(`${file ?? 'environment'}: ok\n${summarise(configuration)}`);
  return exitCode.ok;
}

function summarise({ routes, weakenings, ineffective }: Configuration): string {
  const lines = [
    ...routes.map(summariseRoute),
    ...[...weakenings, ...ineffective].map(({ path, says }) => `warning: ${path}: ${says}`),
  ];
  return lines.map((line) => `  ${line}\n`).join('');
}

function summariseRoute({ name, resource, access, authorizationServers, upstream }: Route): string {
  const who =
    access === 'open'
      ? 'open to anyone'
      : `${access === 'optional' ? 'anyone by its rules, or ' : ''}tokens of ${authorizationServers.map((server) => server.name).join(', ')}`;
  const called = resource.endsWith(name) ? '' : ` (${name})`;
  return `route ${resource}${called}: ${who} -> ${new URL(upstream.url).origin}`;
}
