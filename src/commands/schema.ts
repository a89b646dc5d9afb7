import { configurationJsonSchema } from '../config/schema.ts';
import type { CommandIo } from './io.ts';
import { exitCode } from './io.ts';

/** Prints the JSON Schema of the configuration, for editors and for the chart. */
export function schema(io: Pick<CommandIo, 'out'>): number {
  io.out(`${JSON.stringify(configurationJsonSchema(), null, 2)}\n`);
  return exitCode.ok;
}
