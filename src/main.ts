#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { text as readToEnd } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

import type { CommandIo } from './commands/io.ts';
import { exitCode } from './commands/io.ts';
import { version } from './version.ts';

const usage = `portcullis ${version}: the auth gateway for MCP servers

  portcullis [serve] --config FILE   run the gateway (or PORTCULLIS_CONFIG=FILE)
  portcullis [serve]                 run it from environment variables alone
  portcullis check [FILE]            check a configuration and say what is wrong with it
  portcullis explain --token FILE --route NAME [--tenant NAME] [--config FILE]
                                     say why a token is let in or refused (FILE -: stdin)
  portcullis explain [--token FILE | --claims FILE] --route NAME [--method METHOD]
      [--tool NAME | --prompt NAME | --resource URI] [--arguments FILE]
                                     say which rule admits a call, or what the rules lack
  portcullis login NAME [--tenant NAME] [--issuer URL --subject SUB] [--config FILE]
                                     log the gateway in at the upstream of a route
  portcullis logout NAME [--tenant NAME] [--issuer URL --subject SUB] [--config FILE]
                                     take that login back
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

/** Each command brings what it needs: whoever serves holds nothing of the others. */
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
      return checkCommand(rest);
    case 'explain':
      return explainCommand(rest);
    case 'login':
    case 'logout':
      return loginCommand(command, rest);
    case 'schema':
      return (await import('./commands/schema.ts')).schema(io);
    case 'demo':
      return (await import('./commands/demo.ts')).demo(rest, io);
    default:
      return noSuchCommand(command);
  }
}

async function serveCommand(args: readonly string[]): Promise<number> {
  const [first] = args;
  if (first !== undefined && !first.startsWith('-'))
    return misused(`serve takes its file after --config: --config ${first}`);
  let file: string | undefined;
  try {
    file = parseArgs({ args: [...args], options: { config: { type: 'string', short: 'c' } } }).values.config;
  } catch (error) {
    return misused(wrongArguments(error));
  }
  const { serve } = await import('./commands/serve.ts');
  return serve(file ?? namedConfiguration(), io);
}

/** The file may stand alone, or after `--config` as the other commands want it. */
async function checkCommand(args: readonly string[]): Promise<number> {
  const options = { config: { type: 'string', short: 'c' } } as const;
  let given: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    given = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    return misused(wrongArguments(error));
  }
  const { config } = given.values;
  const files = [...given.positionals, ...(config === undefined ? [] : [config])];
  if (files.length > 1) return misused('check takes one file');
  const { check } = await import('./commands/check.ts');
  return check(files[0] ?? namedConfiguration(), io);
}

/** An empty variable counts as unset. */
function namedConfiguration(): string | undefined {
  const file = io.environment['PORTCULLIS_CONFIG'];
  return file === '' ? undefined : file;
}

async function explainCommand(args: readonly string[]): Promise<number> {
  const options = {
    token: { type: 'string' },
    claims: { type: 'string' },
    method: { type: 'string' },
    tool: { type: 'string' },
    prompt: { type: 'string' },
    resource: { type: 'string' },
    arguments: { type: 'string' },
    route: { type: 'string' },
    tenant: { type: 'string' },
    config: { type: 'string', short: 'c' },
  } as const;
  let given: Readonly<Partial<Record<keyof typeof options, string>>>;
  try {
    given = parseArgs({ args: [...args], options }).values;
  } catch (error) {
    return misused(wrongArguments(error));
  }
  const { token, claims, method, tool, prompt, resource, route, tenant } = given;
  const asksAboutCall = [method, tool, prompt, resource, given.arguments].some(
    (value) => value !== undefined,
  );
  if (route === undefined || (token === undefined && !asksAboutCall))
    return misused('explain needs --route NAME, and --token FILE or a call such as --tool NAME');
  if (token !== undefined && claims !== undefined)
    return misused('explain takes --token or --claims, not both');
  const request = {
    tokenFile: token,
    claimsFile: claims,
    call: asksAboutCall ? { method, tool, prompt, resource, arguments: given.arguments } : undefined,
    routeName: route,
    tenant,
    configurationFile: given.config ?? namedConfiguration(),
  };
  const { explain } = await import('./commands/explain.ts');
  return explain(request, io, { clock: Date.now });
}

async function loginCommand(command: 'login' | 'logout', args: readonly string[]): Promise<number> {
  const options = {
    tenant: { type: 'string' },
    issuer: { type: 'string' },
    subject: { type: 'string' },
    config: { type: 'string', short: 'c' },
  } as const;
  let given: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    given = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    return misused(wrongArguments(error));
  }
  const { values, positionals } = given;
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0) return misused(`${command} needs the name of one route`);
  const { tenant, issuer, subject } = values;
  const configurationFile = values.config ?? namedConfiguration();
  const wanted = { name, tenant, issuer, subject, configurationFile };
  if (command === 'logout') {
    const { logout } = await import('./commands/logout.ts');
    return logout(wanted, io, { clock: Date.now });
  }
  const { login } = await import('./commands/login.ts');
  return login(wanted, io, { clock: Date.now, limitMs: loginLimitMs });
}

/** A person has to find a password and a second factor. */
const loginLimitMs = 300_000;

async function noSuchCommand(word: string): Promise<number> {
  if (/\.ya?ml$/.test(word))
    return misused(`there is no command ${JSON.stringify(word)}; to run the gateway: --config ${word}`);
  const { closest } = await import('./config/closest.ts');
  const near = closest(word, ['serve', 'check', 'explain', 'login', 'logout', 'schema', 'demo']);
  const meant = near === undefined ? '' : `; did you mean ${near}?`;
  return misused(`there is no command ${JSON.stringify(word)}${meant}`);
}

/** A word where none belongs isn't repeated: it may be the token, given in the place of a file. */
function wrongArguments(error: unknown): string {
  if (!(error instanceof Error)) return 'bad arguments';
  const isStray = 'code' in error && error.code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL';
  return isStray ? 'there is a word too many, without an option before it' : error.message;
}

function misused(message: string): number {
  io.err(`${message}\nall commands: portcullis --help\n`);
  return exitCode.usage;
}

// A reader that has seen enough (`portcullis schema | head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await run(process.argv.slice(2));
