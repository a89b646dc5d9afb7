/** The command, whose file is changed under it in every manner, while it is asked (O1, D-017). */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, requestText, toolCall } from '../integration/world.ts';
import { EventStream } from '../support/event-stream.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually, reserveFreePort } from '../support/loopback.ts';
import { connectRaw } from '../support/raw-client.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { startChild, type Child } from '../support/child-process.ts';
import { program } from '../support/program.ts';

/** A second, as the rule has it, on a machine that is busy with other tests. */
const secondsPatienceMs = 4_000;

let corp: Issuer;
let partner: Issuer;
let upstream: RecordingUpstream;
let folder: string;
let ports: { readonly port: number; readonly opsPort: number };
let child: Child;

interface Text {
  readonly servers?: readonly ('corp' | 'partner')[];
  readonly others?: readonly string[];
  readonly streams?: number;
}

function text({ servers = ['corp', 'partner'], others = [], streams = 100 }: Text = {}): string {
  const issuers = { corp: corp.url, partner: partner.url };
  return `publicUrl: http://localhost:${ports.port}
listen: { host: 127.0.0.1, port: ${ports.port} }
ops: { host: 127.0.0.1, port: ${ports.opsPort} }
sessions: { key: { file: session-key } }
authorizationServers:
${servers.map((name) => `  - { name: ${name}, issuer: '${issuers[name]}', audiences: [tools] }\n`).join('')}routes:
  - { path: /mcp, upstream: '${upstream.url}', limits: { streams: ${streams} } }
${others.map((path) => `  - { path: ${path}, upstream: '${upstream.url}' }\n`).join('')}`;
}

/** As Kubernetes mounts a ConfigMap: the file is a link into a folder that a link of the folder stands for. */
let swaps = 0;
function swap(content: string): void {
  swaps += 1;
  const version = `..2026_${swaps}`;
  mkdirSync(join(folder, version));
  writeFileSync(join(folder, version, 'config.yaml'), content);
  symlinkSync(version, join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  if (swaps === 1) symlinkSync('..data/config.yaml', join(folder, 'config.yaml'));
  else rmSync(join(folder, `..2026_${swaps - 1}`), { recursive: true });
}

beforeAll(async () => {
  [corp, partner, upstream] = await Promise.all([
    startIssuer({ algorithms: ['ES256'], audience: 'tools' }),
    startIssuer({ algorithms: ['ES256'], audience: 'tools' }),
    startRecordingUpstream(),
  ]);
  folder = mkdtempSync(join(tmpdir(), 'portcullis-reload-'));
  ports = { port: await reserveFreePort(), opsPort: await reserveFreePort() };
  writeFileSync(join(folder, 'session-key'), randomBytes(32).toString('base64'));
  swap(text());
  child = await startChild({
    name: 'the gateway',
    args: [program, 'serve', '--config', join(folder, 'config.yaml')],
    readyUrl: `http://127.0.0.1:${ports.opsPort}/readyz`,
    withinMs: 45_000,
  });
}, 60_000);
afterAll(async () => {
  await child.close();
  await Promise.all([corp.close(), partner.close(), upstream.close()]);
  rmSync(folder, { recursive: true, force: true });
});

const said = (): string => child.output.join('\n');

async function post(target = '/mcp', token = corp.token()): Promise<number> {
  return (await ask(ports.port, { target, token })).status;
}

async function comesToAnswer(status: number, target: string, token?: string): Promise<void> {
  await eventually(
    `${target} answers ${status}`,
    async () => (await post(target, token)) === status,
    secondsPatienceMs,
  );
}

async function reading(name: string): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${ports.opsPort}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1] ?? Number.NaN);
}

