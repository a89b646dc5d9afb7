import type { Configuration } from '../config/configuration.ts';
import { formatFaults } from '../config/faults.ts';
import { loadConfiguration } from '../config/load.ts';
import type { CommandIo } from './io.ts';
import { exitCode } from './io.ts';

/** The checked configuration in a file, or the exit code after its faults were told. */
export function readConfiguration(file: string, io: CommandIo): Configuration | number {
  let text: string;
  try {
    text = io.readFile(file);
  } catch (error) {
    io.err(`${file}: ${error instanceof Error ? error.message : 'unreadable'}\n`);
    return exitCode.usage;
  }
  const loaded = loadConfiguration(text, { file, environment: io.environment, readFile: io.readFile });
  if (loaded.ok) return loaded.configuration;
  io.err(formatFaults(file, loaded.faults));
  return exitCode.configuration;
}
