/** What the image runs, made as the image makes it and started where there are no packages beside it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeBundle, type WrittenChunk } from '../../tools/write-bundle.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually, reserveFreePort, within } from '../support/loopback.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { redisMissing, redisNote, startRedis, type RedisServer } from '../support/redis.ts';
import { startTraceCollector, type TraceCollector } from '../support/trace-collector.ts';
import { ask } from './world.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'portcullis-bundle-'));
const main = join(folder, 'dist/main.js');
const file = join(folder, 'config.yaml');
let chunks: readonly WrittenChunk[];

beforeAll(async () => {
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  chunks = await writeBundle(join(folder, 'dist'));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly link?: boolean }>>;
}

const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as LockFile;

/** What Redis' client asks for when someone wants digests, which nobody does. */
const askedInVain = '@node-rs/xxhash';

/** What doesn't belong into the program. */
function findStrangers(written: readonly WrittenChunk[]): readonly string[] {
  const files = new Set(written.map(({ fileName }) => fileName));
  return [
    ...written.flatMap(({ sources }) => sources.filter((source) => !belongs(source))),
    ...written.flatMap(({ imports }) =>
      imports.filter((name) => !files.has(name) && !isBuiltin(name) && name !== askedInVain),
    ),
  ];
}

function belongs(source: string): boolean {
  if (!source.startsWith('node_modules/')) return /^src\/(?!.*\.test\.ts$).*\.ts$/.test(source);
  const [path = ''] = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(source) ?? [];
  const locked = packages[path];
  return locked !== undefined && locked.dev !== true && locked.link !== true;
}

/** The chunk and all that is loaded before it runs. */
function loadedWith(fileName: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const [, next = ''] of readFileSync(join(folder, 'dist', name), 'utf8').matchAll(
      /^(?:import|export) (?:[^;]*? from )?"\.\/([^"]+)";$/gm,
    ))
      visit(next);
  };
  visit(fileName);
  return seen;
}

describe('the bundle', () => {
  it('is made of the sources and of packages that production installs, and asks for nothing besides (E-010)', () => {
    expect(findStrangers(chunks)).toEqual([]);
    expect(chunks.flatMap(({ sources }) => sources)).toEqual(
      expect.arrayContaining(['src/gateway.ts', 'node_modules/fastify/fastify.js']),
    );
  });

  it.each<readonly [string, Partial<WrittenChunk>]>([
    ['a package of development', { sources: ['node_modules/vitest/dist/index.js'] }],
    ['a copy that development has of a package', { sources: ['node_modules/vite/node_modules/undici/x.js'] }],
    ['the runtime', { sources: ['node_modules/@portcullis/runtime/x.js'] }],
    ['a test', { sources: ['src/policy/judge.test.ts'] }],
    ['a part of the tests', { sources: ['test/support/issuer.ts'] }],
    ['what lies elsewhere', { sources: ['../other/index.js'] }],
    ['a package left outside', { imports: ['undici'] }],
  ])('would be refused with %s in it (E-010)', (_what, wrong) => {
    const stranger = { fileName: 'x.js', bytes: 1, sources: [], imports: [], ...wrong };
    expect(findStrangers([...chunks, stranger])).toHaveLength(1);
  });

  it('loads conditions, Redis and other commands late, and keeps licences', () => {
    const served = loadedWith('serve.js');
    expect(served).toContain('shared-state.js');
    for (const late of ['conditions.js', 'redis-client.js', 'redis-rates.js', 'explain.js', 'login.js'])
      expect([late, chunks.some(({ fileName }) => fileName === late), served.has(late)]).toEqual([
        late,
        true,
        false,
      ]);
    expect([...loadedWith('main.js')].toSorted()).toEqual(['main.js', 'shared-io.js', 'shared-version.js']);
    expect(readFileSync(join(folder, 'dist/serve.js'), 'utf8').includes('@license')).toBe(true);
  });
});

interface Ports {
  readonly port: number;
  readonly opsPort: number;
}

let issuer: Issuer;
let upstream: RecordingUpstream;
let redis: RedisServer | undefined;

/** Everything that is loaded late, and a login at an upstream. */
function configuration({ port, opsPort }: Ports, paths: readonly string[] = []): string {
  return `publicUrl: http://localhost:${port}
listen: { host: 127.0.0.1, port: ${port} }
ops: { host: 127.0.0.1, port: ${opsPort} }
${redis === undefined ? '' : 'state: { redis: { url: { env: REDIS_URL } } }\n'}tokenStore: { directory: ${folder}, key: { env: TOKEN_STORE_KEY } }
authorizationServers: [{ issuer: '${issuer.url}' }]
routes:
  - name: tools
    path: /mcp
    rateLimit: { requests: 100, per: 1m }
    policy: [{ name: staging, tools: [deploy], when: call.arguments.stage == "test" }]
    upstream: '${upstream.url}'
  - name: vendor
    path: /vendor
    upstream: { url: '${upstream.url}', credentials: { oauth: { scope: shared, authorizationServers: ['${issuer.url}'] } } }
${paths.map((path) => `  - { path: ${path}, upstream: '${upstream.url}' }\n`).join('')}`;
}

const environment = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  NODE_ENV: 'production',
  TOKEN_STORE_KEY: randomBytes(32).toString('base64'),
  ...(redis !== undefined && { REDIS_URL: redis.url }),
});

const deploy = (stage: string): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'deploy', arguments: { stage } },
  });

