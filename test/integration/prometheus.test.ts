/** The dashboard and the alerts against the metrics that there really are, and a real Prometheus that scrapes them (W14). */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { EventStream } from '../support/event-stream.ts';
import { eventually } from '../support/loopback.ts';
import { prometheusMissing, prometheusNote, promtool, startPrometheus } from '../support/prometheus.ts';
import type { Prometheus } from '../support/prometheus.ts';
import { exposition, startWorld, toolCall, type World } from './world.ts';

const files = new URL('../../helm/files/', import.meta.url).pathname;
const unitTests = new URL('alerts.yaml', import.meta.url).pathname;

interface Target {
  readonly expr: string;
  readonly legendFormat?: string;
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly targets?: readonly Target[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

const dashboard = JSON.parse(readFileSync(`${files}dashboard.json`, 'utf8')) as Dashboard;
const alerts = parse(readFileSync(`${files}alerts.yaml`, 'utf8')) as {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
};
const rules = alerts.groups.flatMap((group) => group.rules);
const shown = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr })),
);
const asked = [
  ...shown.map(({ expr }) => expr),
  ...dashboard.annotations.list.map(({ expr }) => expr),
  ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
  ...rules.map(({ expr }) => expr),
];

/** A gateway with everything that has a metric, most of it failing. */
function everything({ issuer, upstream }: Pick<World, 'issuer' | 'upstream'>): string {
  return `
state: { redis: { url: { env: REDIS_URL } } }
authorizationServers:
  - name: corp
    issuer: '${issuer.url}'
    introspection: { for: opaque, endpoint: '${issuer.url}/nowhere', clientId: gateway, clientSecret: { env: SECRET } }
  - { name: gone, issuer: 'http://localhost:1', discovery: off, jwksUri: 'http://localhost:1/jwks' }
routes:
  - name: tools
    path: /mcp
    rateLimit: { requests: 6, per: 1h }
    policy: [{ name: readers, tools: ['get_*'] }]
    identity: { headers: { email: X-Auth-Email } }
    upstream: { url: '${upstream.url}' }
  - { name: open, path: /open, access: open, upstream: { url: '${upstream.url}' } }
`;
}

let world: World;

beforeAll(async () => {
  world = await startWorld({
    environment: { REDIS_URL: 'redis://:x@localhost:1', SECRET: 'not-a-secret' },
    yaml: everything,
  });
  await makeTraffic();
}, 60_000);
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

async function makeTraffic(): Promise<void> {
  const { issuer, upstream } = world;
  const token = issuer.token();
  const stream = new EventStream();
  upstream.answerOnce((_request, response) => stream.attach(response));
  const events = await fetch(`${world.gateway.url}/mcp`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
  });
  await world.ask({ token: 'opaque-token' });
  await world.ask({ token: `${token}x` });
  for (let index = 0; index < 8; index += 1)
    await world.ask({ token, body: toolCall(index, index % 2 === 0 ? 'get_issue' : 'delete_issue') });
  await stream.end();
  await events.text();
  upstream.answerOnce({ bytes: 'nonsense\r\n\r\n' });
  await world.ask({ target: '/open' });
}

/** What an expression reads of; functions and keywords have no such prefix. */
function metricsIn(expression: string): readonly string[] {
  return expression.match(/\b(?:portcullis|process|nodejs)_[a-z0-9_]+/g) ?? [];
}

describe('the dashboard and the alerts', () => {
  it('name only metrics that a gateway which has seen traffic shows (W14)', async () => {
    const names = new Set((await exposition(world.gateway)).map((line) => line.split(/[{ ]/, 1)[0]));
    const wanted = [...new Set(asked.flatMap(metricsIn))];
    expect(wanted.length).toBeGreaterThan(20);
    expect(wanted.filter((name) => !names.has(name))).toEqual([]);
  });

  it('leave none of the metrics of the gateway out that tells of trouble (W14)', () => {
    const used = new Set(asked.flatMap(metricsIn));
    for (const name of [
      'portcullis_refusals_total',
      'portcullis_key_age_seconds',
      'portcullis_lines_dropped_total',
      'portcullis_config_last_reload_successful',
      'portcullis_policy_decisions_total',
      'portcullis_streams_open',
      'portcullis_upstream_headers_seconds_bucket',
      'portcullis_token_signatures_total',
    ])
      expect([name, used.has(name)]).toEqual([name, true]);
  });

  it('would hear of the first defect, on a route and outside of all: its series are there before it (W14)', async () => {
    const lines = await exposition(world.gateway);
    for (const route of ['tools', 'open', 'none'])
      expect(lines).toContain(`portcullis_refusals_total{route="${route}",reason="defect"} 0`);
  });

  it('panels have a place of their own', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...dashboard.panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
  });

  it('alerts are each tested, and explained in the guide', () => {
    const tests = readFileSync(unitTests, 'utf8');
    const guide = readFileSync(
      new URL('../../docs/guides/observability.md', import.meta.url).pathname,
      'utf8',
    );
    for (const { alert } of rules) {
      expect([alert, tests.split(`alertname: ${alert}\n`).length > 1]).toEqual([alert, true]);
      expect([alert, guide.includes(`\`${alert}\``)]).toEqual([alert, true]);
    }
  });
});

describe.skipIf(prometheusMissing !== undefined)(`Prometheus${prometheusNote}`, () => {
  let prometheus: Prometheus;

  beforeAll(async () => {
    prometheus = await startPrometheus([new URL(world.gateway.opsUrl).host]);
  }, 60_000);
  afterAll(async () => {
    await prometheus[Symbol.asyncDispose]();
  });

  it('reads the rules, and they fire when they should', () => {
    expect(promtool('check', 'rules', `${files}alerts.yaml`)).toMatchObject({ status: 0 });
    expect(promtool('test', 'rules', unitTests)).toMatchObject({ status: 0 });
  });

  it('scrapes the gateway, which is up (W14)', async () => {
    await eventually(
      'the target is up',
      async () => (await prometheus.query('up{job="portcullis"} == 1')).length === 1,
      15_000,
    );
    const [refused] = await prometheus.query(
      'sum by (route, reason) (portcullis_refusals_total{reason="call_denied"})',
    );
    expect(refused).toMatchObject({ metric: { route: 'tools', reason: 'call_denied' } });
    expect(refused?.value).toBeGreaterThan(0);
  });

  it('has an answer for each panel, and understands each alert', async () => {
    const now = (expression: string): string =>
      expression
        .replace(/\$(?:job|instance|route)\b/g, '.*')
        .replace(/\$__(?:rate_interval|range|interval)\b/g, '1m');
    const silent = async (): Promise<readonly string[]> => {
      const empty: string[] = [];
      for (const { title, expr } of shown)
        if ((await prometheus.query(now(expr))).length === 0) empty.push(`${title}: ${expr}`);
      return empty;
    };
    let without: readonly string[] = [];
    await eventually(
      'every panel shows something',
      async () => (without = await silent()).length === 0,
      15_000,
    ).catch(() => expect(without).toEqual([]));
    for (const { expr } of rules) await prometheus.query(expr);
  });
});
