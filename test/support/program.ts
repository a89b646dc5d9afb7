/** `portcullis serve` as an operator runs it: a process of its own, with a file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProgram } from './built-program.ts';
import { startChild, type Child, type ChildOptions } from './child-process.ts';
import { host, reserveFreePort } from './loopback.ts';

/** What Node is given to run. */
export const program = await buildProgram();

export interface ProgramOptions extends Pick<ChildOptions, 'env' | 'openFiles' | 'withinMs'> {
  /** All of the file but `publicUrl`, `listen` and `ops`. */
  readonly yaml: string;
}

export interface Program extends AsyncDisposable {
  readonly child: Child;
  readonly port: number;
  readonly opsPort: number;
  readonly opsUrl: string;
  /** Of the route `/mcp`. */
  readonly audience: string;
  /** What it wrote so far, stdout and stderr. */
  readonly output: string;
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>;
}

/** On a machine that runs all tests at once. */
const startsWithinMs = 45_000;

export async function startProgram({ yaml, ...options }: ProgramOptions): Promise<Program> {
  await using parts = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-program-'));
  parts.defer(() => rmSync(folder, { recursive: true, force: true }));
  const [port, opsPort] = [await reserveFreePort(), await reserveFreePort()];
  const publicUrl = `http://localhost:${port}`;
  const opsUrl = `http://${host}:${opsPort}`;
  const file = join(folder, 'config.yaml');
  const addresses = `publicUrl: ${publicUrl}
listen: { host: ${host}, port: ${port} }
ops: { host: ${host}, port: ${opsPort} }
`;
  writeFileSync(file, `${addresses}${yaml}\n`);
  const child = parts.use(
    await startChild({
      name: 'the gateway',
      args: [program, 'serve', '--config', file],
      readyUrl: `${opsUrl}/readyz`,
      withinMs: startsWithinMs,
      ...options,
    }),
  );
  const whole = parts.move();
  return {
    child,
    port,
    opsPort,
    opsUrl,
    audience: `${publicUrl}/mcp`,
    get output() {
      return child.output.join('\n');
    },
    stop() {
      child.signal('SIGTERM');
      return child.ended;
    },
    [Symbol.asyncDispose]: () => whole.disposeAsync(),
  };
}
