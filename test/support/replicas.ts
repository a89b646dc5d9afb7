/** Gateways of one configuration, each a process of its own, behind a real balancer. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBalancer } from './balancer.ts';
import { startChild, type Child } from './child-process.ts';
import { eventually, host, reserveFreePort } from './loopback.ts';
import { program } from './program.ts';

/** On a machine that runs all tests at once. */
const startsWithinMs = 60_000;

export class Replica {
  readonly port: number;
  readonly opsPort: number;
  readonly #file: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #children: Child[] = [];

  constructor(parts: {
    readonly port: number;
    readonly opsPort: number;
    readonly file: string;
    readonly environment: Readonly<Record<string, string>>;
  }) {
    this.port = parts.port;
    this.opsPort = parts.opsPort;
    this.#file = parts.file;
    this.#environment = parts.environment;
  }

  /** Lines of log and audit of all its lives. */
  get output(): readonly string[] {
    return this.#children.flatMap(({ output }) => output);
  }

  /** How many requests it has answered, by its audit. */
  get answered(): number {
    return this.output.filter((line) => line.includes('"event":"request"')).length;
  }

  async start(): Promise<void> {
    const ports = { HOST: '127.0.0.1', PORT: String(this.port), OPS_PORT: String(this.opsPort) };
    this.#children.push(
      await startChild({
        name: `the replica on ${this.port}`,
        args: [program, 'serve', '--config', this.#file],
        env: { ...this.#environment, ...ports },
        readyUrl: `http://127.0.0.1:${this.opsPort}/readyz`,
        withinMs: startsWithinMs,
      }),
    );
  }

  /** At once, as a crash does. */
  async kill(): Promise<void> {
    await this.#children.at(-1)?.kill();
  }

  /** As Kubernetes does: SIGTERM, and time. */
  async stop(): Promise<void> {
    const child = this.#children.at(-1);
    if (child === undefined || !child.running) return;
    process.kill(child.pid, 'SIGTERM');
    await eventually('the replica ends', () => !child.running, 30_000);
    await child.close();
  }
}

export interface Replicas extends AsyncDisposable {
  /** Of the balancer, and so `publicUrl`. */
  readonly url: string;
  readonly port: number;
  readonly all: readonly Replica[];
}

export interface ReplicasOptions {
  readonly count: number;
  /** All but addresses; written after the port of the balancer is known. */
  readonly yaml: (url: string) => string;
  readonly environment: Readonly<Record<string, string>>;
}

export async function startReplicas({ count, yaml, environment }: ReplicasOptions): Promise<Replicas> {
  await using parts = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-replicas-'));
  parts.defer(() => rmSync(folder, { recursive: true, force: true }));
  const port = await reserveFreePort();
  const url = `http://${host}:${port}`;
  const file = join(folder, 'config.yaml');
  writeFileSync(file, `publicUrl: ${url}\n${yaml(url)}`);
  const all: Replica[] = [];
  for (let index = 0; index < count; index += 1) {
    const ports = { port: await reserveFreePort(), opsPort: await reserveFreePort() };
    const replica = new Replica({ ...ports, file, environment });
    all.push(replica);
    parts.defer(() => replica.kill());
  }
  await Promise.all(all.map((replica) => replica.start()));
  parts.use(await startBalancer(port, all));
  const opened = parts.move();
  return { url, port, all, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
