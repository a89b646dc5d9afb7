/** The demo as a person runs it: with npm, to the end, interrupted, and on a busy port. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { demo } from '../../src/commands/demo.ts';
import { eventually, listenOnLoopback } from '../support/loopback.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));
const shell = promisify(execFile);
const hasCurl = spawnSync('curl', ['--version']).status === 0;

interface Run {
  readonly output: string;
  /** Undefined while it runs. */
  readonly code: number | null | undefined;
  signal(name: 'SIGINT' | 'SIGTERM'): void;
  ended(withinMs: number): Promise<void>;
}

const runs: Run[] = [];

afterEach(() => {
  for (const run of runs.splice(0)) if (run.code === undefined) run.signal('SIGTERM');
});

function launch(command: string, args: readonly string[]): Run {
  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? tmpdir() };
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let code: number | null | undefined;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.on('close', (exitCode) => (code = exitCode));
  const started: Run = {
    get output() {
      return output;
    },
    get code() {
      return code;
    },
    signal: (name) => void child.kill(name),
    ended: (withinMs) =>
      eventually(`the demo ends (said: ${output.slice(-2_000)})`, () => code !== undefined, withinMs),
  };
  runs.push(started);
  return started;
}

it('npm run demo plays every step once and exits 0', { timeout: 60_000 }, async () => {
  const played = launch('npm', ['run', '--silent', 'demo', '--', '--once', '--port', '0']);
  await played.ended(50_000);
  const { output } = played;
  expect(output).toContain('Done: every step went as it should.');
  expect(played.code).toBe(0);

  const requests = [...output.matchAll(/^ *(\d+)\. {2}(.*) {2}→ {2}(\d{3})$/gm)].map(
    ([, n, request, status]) => ({
      n: Number(n),
      request: request?.replace(/localhost:\d+/g, 'localhost'),
      status: Number(status),
    }),
  );
  expect(requests).toEqual([
    { n: 1, request: 'POST http://localhost/mcp  initialize', status: 401 },
    { n: 2, request: 'GET http://localhost/.well-known/oauth-protected-resource/mcp', status: 200 },
    { n: 3, request: 'GET http://localhost/.well-known/oauth-authorization-server', status: 200 },
    { n: 4, request: 'POST http://localhost/reg', status: 201 },
    { n: 5, request: expect.stringContaining('GET http://localhost/auth?'), status: 303 },
    { n: 6, request: 'POST http://localhost/token', status: 200 },
    { n: 7, request: 'POST http://localhost/mcp  initialize', status: 200 },
    { n: 8, request: 'GET http://localhost/mcp', status: 200 },
    { n: 9, request: 'POST http://localhost/mcp  tools/list', status: 200 },
    { n: 10, request: 'POST http://localhost/mcp  tools/call trigger-long-running-operation', status: 200 },
    { n: 11, request: 'POST http://localhost/mcp  tools/call echo', status: 401 },
  ]);
  expect(output).toMatch(/WWW-Authenticate: Bearer .*resource_metadata="/);
  expect(output).toMatch(/progress 1 of 4/);
  expect(output).toMatch(/X-Auth-Subject: alice/i);
  expect(output).toMatch(/"event":"request".*"subject":"alice"/);
  // Not a terminal: no colours.
  expect(output).not.toContain('\u001B');
});

describe('left running', () => {
  it.skipIf(!hasCurl)(
    'gives commands that work as pasted, and Ctrl-C ends every part (needs curl)',
    { timeout: 60_000 },
    async () => {
      const staying = launch(process.execPath, [script, '--port', '0']);
      await eventually(
        'the demo is ready',
        () => staying.output.includes('Ctrl-C ends it all.') || staying.code !== undefined,
        30_000,
      );
      const commands = staying.output
        .split('\n')
        .flatMap((line) => (line.startsWith('  curl') ? [line.trim()] : []));
      const [call = '', refusal = '', metrics = ''] = commands;
      expect((await shell('sh', ['-c', call])).stdout).toContain('Echo: hello');
      expect((await shell('sh', ['-c', refusal])).stdout).toMatch(
        /^HTTP\/1\.1 401 .*^www-authenticate: Bearer/ims,
      );
      expect((await shell('sh', ['-c', metrics])).stdout).toContain('# HELP portcullis_');
      const configFile = /^ {2}cat (.*)$/m.exec(staying.output)?.[1] ?? '';
      expect(existsSync(configFile)).toBe(true);

      staying.signal('SIGINT');
      await staying.ended(10_000);
      expect(staying.code).toBe(0);
      expect(existsSync(configFile)).toBe(false);
      const origins = [...new Set(staying.output.match(/http:\/\/localhost:\d+/g))];
      expect(origins.length).toBeGreaterThanOrEqual(4);
      for (const origin of origins) await expect(fetch(origin)).rejects.toThrow('fetch failed');
    },
  );
});

it('names a busy port and the way out', async () => {
  const holder = createServer();
  const port = await listenOnLoopback(holder);
  const refused = launch(process.execPath, [script, '--once', '--port', String(port)]);
  await refused.ended(10_000);
  holder.close();
  expect(refused.code).toBe(1);
  expect(refused.output).toContain(`port ${port} is taken; use --port 0`);
});

it('portcullis demo runs the demo of its checkout and hands on its exit code', async () => {
  const misused = launch(process.execPath, ['src/main.ts', 'demo', '--port', 'http']);
  await misused.ended(10_000);
  expect(misused.output).toContain('--port takes a number');
  expect(misused.code).toBe(64);
});

it('portcullis demo outside a checkout says where the demo is', async () => {
  let said = '';
  const io = {
    out: () => undefined,
    err: (text: string) => void (said += text),
    environment: {},
    readFile: () => '',
    readStandardInput: async () => '',
  };
  expect(await demo([], io, tmpdir())).toBe(64);
  expect(said).toBe('the demo is part of a checkout of the repository: there, run npm ci && npm run demo\n');
});
