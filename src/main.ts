#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { text as readToEnd } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

import { check } from './commands/check.ts';
import { demo } from './commands/demo.ts';
import { explain } from './commands/explain.ts';
import type { CommandIo } from './commands/io.ts';
import { exitCode } from './commands/io.ts';
import { schema } from './commands/schema.ts';
import { serve } from './commands/serve.ts';
import { version } from './version.ts';

const usage = `portcullis ${version}: the auth gateway for MCP servers

  portcullis [serve] --config FILE   run the gateway (or PORTCULLIS_CONFIG=FILE)
  portcullis [serve]                 run it from environment variables alone
  portcullis check [FILE]            check a configuration and say what is wrong with it
  portcullis explain --token FILE --route NAME [--tenant NAME] [--config FILE]
                                     say why a token is let in or refused (FILE -: stdin)
  portcullis schema                  print the JSON Schema of the configuration
  portcullis demo                    show the whole journey on this machine
  portcullis --version
`;

const io: CommandIo = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  environment: process.env,
  readFile: (path) => readFileSync(path, 'utf8'),
  readStandardInput: () => readToEnd(process.stdin),
};

async function run(args: readonly string[]): Promise<number> {
  const [command = 'serve', ...rest] = args[0]?.startsWith('-') === true ? ['serve', ...args] : args;
  if (args.includes('--help') || args.includes('-h') || command === 'help') {
    io.out(usage);
    return exitCode.ok;
  }
  if (args.includes('--version')) {
    io.out(`${version}\n`);
    return exitCode.ok;
  }
  switch (command) {
    case 'serve':
      return serveCommand(rest);
    case 'check':
      return check(rest[0], io);
    case 'explain':
      return explainCommand(rest);
    case 'schema':
      return schema(io);
    case 'demo':
      return demo(rest, io);
    default:
      return misused(`there is no command ${JSON.stringify(command)}`);
  }
}

async function serveCommand(args: readonly string[]): Promise<number> {
  let file: string | undefined;
  try {
    file = parseArgs({ args: [...args], options: { config: { type: 'string', short: 'c' } } }).values.config;
  } catch (error) {
    return misused(error instanceof Error ? error.message : 'bad arguments');
  }
  return serve(file ?? namedConfiguration(), io);
}

/** An empty variable counts as unset. */
function namedConfiguration(): string | undefined {
  const file = io.environment['PORTCULLIS_CONFIG'];
  return file === '' ? undefined : file;
}

async function explainCommand(args: readonly string[]): Promise<number> {
  const options = {
    token: { type: 'string' },
    route: { type: 'string' },
    tenant: { type: 'string' },
    config: { type: 'string', short: 'c' },
  } as const;
  let given: Readonly<Partial<Record<keyof typeof options, string>>>;
  try {
    given = parseArgs({ args: [...args], options }).values;
  } catch (error) {
    return misused(error instanceof Error ? error.message : 'bad arguments');
  }
  const { token, route, tenant } = given;
  if (token === undefined || route === undefined)
    return misused('explain needs --token FILE and --route NAME');
  const configurationFile = given.config ?? namedConfiguration();
  const request = { tokenFile: token, routeName: route, tenant, configurationFile };
  return explain(request, io, { clock: Date.now });
}

function misused(message: string): number {
  io.err(`${message}\n\n${usage}`);
  return exitCode.usage;
}

// A reader that has seen enough (`portcullis schema | head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await run(process.argv.slice(2));
