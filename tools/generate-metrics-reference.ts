/**
 * Writes the table of docs/reference/metrics.md from the gateway's own metrics; the text around it stays. With
 * `--check` it writes nothing and exits with 1 when the table is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';

import type { Configuration } from '../src/config/configuration.ts';
import { loadConfiguration } from '../src/config/load.ts';
import { createMetrics, registerReadings } from '../src/telemetry/metrics.ts';
import type { RequestRecord } from '../src/telemetry/record.ts';

const target = new URL('../docs/reference/metrics.md', import.meta.url);
const marks = { begin: '<!-- generated: metrics -->\n', end: '<!-- /generated -->\n' };

/** The page with its table as it has to be. */
export async function metricsPage(page: string): Promise<string> {
  const begin = page.indexOf(marks.begin);
  const end = page.indexOf(marks.end);
  if (begin === -1 || end < begin) throw new Error(`${target.pathname} has lost the marks of its table`);
  return `${page.slice(0, begin + marks.begin.length)}\n${metricsTable(await exposition())}\n${page.slice(end)}`;
}

/** One row for each of the gateway's own metrics; those of the runtime differ from system to system. */
export function metricsTable(text: string): string {
  const rows = [...text.matchAll(/^# HELP (portcullis_\S+) (.*)\n# TYPE \S+ (\S+)\n(\S+)/gm)].map(
    ([, name = '', help = '', type = '', sample = '']) =>
      `| \`${name}\` | ${type} | ${labelsOf(sample)} | ${help} |\n`,
  );
  return `| Metric | Type | Labels | Meaning |\n| --- | --- | --- | --- |\n${rows.join('')}`;
}

/** `le` belongs to every histogram. */
function labelsOf(sample: string): string {
  const names = [...sample.matchAll(/([a-z_]+)="/g)].map(([, name = '']) => name);
  return names
    .filter((name) => name !== 'le')
    .map((name) => `\`${name}\``)
    .join(', ');
}

/** What Prometheus would read after one request that was refused: then every metric has a series. */
async function exposition(): Promise<string> {
  const metrics = createMetrics({
    version: '0.0.0',
    clock: () => 0,
    format: 'text',
  });
  metrics.observe(refused, undefined);
  metrics.signatureChecked('failed');
  metrics.keysFetched({ authorizationServer: 'corp', outcome: 'success', keys: 1, durationMs: 1 });
  metrics.introspected('corp', 'active');
  metrics.streamOpened('/mcp');
  metrics.observe({ ...refused, reason: 'principal_rate' }, undefined);
  metrics.countedAlone();
  metrics.upstreamTokenSought({ route: '/mcp', outcome: 'refresh' });
  metrics.configurations.applied(weakenedConfiguration(), 0);
  metrics.configurations.refused();
  registerReadings(metrics.registry, {
    ready: () => true,
    rememberedSignatures: () => 0,
    tenantsHeld: () => ({ routes: 0, authorizationServers: 0 }),
    redisConnected: () => true,
    windowsHeld: () => ({ principals: 0, addresses: 0 }),
    configurationsHeld: () => 1,
    introspectionPauses: () => [{ authorizationServer: 'corp', isPaused: false }],
    droppedLines: () => ({ log: 0, audit: 0 }),
    keyAges: () => [{ authorizationServer: 'corp', ageMs: 0, keys: 1, refreshMs: 0, lifetimeMs: 0 }],
  });
  return metrics.registry.metrics();
}

function weakenedConfiguration(): Configuration {
  const text =
    'publicUrl: http://localhost\nroutes: [{ path: /mcp, access: open, upstream: http://localhost:8000/mcp }]';
  const loaded = loadConfiguration(text, { file: 'metrics.yaml', environment: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(`the example has faults: ${JSON.stringify(loaded.faults)}`);
  return loaded.configuration;
}

const refused: RequestRecord = {
  requestId: '1',
  route: '/mcp',
  httpMethod: 'POST',
  path: '/mcp',
  rpcMethods: [],
  target: undefined,
  principal: undefined,
  decision: 'deny',
  rule: undefined,
  ruled: 'deny',
  reason: 'no_credentials',
  detail: undefined,
  status: 401,
  upstreamStatus: undefined,
  upstreamMs: 1,
  durationMs: 1,
  end: 'complete',
  stream: false,
  address: '127.0.0.1',
  traceId: undefined,
};

if (import.meta.main) {
  const page = readFileSync(target, 'utf8');
  const wanted = await metricsPage(page);
  if (!process.argv.includes('--check')) {
    writeFileSync(target, wanted);
  } else if (page !== wanted) {
    process.stderr.write('docs/reference/metrics.md is out of date: npm run generate\n');
    process.exitCode = 1;
  }
}
