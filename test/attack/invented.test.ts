/** What callers make up, in log, audit and metrics (attack catalogue D-019, D-020). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import type { RequestRecord } from '../../src/telemetry/record.ts';
import { eventually } from '../support/loopback.ts';
import { startScene, type Ask, type Scene } from './scene.ts';

let scene: Scene;
let token: string;

beforeAll(async () => {
  scene = await startScene({
    routes: `routes:
  - { name: tools, path: /mcp, upstream: '$upstream' }
  - name: ruled
    path: /ruled
    policy: [{ name: readers, tools: ['get_*'] }, { name: writers, tools: ['put_*'] }]
    upstream: '$upstream'`,
  });
  token = tokenFor();
});
afterAll(() => scene.close());

function tokenFor(claims: Readonly<Record<string, unknown>> = {}, header = {}): string {
  return scene.token({
    key: 'ES256',
    header,
    claims: { aud: ['/mcp', '/ruled'].map((path) => scene.resource(path)), ...claims },
  });
}

function tool(name: string, id = 1): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name } });
}

describe('what callers make up', () => {
  it('D-019: 100,000 invented methods, paths, rules, statuses and agents make no more series than the first', async () => {
    const metrics = createMetrics({ version: '0', clock: () => 0, format: 'text' });
    const invent = (count: number, seed: number): void => {
      for (let index = 0; index < count; index += 1) {
        const word = `q${seed + index}`;
        metrics.observe(
          {
            ...invented,
            httpMethod: word,
            path: `/${word}`,
            rpcMethods: [word],
            target: word,
            rule: `${word},${word}`,
            status: 200 + (index % 400),
          },
          word,
        );
      }
    };
    const series = async (): Promise<readonly string[]> =>
      (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('portcullis_'));
    invent(400, 0);
    const before = await series();
    invent(100_000, 1000);
    const after = await series();
    expect(after).toHaveLength(before.length);
    for (const [, value = ''] of after.join('\n').matchAll(/="([^"]*)"/g))
      expect(value.length).toBeLessThanOrEqual(64);
    const statuses = new Set([...after.join('\n').matchAll(/status="([^"]*)"/g)].map(([, status]) => status));
    expect(statuses.size).toBeLessThan(80);
    expect(after.join('\n').length).toBeLessThan(100_000);
  });

  it('D-019: a batch that combines rules adds one series, whatever the combination', async () => {
    const batch = (names: readonly string[]): string =>
      `[${names.map((name, index) => tool(name, index)).join(',')}]`;
    for (const names of [
      ['get_a', 'put_b'],
      ['put_b', 'get_a', 'put_c'],
    ])
      await scene.ask({ target: '/ruled', token, body: batch(names) });
    const metrics = await (await fetch(`${scene.gateway.opsUrl}/metrics`)).text();
    const rules = [...metrics.matchAll(/^portcullis_policy_decisions_total\{.*rule="([^"]*)"/gm)];
    expect(rules.map(([, rule]) => rule)).toEqual(['several']);
  });

  it('D-020: control characters, breakouts and megabytes make one short line of JSON each', async () => {
    const nasty = 'a\r\n{"level":"info"}\u001b[31m\u0000\u009b\u007f\u2028\u202e"\\';
    const megabyte = 'x'.repeat(1024 * 1024);
    const before = { log: scene.gateway.log.length, audit: scene.gateway.audit.length };
    const asks: readonly Ask[] = [
      { token, body: tool(nasty) },
      { token, body: tool(megabyte) },
      { token, body: tool(nasty.repeat(300)) },
      { token, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: nasty }) },
      { token, body: JSON.stringify({ jsonrpc: '2.0', id: nasty.repeat(50), method: 'ping' }) },
      { token, target: '/mcp%0d%0a%1b[31m', body: null },
      { token, target: `/${'%ff%9b'.repeat(1000)}` },
      { token, body: Buffer.from(tool('\u00ff\u009b'), 'latin1') },
      { token, lines: [`User-Agent: curl/8\u00ff\u009b${'u'.repeat(3000)}`] },
      { token, lines: [`Mcp-Session-Id: \u009b\u00ff${'s'.repeat(3000)}`] },
      { token: tokenFor({}, { kid: nasty.repeat(40) }) },
      { token: tokenFor({ sub: nasty }) },
      { token: tokenFor({ iss: nasty.repeat(40) }) },
    ];
    for (const ask of asks) await scene.ask(ask);
    scene.upstream.answerOnce({
      bytes: `HTTP/1.1 302 ${nasty}\r\nLocation: http://\u009b${megabyte.slice(0, 9000)}\r\n\r\n`,
    });
    await scene.ask({ token });
    const asked = asks.length + 1;
    await eventually('the events are written', () => scene.gateway.audit.length - before.audit >= asked);
    expect(scene.gateway.audit).toHaveLength(before.audit + asked);
    const requests = scene.gateway.log.slice(before.log).filter((line) => 'requestId' in line);
    expect(requests.length).toBe(asked);
    const text = scene.gateway.written;
    expect(text).not.toMatch(/(?!\n)\p{Cc}|[\u2028-\u202e]/u);
    for (const line of text.trimEnd().split('\n')) expect(typeof JSON.parse(line)).toBe('object');
    for (const record of [...requests, ...scene.gateway.audit.slice(before.audit)])
      for (const value of Object.values(record))
        if (typeof value === 'string') expect(value.length).toBeLessThanOrEqual(256);
  });
});

const invented: RequestRecord = {
  requestId: '1',
  route: '/mcp',
  httpMethod: 'POST',
  path: '/mcp',
  rpcMethods: [],
  target: undefined,
  principal: undefined,
  decision: 'allow',
  rule: undefined,
  ruled: 'allow',
  reason: 'ok',
  detail: undefined,
  status: 200,
  upstreamStatus: 200,
  upstreamMs: 1,
  durationMs: 1,
  end: 'complete',
  stream: false,
  address: '127.0.0.1',
  traceId: undefined,
};
