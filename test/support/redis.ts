/** A real Redis on loopback that keeps nothing on disk, with a password, and can be killed, paused and started again. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, reserveFreePort, within } from './loopback.ts';

const program = 'redis-server';

/** Why there can't be one here; undefined where there can. */
export const redisMissing: string | undefined =
  spawnSync(program, ['--version']).status === 0 ? undefined : 'left out, there is no redis-server on PATH';

/** Ends the titles of tests that need Redis: says why they were left out. */
export const redisNote = redisMissing === undefined ? '' : ` (${redisMissing})`;

export interface RedisServer extends AsyncDisposable {
  /** With the password. */
  readonly url: string;
  readonly password: string;
  readonly port: number;
  /** Sends one command over a connection of its own; answers the reply as Redis wrote it. */
  ask(...command: readonly string[]): Promise<string>;
  /** At once, as a crash does. */
  kill(): Promise<void>;
  /** Connections stay and nothing is answered, until `resume`. */
  pause(): void;
  resume(): void;
  /** After `kill`: on the same port, empty. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Further settings as `redis.conf` has them. */
export async function startRedis(moreSettings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const port = await reserveFreePort();
  const password = randomBytes(18).toString('hex');
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-redis-'));
  let child: ChildProcess | undefined;
  const killNow = (): void => void child?.kill('SIGKILL');
  process.once('exit', killNow);

  const ask = (...command: readonly string[]): Promise<string> =>
    converse(port, [['AUTH', password], command]);
  const start = async (): Promise<void> => {
    child = spawn(program, argumentsFor({ port, password, folder, moreSettings }), { stdio: 'ignore' });
    await eventually(
      'redis-server answers',
      async () => (await ask('PING').catch(() => '')).includes('PONG'),
      10_000,
    );
  };
  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined) return;
    const exited = new Promise<void>((resolve) => running.once('exit', () => resolve()));
    running.kill('SIGKILL');
    await within(exited, 5_000, 'redis-server ends');
  };
  const close = async (): Promise<void> => {
    await kill();
    process.off('exit', killNow);
    rmSync(folder, { recursive: true, force: true });
  };
  await start();
  return {
    url: `redis://:${password}@127.0.0.1:${port}/0`,
    password,
    port,
    ask,
    kill,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    start,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function argumentsFor({
  port,
  password,
  folder,
  moreSettings,
}: {
  readonly port: number;
  readonly password: string;
  readonly folder: string;
  readonly moreSettings: Readonly<Record<string, string>>;
}): readonly string[] {
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    requirepass: password,
    dir: folder,
    save: '',
    appendonly: 'no',
    ...moreSettings,
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

/** Speaks RESP by hand, so that what the gateway's client does isn't checked with that same client. */
async function converse(port: number, commands: readonly (readonly string[])[]): Promise<string> {
  const socket = createConnection({ port, host: '127.0.0.1' });
  let received = '';
  const done = new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk) => (received += chunk.toString('latin1')));
    socket.once('end', () => resolve());
    socket.once('error', reject);
  });
  try {
    for (const command of [...commands, ['QUIT']])
      socket.write(
        `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`,
      );
    await within(done, 3_000, 'an answer of Redis');
  } finally {
    socket.destroy();
  }
  // Without the OK of AUTH before and of QUIT after.
  return received.replace(/^\+OK\r\n/, '').replace(/\+OK\r\n$/, '');
}