describe('the file of a gateway that runs', () => {
  it('counts as changed when a ConfigMap is swapped; open streams go on (O1, D-017)', async () => {
    const stream = new EventStream();
    upstream.answerOnce(stream);
    await using client = await connectRaw({ port: ports.port });
    client.send(requestText(ports.port, { method: 'GET', token: corp.token() }));
    await stream.opened();
    swap(text({ others: ['/swapped'] }));
    await comesToAnswer(200, '/swapped');
    await stream.send({ still: 'here' });
    await client.received('"still":"here"');
    swap(text());
    await comesToAnswer(404, '/swapped');
    await stream.end();
    expect((await client.response()).status).toBe(200);
  });

  it('with faults changes nothing: they are told as check tells them, and the metric says so (O1, D-017)', async () => {
    const failures = await reading('portcullis_config_reload_failures_total');
    const faulty = `${text({ others: ['/faulty'] })}routez: []\n`;
    swap(faulty);
    await eventually(
      'it is counted',
      async () => (await reading('portcullis_config_reload_failures_total')) > (failures || 0),
      secondsPatienceMs,
    );
    expect([await post('/faulty'), await post()]).toEqual([404, 200]);
    expect(await reading('portcullis_config_last_reload_successful')).toBe(0);
    const told = (): readonly string[] =>
      child.output
        .filter((line) => line.includes('"faults"'))
        .map((line) => (JSON.parse(line) as { faults: string }).faults);
    await eventually('it is told', () => told().length > 0);
    const file = join(folder, 'config.yaml');
    const check = spawnSync(process.execPath, [program, 'check', file], { encoding: 'utf8' });
    expect([check.status, told().at(-1)]).toEqual([78, check.stderr]);
    swap(text());
    await eventually(
      'it is good again',
      async () => (await reading('portcullis_config_last_reload_successful')) === 1,
      secondsPatienceMs,
    );
  });

  it('is taken whole: half of a text that is being written opens nothing (D-017)', async () => {
    const file = join(folder, '..data', 'config.yaml');
    const guarded = `${text()}  - { path: /guarded, upstream: '${upstream.url}', access: open }\n`;
    const whole = `${guarded.slice(0, guarded.lastIndexOf(', access'))}, scopes: [never] }\n`;
    // The first half is good by itself, and open to everyone.
    writeFileSync(file, guarded);
    let longestPauseMs = 0;
    const written = new AbortController();
    const probing = (async () => {
      const seen = new Set<number>();
      while (!written.signal.aborted) seen.add(await post('/guarded'));
      return seen;
    })();
    for (let step = 0; step < 16; step += 1) {
      const began = performance.now();
      writeFileSync(file, `${guarded}${'# still being written\n'.repeat(step)}`);
      await sleep(40);
      longestPauseMs = Math.max(longestPauseMs, performance.now() - began);
    }
    writeFileSync(file, whole);
    written.abort();
    await comesToAnswer(403, '/guarded');
    // Who pauses for longer can't be told from one who is done.
    if (longestPauseMs < 150) expect([...(await probing)]).toEqual([404]);
    swap(text());
    await comesToAnswer(404, '/guarded');
  });

  it('that is gone for a while leaves the old one in force (D-017)', async () => {
    const file = join(folder, '..data', 'config.yaml');
    rmSync(file);
    await eventually('it is told', () => said().includes('no such file'), secondsPatienceMs);
    expect(await post()).toBe(200);
    writeFileSync(file, text({ others: ['/back'] }));
    await comesToAnswer(200, '/back');
  });

  it('is read at once on SIGHUP, a secret that it names as well (O1)', async () => {
    const inForce = (): number => said().split('is in force"').length;
    const before = inForce();
    writeFileSync(join(folder, 'session-key'), randomBytes(32).toString('base64'));
    child.signal('SIGHUP');
    await eventually('the new key is in force', () => inForce() > before, secondsPatienceMs);
    expect(await post()).toBe(200);
  });

  it(
    'changed fifty times a second under load opens nothing, drops nothing, and the last text wins (D-017)',
    { timeout: 60_000 },
    async () => {
      swap(text({ others: ['/extra'] }));
      await comesToAnswer(200, '/extra');
      const [good, gone] = [corp.token(), partner.token()];
      expect(await post('/mcp', gone)).toBe(200);
      const agent = new Agent({ connections: 4 });
      const origin = `http://127.0.0.1:${ports.port}`;
      const over = new AbortController();
      const seen = new Map<string, Set<number | string>>();
      const probes = [
        ['known', '/mcp', good, [200]],
        ['stranger', '/mcp', 'x.y.z', [401]],
        ['nobody', '/mcp', undefined, [401]],
        ['partner', '/mcp', gone, [200, 401]],
        ['nowhere', '/nowhere', good, [404]],
        ['extra', '/extra', good, [200, 404]],
        ['extra, nobody', '/extra', undefined, [401, 404]],
      ] as const;
      const probing = probes.map(async ([name, path, token]) => {
        const statuses = new Set<number | string>();
        seen.set(name, statuses);
        while (!over.signal.aborted) {
          const headers = {
            'content-type': 'application/json',
            host: `localhost:${ports.port}`,
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          };
          const response = await agent
            .request({ origin, path, method: 'POST', headers, body: toolCall() })
            .catch((error: unknown) => String(error));
          if (typeof response === 'string') statuses.add(response);
          else {
            statuses.add(response.statusCode);
            await response.body.dump();
          }
          await sleep(5);
        }
      });
      const inForce = (): number => said().split('is in force"').length;
      const before = inForce();
      for (let round = 0; round < 60; round += 1) {
        const kinds: readonly Text[] = [
          { streams: round + 1, others: ['/extra'] },
          { streams: round + 1, servers: ['corp'] },
        ];
        const content = text(kinds[round % 2]);
        swap(round % 10 === 9 ? content.slice(0, content.length / 2) : content);
        await sleep(20);
      }
      // Whoever always waited for quiet would never take any.
      expect(inForce()).toBeGreaterThan(before);
      swap(text({ servers: ['corp'], streams: 7 }));
      await comesToAnswer(401, '/mcp', gone);
      await comesToAnswer(404, '/extra');
      over.abort();
      await Promise.all(probing);
      await agent.close();
      for (const [name, , , right] of probes)
        expect([
          name,
          [...(seen.get(name) ?? [])].filter((status) => !right.some((fine) => fine === status)),
        ]).toEqual([name, []]);
      expect(said()).not.toContain('defect');
      await eventually(
        'nothing of the others is left',
        async () => (await reading('portcullis_config_held')) === 1,
        secondsPatienceMs,
      );
    },
  );
});
