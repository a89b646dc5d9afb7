import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startNode } from '../../bench/node-process.ts';
import type { NodeProcess } from '../../bench/node-process.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually, host, reserveFreePort } from '../support/loopback.ts';
import { redisMissing, startRedis, type RedisServer } from '../support/redis.ts';
import { startFaultyUpstream, type FaultyUpstream } from './faulty-upstream.ts';
import { People } from './people.ts';
import type { ProcessState } from './process-state.ts';
import { program } from '../support/program.ts';

export const cooldownMs = 1_000;

export interface SoakWorld extends AsyncDisposable {
  readonly port: number;
  readonly upstream: FaultyUpstream;
  readonly people: readonly [steady: People, disturbed: People];
  /** Undefined where the machine has none. */
  readonly redis: RedisServer | undefined;
  /** Has another text put in force; the gateway sees that the file changed. */
  reload(): void;
  state(): Promise<ProcessState>;
  /** A metric's value, summed over those of its series that have this text in their labels. */
  metric(name: string, labels?: string): Promise<number>;
  /** Log lines about defects. */
  defects(): readonly string[];
}

const tellState = fileURLToPath(new URL('tell-state.ts', import.meta.url));
const stopLimitMs = 20_000;

/** One gateway as it is run, in a process of its own, and all that it depends on here. */
export async function startSoakWorld(seed: number): Promise<SoakWorld> {
  await using starting = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-soak-'));
  starting.defer(() => rmSync(folder, { recursive: true, force: true }));
  const upstream = starting.use(await startFaultyUpstream(seed));
  const people = [await startPeople(starting), await startPeople(starting)] as const;
  const passing = starting.use(await startIssuer({ algorithms: ['ES256'] }));
  const redis = redisMissing === undefined ? starting.use(await startRedis()) : undefined;
  const ports = { port: await reserveFreePort(), opsPort: await reserveFreePort() };
  const file = join(folder, 'config.yaml');
  const write = (version: number): void => {
    const text = configurationText({
      ...ports,
      upstream,
      people,
      passing,
      redis: redis !== undefined,
      version,
    });
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  writeFileSync(join(folder, 'session-key'), randomBytes(32).toString('base64'));
  if (redis !== undefined) writeFileSync(join(folder, 'redis-url'), redis.url);
  let version = 0;
  write(version);
  const log = join(folder, 'log');
  const gateway = startNode({
    name: 'gateway',
    script: program,
    args: ['serve', '--config', file],
    cpuSource: 'ipc',
    nodeArgs: ['--expose-gc', '--import', tellState],
    stdoutFile: log,
  });
  starting.defer(() => gateway.stop(stopLimitMs));
  const opsUrl = `http://127.0.0.1:${ports.opsPort}`;
  await eventually('the gateway is ready', () => isReady(gateway, opsUrl), 30_000);
  const parts = starting.move();
  return {
    port: ports.port,
    upstream,
    people,
    redis,
    reload: () => write((version += 1)),
    state: async () => (await gateway.ask('collect', 30_000)) as ProcessState,
    metric: async (name, labels = '') => sumOf(await (await fetch(`${opsUrl}/metrics`)).text(), name, labels),
    defects: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => /"msg":"defect|"level":"fatal"/.test(line)),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function startPeople(stack: AsyncDisposableStack): Promise<People> {
  const port = await reserveFreePort();
  return new People(stack.use(await startIssuer({ algorithms: ['ES256'], audience: 'tools', port })));
}

async function isReady(gateway: NodeProcess, opsUrl: string): Promise<boolean> {
  if (gateway.hasEnded()) throw new Error(gateway.lastWords());
  return (await fetch(`${opsUrl}/readyz`).catch(() => undefined))?.status === 200;
}

interface Described extends Pick<SoakWorld, 'upstream' | 'people' | 'port'> {
  readonly opsPort: number;
  /** Nobody has a token of it: it is there in every other version. */
  readonly passing: Issuer;
  readonly redis: boolean;
  readonly version: number;
}

/** Every version differs from the one before, in nothing that a caller could notice. */
function configurationText({ port, opsPort, upstream, people, passing, redis, version }: Described): string {
  const issuers = [...people.map(({ issuer }) => issuer), ...(version % 2 === 0 ? [] : [passing])];
  const servers = issuers.map(
    ({ url }, at) =>
      `  - { name: as${at}, issuer: '${url}', audiences: [tools], keys: { ttl: 3s, cooldown: ${cooldownMs}ms } }\n`,
  );
  return `publicUrl: http://${host}:${port}
listen: { host: 127.0.0.1, port: ${port} }
ops: { host: 127.0.0.1, port: ${opsPort} }
sessions: { key: { file: session-key } }
${redis ? 'state: { redis: { url: { file: redis-url } } }\n' : ''}authorizationServers:
${servers.join('')}routes:
  - path: /mcp
    upstream: { url: '${upstream.url}', timeouts: { headers: 1500ms } }
    limits: { streams: ${500 + (version % 2)} }
    rateLimit: { requests: 1000000, per: 1h }
${version % 3 === 1 ? `  - { path: /other, upstream: '${upstream.url}' }\n` : ''}`;
}

function sumOf(exposition: string, name: string, labels: string): number {
  const lines = exposition
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines
    .filter((line) => line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
