/** The audit in a file: rotated, full, unread (row P3, attack catalogue D-015, E-011). */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLineOutput } from '../../src/telemetry/line-output.ts';
import type { LineTrouble } from '../../src/vocabulary/ports.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually } from '../support/loopback.ts';
import { startProgram, type Program } from '../support/program.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { auditFault } from './audit-schema.ts';
import { ask } from './world.ts';

let folder: string;
let issuer: Issuer;
let upstream: RecordingUpstream;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-audit-'));
  issuer = await startIssuer({ algorithms: ['ES256'] });
  upstream = await startRecordingUpstream();
});
afterAll(async () => {
  await Promise.all([issuer.close(), upstream.close()]);
  rmSync(folder, { recursive: true, force: true });
});

/** The command with its audit in this file; `null`: on stdout. */
async function serve(auditPath: string | null): Promise<Program & { call(): Promise<number> }> {
  const gateway = await startProgram({
    yaml: `${auditPath === null ? '' : `log: { audit: { file: '${auditPath}' } }`}
authorizationServers: [{ issuer: '${issuer.url}' }]
routes: [{ name: tools, path: /mcp, upstream: '${upstream.url}' }]
`,
  });
  const token = issuer.token({ claims: { aud: gateway.audience } });
  return Object.assign(gateway, { call: async () => (await ask(gateway.port, { token })).status });
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
    await using gateway = await serve(path);
    let asked = 0;
    for (let rotation = 1; rotation <= 3; rotation += 1) {
      const calls = Array.from({ length: 40 }, () => gateway.call());
      renameSync(path, `${path}.${rotation}`);
      gateway.child.signal('SIGHUP');
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
    await using gateway = await serve(path);
    renameSync(home, `${home}-moved`);
    gateway.child.signal('SIGHUP');
    await eventually('it is told', () => gateway.output.includes("the audit can't be written (ENOENT)"));
    expect(await gateway.call()).toBe(200);
    await eventually('it is audited', () => eventsIn(join(`${home}-moved`, 'audit.jsonl')).length === 1);
    expect(await gateway.stop()).toBe(0);
  });

  it.skipIf(process.platform !== 'linux')(
    'on a full disk holds up no request and no stop, and the log says so (D-015)',
    async () => {
      await using gateway = await serve('/dev/full');
      for (let index = 0; index < 5; index += 1) expect(await gateway.call()).toBe(200);
      await eventually('it is told', () => gateway.output.includes("the audit can't be written (ENOSPC)"));
      expect(gateway.output.match(/"level":"error"/g)).toHaveLength(1);
      expect(await gateway.stop()).toBe(0);
    },
  );
});

it('SIGHUP ends no gateway whose audit is on stdout', async () => {
  await using gateway = await serve(null);
  gateway.child.signal('SIGHUP');
  for (let index = 0; index < 3; index += 1) expect(await gateway.call()).toBe(200);
  expect(gateway.child.running).toBe(true);
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
  await using gateway = await serve(join(folder, 'beside.jsonl'));
  gateway.child.stopReading();
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
