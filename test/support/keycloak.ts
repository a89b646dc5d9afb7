/** A real Keycloak, from the archive that Maven fetches, where there are Java and Maven. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { eventually, host, reserveFreePort } from './loopback.ts';

/** Of those that run on Java 17, the last. */
const version = '26.4.7';
const unpack = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack';
const fetchLimitMs = 120_000;
/** The first start of an unpacked archive builds it, which takes half of this on two busy cores. */
const startLimitMs = 170_000;

export type Installation =
  | { readonly home: string; readonly missing?: undefined }
  /** A sentence's end: why there is none. */
  | { readonly home?: undefined; readonly missing: string };

/**
 * Unpacks Keycloak beside other temporary files and keeps it there. Asked for by `PORTCULLIS_TEST_KEYCLOAK=1`,
 * for it takes a minute or two and, the first time, fetches 160 MB.
 */
export function installKeycloak(environment: NodeJS.ProcessEnv): Installation {
  if (environment['PORTCULLIS_TEST_KEYCLOAK'] !== '1') return { missing: 'PORTCULLIS_TEST_KEYCLOAK isn’t 1' };
  if (!hasJava()) return { missing: 'there is no Java of version 17 or later' };
  if (run('mvn', ['--version'], 20_000) === undefined) return { missing: 'there is no Maven' };
  const folder = join(tmpdir(), `portcullis-keycloak-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Whoever made it first could have put another program there.
  const { uid, mode } = lstatSync(folder);
  if (uid !== userInfo().uid || (mode & 0o022) !== 0) return { missing: `${folder} isn’t ours alone` };
  const home = join(folder, `keycloak-${version}`);
  if (existsSync(home)) return { home };
  return unpackInto(folder, home)
    ? { home }
    : { missing: `Maven can’t get keycloak-quarkus-dist ${version} within ${fetchLimitMs / 1000} s` };
}

function hasJava(): boolean {
  const major = Number(/version "(\d+)/.exec(run('java', ['-version'], 10_000) ?? '')?.[1]);
  return major >= 17;
}

function unpackInto(folder: string, home: string): boolean {
  const fresh = mkdtempSync(join(folder, 'unpacking-'));
  const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:zip`;
  const properties = [`-Dartifact=${artifact}`, `-DoutputDirectory=${fresh}`, `-Dmdep.useBaseVersion=true`];
  const unpacked = run('mvn', ['--batch-mode', '--quiet', unpack, ...properties], fetchLimitMs) !== undefined;
  if (unpacked) renameSync(join(fresh, `keycloak-${version}`), home);
  rmSync(fresh, { recursive: true, force: true });
  return unpacked;
}

/** What the program wrote; undefined where it can't be run, failed or took too long. */
function run(program: string, args: readonly string[], limitMs: number): string | undefined {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: tmpdir(),
    encoding: 'utf8',
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  return status === 0 ? `${stdout}${stderr}` : undefined;
}

export interface TokenAnswer {
  readonly access_token: string;
  readonly id_token?: string;
  readonly refresh_token?: string;
}

/** Answers on loopback only and forgets everything when it ends. */
export class Keycloak implements AsyncDisposable {
  readonly origin: string;
  readonly #end: () => Promise<void>;

  constructor(origin: string, end: () => Promise<void>) {
    this.origin = origin;
    this.#end = end;
  }

  static async start(home: string): Promise<Keycloak> {
    const port = await reserveFreePort();
    const options = ['--db=dev-mem', '--http-host=127.0.0.1', `--http-port=${port}`];
    const child = spawn('sh', [join(home, 'bin', 'kc.sh'), 'start-dev', ...options], {
      detached: true,
      stdio: 'ignore',
      env: {
        ...process.env,
        KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
        KC_BOOTSTRAP_ADMIN_PASSWORD: 'admin',
        JAVA_OPTS_APPEND: '-Xmx512m -XX:TieredStopAtLevel=1',
      },
    });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const kill = (): void => {
      // The group: kc.sh builds in a process of its own.
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    };
    process.once('exit', kill);
    const end = async (): Promise<void> => {
      process.off('exit', kill);
      kill();
      await ended;
    };
    const origin = `http://${host}:${port}`;
    const isUp = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`Keycloak ended with ${child.exitCode}`);
      return (await fetch(`${origin}/realms/master`).catch(() => undefined))?.ok ?? false;
    };
    try {
      await eventually('Keycloak answers', isUp, startLimitMs);
    } catch (error) {
      await end();
      throw error;
    }
    return new Keycloak(origin, end);
  }

  /** Creates something by the admin API, below `/admin`. */
  async create(path: string, representation: unknown): Promise<void> {
    const { access_token: admin } = await this.token('master', undefined, {
      client_id: 'admin-cli',
      grant_type: 'password',
      username: 'admin',
      password: 'admin',
    });
    const response = await fetch(`${this.origin}/admin${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify(representation),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }

  /** Asks a realm's token endpoint, as a client with a secret where one is given. */
  async token(
    realm: string,
    client: readonly [id: string, secret: string] | undefined,
    parameters: Readonly<Record<string, string>>,
  ): Promise<TokenAnswer> {
    const basic = client && `Basic ${Buffer.from(client.join(':')).toString('base64')}`;
    const response = await fetch(`${this.origin}/realms/${realm}/protocol/openid-connect/token`, {
      method: 'POST',
      ...(basic === undefined ? {} : { headers: { authorization: basic } }),
      body: new URLSearchParams(parameters),
    });
    if (!response.ok) throw new Error(`token: ${response.status} ${await response.text()}`);
    return (await response.json()) as TokenAnswer;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end();
  }
}
