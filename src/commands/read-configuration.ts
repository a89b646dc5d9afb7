import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';

import type { Configuration } from '../config/configuration.ts';
import { speaksOfARoute } from '../config/environment-layer.ts';
import { formatFaults } from '../config/faults.ts';
import { loadConfiguration, loadEnvironment } from '../config/load.ts';
import type { CommandIo } from './io.ts';
import { exitCode } from './io.ts';

/**
 * The checked configuration in a file, without one that in the environment, or the exit code after its faults were
 * told. A `.env` beside the file is read as well; it never wins over the environment.
 */
export function readConfiguration(file: string | undefined, io: CommandIo): Configuration | number {
  const dotEnv = join(dirname(file ?? ''), '.env');
  const texts = [readText(dotEnv, io, 'may be missing'), file === undefined ? '' : readText(file, io)];
  const [variables, text] = texts;
  if (variables === undefined || text === undefined) return exitCode.usage;
  const environment = { ...parseEnv(variables), ...definedOf(io.environment) };
  const sources = { file: file ?? dotEnv, environment, readFile: io.readFile };
  if (file === undefined && !speaksOfARoute(environment)) {
    io.err(
      'there is no configuration: give --config FILE, PORTCULLIS_CONFIG, or the variables of a route, MCP_RESOURCE_SERVER_CANONICAL_URL and others\n',
    );
    return exitCode.usage;
  }
  const loaded = file === undefined ? loadEnvironment(sources) : loadConfiguration(text, sources);
  if (loaded.ok) return loaded.configuration;
  io.err(formatFaults(file, loaded.faults));
  return exitCode.configuration;
}

/** Undefined after the reason was told. */
function readText(file: string, io: CommandIo, absence?: 'may be missing'): string | undefined {
  try {
    return io.readFile(file);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing && absence === 'may be missing') return '';
    io.err(`${file}: ${error instanceof Error ? error.message : 'unreadable'}\n`);
    return undefined;
  }
}

/** A variable that is set wins over the `.env`, be it empty. */
function definedOf(environment: CommandIo['environment']): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