describe('the program in the bundle', () => {
  let collector: TraceCollector;
  let ports: Ports;
  let child: ChildProcess;
  let ended: Promise<number | null>;
  const output = { out: '', err: '' };

  beforeAll(async () => {
    [issuer, upstream, collector, redis] = await Promise.all([
      startIssuer({ algorithms: ['ES256'] }),
      startRecordingUpstream(),
      startTraceCollector(),
      redisMissing === undefined ? startRedis() : undefined,
    ]);
    ports = { port: await reserveFreePort(), opsPort: await reserveFreePort() };
    writeFileSync(file, configuration(ports));
    const preloads = ['docs/snippets/traces.mjs', 'test/support/instrumented-client.ts'];
    const args = [...preloads.flatMap((preload) => ['--import', join(root, preload)]), main, 'serve'];
    child = spawn(process.execPath, [...args, '--config', file], {
      cwd: folder,
      env: {
        ...environment(),
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_BSP_SCHEDULE_DELAY: '100',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout?.on('data', (chunk: Buffer) => (output.out += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (output.err += chunk.toString()));
    ended = new Promise((resolve) => child.once('close', resolve));
    await eventually(
      'the gateway is ready',
      async () => {
        if (child.exitCode !== null) throw new Error(`ended: ${output.out}${output.err}`);
        return (
          (await fetch(`http://127.0.0.1:${ports.opsPort}/readyz`).catch(() => undefined))?.status === 200
        );
      },
      30_000,
    );
  }, 60_000);
  afterAll(async () => {
    child.kill('SIGKILL');
    await ended;
    await Promise.all([issuer.close(), upstream.close(), collector[Symbol.asyncDispose](), redis?.close()]);
  });

  const token = (): string => issuer.token({ claims: { aud: `http://localhost:${ports.port}/mcp` } });
  const call = (stage: string) => ask(ports.port, { target: '/mcp', token: token(), body: deploy(stage) });
  const metrics = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${ports.opsPort}/metrics`)).text();

  it('challenges who has no token, and lets a call pass that a condition admits (A02)', async () => {
    const challenged = await ask(ports.port, { target: '/mcp', body: deploy('test') });
    expect(challenged.status).toBe(401);
    const before = upstream.requests.length;
    expect((await call('test')).status).toBe(200);
    expect(upstream.requests[before]?.body.toString()).toBe(deploy('test'));
    expect((await call('production')).body.toString()).toContain('"error"');
    expect(upstream.requests).toHaveLength(before + 1);
    expect(await metrics()).toMatch(/^portcullis_requests_total\{.*status="200".*\} [1-9]/m);
  });

  it('holds no login at an upstream, and says so (S13)', async () => {
    const vendor = issuer.token({ claims: { aud: `http://localhost:${ports.port}/vendor` } });
    expect((await ask(ports.port, { target: '/vendor', token: vendor })).status).toBe(502);
  });

  it('makes the spans of an SDK that was loaded from packages beside it', async () => {
    const before = upstream.requests.length;
    await call('test');
    const [told] = upstream.requests[before]?.header('traceparent') ?? [];
    const span = () =>
      collector.spans.find(
        ({ kind, traceId, spanId }) => kind === 2 && told === `00-${traceId}-${spanId}-01`,
      );
    await eventually('the span arrives that the upstream was told of', () => span() !== undefined, 10_000);
    expect(span()).toMatchObject({ service: 'portcullis', scope: 'portcullis', name: 'POST tools' });
  });

  it.skipIf(redisMissing !== undefined)(`counts in Redis${redisNote}`, async () => {
    await call('test');
    expect(await metrics()).toMatch(/^portcullis_redis_connected 1$/m);
    expect(await redis?.ask('DBSIZE')).toMatch(/:[1-9]/);
  });

  it('takes a changed file at SIGHUP (O1)', async () => {
    const status = async (): Promise<number> => (await ask(ports.port, { target: '/added' })).status;
    expect(await status()).toBe(404);
    writeFileSync(file, configuration(ports, ['/added']));
    child.kill('SIGHUP');
    await eventually('the route is there', async () => (await status()) === 401, 10_000);
  });

  it('checks, explains and describes, as it is called, without a word of warning', async () => {
    const run = (...args: readonly string[]) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
        cwd: folder,
        env: environment(),
        encoding: 'utf8',
        timeout: 20_000,
      });
      return { status, stdout, stderr };
    };
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(run('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
    expect(run('check', file)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('tools') as string,
    });
    const schema = run('schema');
    expect(JSON.parse(schema.stdout)).toMatchObject({ properties: { routes: {} } });
    writeFileSync(join(folder, 'arguments.json'), '{"stage":"test"}');
    const asked = ['--route', 'tools', '--tool', 'deploy', '--arguments', 'arguments.json', '--config', file];
    writeFileSync(join(folder, 'claims.json'), JSON.stringify({ iss: issuer.url, sub: 'alice' }));
    const explained = run('explain', '--claims', 'claims.json', ...asked);
    expect(explained).toMatchObject({ status: 0, stdout: expect.stringContaining('staging') as string });
    expect(run('demo')).toMatchObject({ status: 64, stderr: expect.stringContaining('checkout') as string });
    for (const { stderr } of [schema, explained]) expect(stderr).toBe('');
  });

  it('ends with 0 at SIGTERM and never warned', async () => {
    child.kill('SIGTERM');
    expect([await within(ended, 15_000, 'the gateway ends'), output.err]).toEqual([0, '']);
    expect(output.out).not.toMatch(/\(node:\d+\)/);
  });
});
