/** `npm run demo`: the whole way of an MCP client through the gateway, on real parts, told step by step. */
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { listenOnLoopback, reserveFreePort } from '../test/support/loopback.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import { printNextSteps } from './next-steps.ts';
import { playScript } from './script.ts';
import { startWorld, type World } from './world.ts';

const usage = 'usage: npm run demo -- [--once] [--port N]   (default port 8080; 0 takes a free one)';

interface Flags {
  readonly once: boolean;
  readonly port: number;
}

process.exitCode = await main();
// Sockets that fetch keeps for later would hold up the end.
process.exit();

async function main(): Promise<number> {
  const flags = readFlags();
  if (flags === undefined) return 64;
  await using stack = new AsyncDisposableStack();
  const interrupted = untilInterrupted();
  const narrator = createNarrator(process.stdout);
  // A reader that has seen enough ends the story, not the demo's tidying up.
  process.stdout.on('error', () => narrator.fallSilent());
  let world: World | undefined;
  let told = false;
  try {
    return await Promise.race([perform(flags), interrupted.then(() => (told ? 0 : 130))]);
  } catch (error) {
    report(error as Error, world);
    return 1;
  } finally {
    narrator.fallSilent();
  }

  async function perform({ once, port }: Flags): Promise<number> {
    world = await startWorld(await claim(port), stack);
    introduce(world, narrator);
    const aftermath = await playScript(world, narrator);
    told = true;
    narrator.line();
    if (once) {
      narrator.line('Done: every step went as it should.');
      return 0;
    }
    printNextSteps(world, aftermath, narrator);
    await interrupted;
    return 0;
  }
}

function readFlags(): Flags | undefined {
  try {
    const { values } = parseArgs({
      options: { once: { type: 'boolean', default: false }, port: { type: 'string', default: '8080' } },
    });
    const port = Number(values.port);
    if (/^\d{1,5}$/.test(values.port) && port <= 65_535) return { once: values.once, port };
    process.stderr.write(`--port takes a number from 0 to 65535, not ${values.port}\n${usage}\n`);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
  }
  return undefined;
}

/** The port for the gateway, known to be free. */
async function claim(port: number): Promise<number> {
  if (port === 0) return reserveFreePort();
  const probe = createServer();
  try {
    await listenOnLoopback(probe, port);
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw new Error(
      taken
        ? `port ${port} is taken; use --port 0`
        : `port ${port} can't be used: ${(cause as Error).message}`,
      { cause },
    );
  }
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
}

function introduce({ url, authorizationServer, bridge }: World, narrator: Narrator): void {
  narrator.line('An MCP server without a login (server-everything, stdio, behind supergateway) gets one.');
  narrator.line();
  narrator.line(`  MCP server            ${bridge.url}`);
  narrator.line(`  authorization server  ${authorizationServer.issuer}`);
  narrator.line(`  gateway               ${url}`);
}

/** What went wrong, and what the parts said shortly before. */
function report(error: Error, world: World | undefined): void {
  process.stderr.write(`\nThe demo failed: ${error.message}\n`);
  if (world === undefined) return;
  for (const [name, output] of [
    ['gateway', world.gateway.output],
    ['bridge', world.bridge.child.output],
  ] as const) {
    process.stderr.write(`\nThe last lines of the ${name}:\n${output.slice(-20).join('\n')}\n`);
  }
}
