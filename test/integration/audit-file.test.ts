/** The audit in a file: rotated, full, unread (row P3, attack catalogue D-015, E-011). */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLineOutput } from '../../src/telemetry/line-output.ts';
import type { LineTrouble } from '../../src/vocabulary/ports.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually, reserveFreePort, within } from '../support/loopback.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { auditFault } from './audit-schema.ts';
import { ask } from './world.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const children: ChildProcess[] = [];
let folder: string;
let issuer: Issuer;
let upstream: RecordingUpstream;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-audit-'));
  issuer = await startIssuer({ algorithms: ['ES256'] });
  upstream = await startRecordingUpstream();
});
afterAll(async () => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  await Promise.all([issuer.close(), upstream.close()]);
  rmSync(folder, { recursive: true, force: true });
});

/** The command with its audit in this file; `null`: on stdout. */
async function serve(auditPath: string | null) {
  const [port, opsPort] = [await reserveFreePort(), await reserveFreePort()];
  const file = join(folder, `${port}.yaml`);
  writeFileSync(
    file,
    `publicUrl: http://localhost:${port}
listen: { host: 127.0.0.1, port: ${port} }
ops: { host: 127.0.0.1, port: ${opsPort} }
${auditPath === null ? '' : `log: { audit: { file: '${auditPath}' } }`}
authorizationServers: [{ issuer: '${issuer.url}' }]
routes: [{ name: tools, path: /mcp, upstream: '${upstream.url}' }]
`,
  );
  const child = spawn(process.execPath, [main, 'serve', '--config', file], {
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  await eventually(
    'the gateway is ready',
    async () => {
      if (child.exitCode !== null) throw new Error(`ended: ${output}`);
      return (await fetch(`http://127.0.0.1:${opsPort}/readyz`).catch(() => undefined))?.status === 200;
    },
    15_000,
  );
  const token = issuer.token({ claims: { aud: `http://localhost:${port}/mcp` } });
  return {
    child,
    opsPort,
    call: async () => (await ask(port, { token })).status,
    stop: async (): Promise<number | null> => {
      child.kill('SIGTERM');
      return within(ended, 5_000, 'the gateway ends');
    },
    get output() {
      return output;
    },
  };
}

function eventsIn(path: string): readonly Readonly<Record<string, unknown>>[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  // Every line is whole, the last one too.
  expect(lines.pop()).toBe('');
  return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}

describe('an audit file', () => {
  it('that was moved away is begun anew on SIGHUP, and no event is lost or split (P3, E-011)', async () => {
    const path = join(folder, 'rotated.jsonl');
    const gateway = await serve(path);
    let asked = 0;
    for (let rotation = 1; rotation <= 3; rotation += 1) {
      const calls = Array.from({ length: 40 }, () => gateway.call());
      renameSync(path, `${path}.${rotation}`);
      gateway.child.kill('SIGHUP');
      calls.push(...Array.from({ length: 40 }, () => gateway.call()));
      expect(new Set(await Promise.all(calls))).toEqual(new Set([200]));
      asked += calls.length;
      await eventually('there is a new file', () => statSync(path, { throwIfNoEntry: false }) !== undefined);
    }
    expect(statSync(path).mode & 0o007).toBe(0);
    expect(await gateway.call()).toBe(200);
    await eventually('it is written to', () => statSync(path).size > 0);
    expect(await gateway.stop()).toBe(0);
    const events = ['.1', '.2', '.3', ''].flatMap((end) => eventsIn(`${path}${end}`));
    expect(events).toHaveLength(asked + 1);
    expect(new Set(events.map(({ requestId }) => requestId)).size).toBe(asked + 1);
    expect(events.map(auditFault).filter((fault) => fault !== undefined)).toEqual([]);
    expect(gateway.output).not.toContain('"event":"request"');
  });

  it('that can’t be begun anew goes on in the old one, and the log says so', async () => {
    const home = join(folder, 'home');
    mkdirSync(home);
    const path = join(home, 'audit.jsonl');
    const gateway = await serve(path);
    renameSync(home, `${home}-moved`);
    gateway.child.kill('SIGHUP');
    await eventually('it is told', () => gateway.output.includes("the audit can't be written (ENOENT)"));
    expect(await gateway.call()).toBe(200);
    await eventually('it is audited', () => eventsIn(join(`${home}-moved`, 'audit.jsonl')).length === 1);
    expect(await gateway.stop()).toBe(0);
  });

  it.skipIf(process.platform !== 'linux')(
    'on a full disk holds up no request and no stop, and the log says so (D-015)',
    async () => {
      const gateway = await serve('/dev/full');
      for (let index = 0; index < 5; index += 1) expect(await gateway.call()).toBe(200);
      await eventually('it is told', () => gateway.output.includes("the audit can't be written (ENOSPC)"));
      expect(gateway.output.match(/"level":"error"/g)).toHaveLength(1);
      expect(await gateway.stop()).toBe(0);
    },
  );
});

it('SIGHUP ends no gateway whose audit is on stdout', async () => {
  const gateway = await serve(null);
  gateway.child.kill('SIGHUP');
  for (let index = 0; index < 3; index += 1) expect(await gateway.call()).toBe(200);
  expect(gateway.child.exitCode).toBeNull();
  expect(await gateway.stop()).toBe(0);
  expect(gateway.output.match(/"event":"request"/g)).toHaveLength(3);
});

const pipesMissing = spawnSync('mkfifo', ['--version']).status !== 0;

it.skipIf(pipesMissing)(
  'lines that no one reads are counted when they are lost, and told of at once (D-015)',
  async () => {
    const path = join(folder, 'unread');
    spawnSync('mkfifo', [path]);
    // Open for both, so that nobody waits for anybody.
    const reader = openSync(path, 'r+');
    const output = openLineOutput({ file: path });
    const told: LineTrouble[] = [];
    output.onTrouble((trouble) => told.push(trouble));
    const line = `${'x'.repeat(1023)}\n`;
    const written = 20 * 1024;
    for (let index = 0; index < written; index += 1) output.write(line);
    expect(output.dropped).toBeGreaterThan(2 * 1024);
    expect(output.dropped).toBeLessThan(written - 10 * 1024);
    // At once, but not for each of them.
    expect(told).toHaveLength(1);
    expect(told[0]?.lostLines).toBeGreaterThan(0);
    closeSync(reader);
  },
);

it('a log whose reader is gone ends nothing, and what is lost is counted (D-015)', async () => {
  const gateway = await serve(join(folder, 'beside.jsonl'));
  gateway.child.stdout.destroy();
  await eventually('lines are lost', async () => {
    expect(await gateway.call()).toBe(200);
    return (await metricLines(gateway.opsPort)) > 0;
  });
  expect(await gateway.stop()).toBe(0);
});

async function metricLines(opsPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  return Number(/^portcullis_lines_dropped_total\{output="log"\} (\d+)$/m.exec(text)?.[1]);
}
