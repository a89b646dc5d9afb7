import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reserveFreePort } from '../support/loopback.ts';
import { lastOf, readExecForm } from './dockerfile.ts';
import { assembleImage, stages } from './image.ts';

/** Of the image over its base: a dependency too many shows here. */
const sizeLimitsBytes = { packages: 45_000_000, program: 5_000_000 };

interface LockedPackage {
  readonly dev?: boolean;
  readonly link?: boolean;
  /** Where it differs from the folder's. */
  readonly name?: string;
  readonly version?: string;
}

interface LockedPackages {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface BillOfMaterials {
  readonly bomFormat: string;
  readonly components: readonly { readonly 'bom-ref': string; readonly hashes: readonly object[] }[];
}

interface Gateway {
  readonly process: ChildProcess;
  readonly publicUrl: string;
  readonly opsUrl: string;
  readonly opsPort: number;
  readonly output: () => string;
  /** Exit code and signal. */
  readonly ended: Promise<unknown[]>;
}

function namesIn(packages: LockedPackages['packages']): ReadonlySet<string> {
  return new Set(Object.keys(packages).filter((name) => name.startsWith('node_modules/')));
}

/** One authorization server that is down, so that the test needs no other part. */
async function configurationText(publicPort: number): Promise<string> {
  const closedPort = await reserveFreePort();
  return `publicUrl: http://localhost:${publicPort}
listen: { host: 127.0.0.1, port: ${publicPort} }
authorizationServers:
  - issuer: http://localhost:${closedPort}
    discovery: off
    jwksUri: http://localhost:${closedPort}/jwks
    keys: { timeout: 1s }
routes:
  - path: /mcp
    upstream: http://127.0.0.1:${closedPort}/mcp
`;
}

/** Starts the image's own ENTRYPOINT and CMD, with the configuration of the test in the place of the mounted one. */
async function startGateway(app: string, folder: string): Promise<Gateway> {
  const [publicPort, opsPort] = [await reserveFreePort(), await reserveFreePort()];
  const configFile = join(folder, 'config.yaml');
  writeFileSync(configFile, await configurationText(publicPort));
  const words = ['ENTRYPOINT', 'CMD'].flatMap(
    (name) => readExecForm(lastOf(stages.at(-1)!, name) ?? '') ?? [],
  );
  const args = words.slice(1).map((word) => (word === '/etc/portcullis/config.yaml' ? configFile : word));
  const child = spawn(process.execPath, args, {
    cwd: app,
    env: { NODE_ENV: 'production', OPS_PORT: String(opsPort) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  return {
    process: child,
    publicUrl: `http://localhost:${publicPort}`,
    opsUrl: `http://127.0.0.1:${opsPort}`,
    opsPort,
    output: () => output,
    ended: once(child, 'exit'),
  };
}

/** The last status of a page of the ops port, asked until it is 200 or ten seconds are over. */
async function lastStatus(
  { process: child, opsUrl, output }: Gateway,
  path: string,
): Promise<number | undefined> {
  const deadline = performance.now() + 10_000;
  let status: number | undefined;
  while (status !== 200 && performance.now() < deadline) {
    if (child.exitCode !== null) {
      throw new Error(`the gateway ended with ${child.exitCode}: ${output()}`);
    }
    status = await fetch(`${opsUrl}${path}`).then(
      (answer) => answer.status,
      () => undefined,
    );
    await sleep(20);
  }
  return status;
}

/** Every file below a folder with its size and time of change. */
function listFiles(
  folder: string,
): readonly { readonly name: string; readonly bytes: number; readonly at: number }[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names
    .map((name) => ({ name, stat: lstatSync(join(folder, name)) }))
    .filter(({ stat }) => !stat.isDirectory())
    .map(({ name, stat }) => ({ name, bytes: stat.size, at: stat.mtimeMs }));
}

describe('what the image holds, started outside a container', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-image-'));
  let app: string;
  let gateway: Gateway;
  let assembled: ReturnType<typeof listFiles>;

  beforeAll(async () => {
    app = assembleImage(folder);
    assembled = listFiles(app);
    gateway = await startGateway(app, folder);
  }, 200_000);

  afterAll(() => {
    gateway.process.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  test('holds every production dependency of the lock file and nothing else', () => {
    const read = (path: string): LockedPackages => JSON.parse(readFileSync(path, 'utf8')) as LockedPackages;
    const { packages } = read(join(app, '../dependencies/package-lock.json'));
    const wanted = Object.entries(packages).filter(([, { dev, link }]) => dev !== true && link !== true);
    const installed = read(join(app, 'node_modules/.package-lock.json')).packages;
    expect(namesIn(installed)).toEqual(namesIn(Object.fromEntries(wanted)));
    expect(existsSync(join(app, 'node_modules/@portcullis'))).toBe(false);
    expect(Object.keys(installed)).toContain('node_modules/fastify');
  });

  test('holds what the bill of materials lists, each with its hash, and nothing else (E-010)', () => {
    const made = spawnSync('npm', ['run', '--silent', 'sbom'], { encoding: 'utf8', timeout: 60_000 });
    expect(made).toMatchObject({ status: 0, stderr: expect.not.stringMatching(/error/) as string });
    const { bomFormat, components } = JSON.parse(made.stdout) as BillOfMaterials;
    expect(bomFormat).toBe('CycloneDX');
    const { packages } = JSON.parse(
      readFileSync(join(app, 'node_modules/.package-lock.json'), 'utf8'),
    ) as LockedPackages;
    const installed = Object.entries(packages)
      .filter(([path]) => path.startsWith('node_modules/'))
      .map(([path, { name, version }]) => `${name ?? path.replace(/^.*node_modules\//, '')}@${version}`);
    expect(new Set(components.map((component) => component['bom-ref']))).toEqual(new Set(installed));
    expect(components.filter(({ hashes }) => hashes.length === 0)).toEqual([]);
  });

  test('holds no test, no source, less than 45 MB of packages and a program of less than 5 MB', () => {
    const bytesIn = (parent: string): number =>
      assembled
        .filter(({ name }) => name.startsWith(`${parent}/`))
        .reduce((sum, { bytes }) => sum + bytes, 0);
    const own = assembled.map(({ name }) => name).filter((name) => !name.startsWith('node_modules/'));
    expect(own.filter((name) => !/^(dist\/[^/]+\.js|package\.json|LICENSE)$/.test(name))).toEqual([]);
    expect(own.filter((name) => name.includes('.test.'))).toEqual([]);
    expect(bytesIn('node_modules')).toBeLessThan(sizeLimitsBytes.packages);
    expect(bytesIn('dist')).toBeLessThan(sizeLimitsBytes.program);
  });

  test('is alive at once and ready once the dead authorization server has had its time (C5)', async () => {
    expect(await lastStatus(gateway, '/healthz')).toBe(200);
    expect(await lastStatus(gateway, '/readyz')).toBe(200);
  });

  test("the image's health check passes, and fails where nothing listens", async () => {
    const text = lastOf(stages.at(-1)!, 'HEALTHCHECK') ?? '';
    const [, ...args] = readExecForm(text.replace(/^CMD\s+/, '')) ?? [];
    const check = (port: number): number | null =>
      spawnSync(process.execPath, args, { env: { OPS_PORT: String(port) }, timeout: 10_000 }).status;
    expect(check(gateway.opsPort)).toBe(0);
    expect(check(await reserveFreePort())).toBe(1);
  });

  test('challenges a client without credentials (A02)', async () => {
    const answer = await fetch(`${gateway.publicUrl}/mcp`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer .*resource_metadata="http/);
  });

  test('ends with 0 on SIGTERM and has written nothing below its folder', async () => {
    gateway.process.kill('SIGTERM');
    expect(await gateway.ended, `it said: ${gateway.output()}`).toEqual([0, null]);
    expect(gateway.output()).not.toMatch(/\(node:\d+\).*Warning/);
    expect(listFiles(app)).toEqual(assembled);
  });
});
