/** What is tested, both ways. */
import { startProtectedRoute } from './protected-route.ts';
import { startConformanceServer } from './server/conformance-server.ts';
import { testClient, testServer, type Verdict } from './suite.ts';

/** One line of the report. */
export interface Leg {
  readonly revision: string;
  readonly side: 'server' | 'client';
  /** What the suite finds without the gateway. Another figure means that the suite or the parts here changed. */
  readonly expected: { readonly passed: number; readonly failed: number };
  readonly run: () => Promise<BothWays>;
}

export interface BothWays {
  readonly direct: Verdict;
  readonly through: Verdict;
}

export const legs: readonly Leg[] = [
  {
    ...server('2025-06-18', ['--suite', 'all', '--spec-version', '2025-06-18']),
    expected: { passed: 56, failed: 0 },
  },
  { ...server('2025-11-25', ['--requirements', '2025-11-25']), expected: { passed: 84, failed: 0 } },
  // The 30 belong to the Tasks extension, which isn't scored and which the server doesn't have.
  { ...server('2026-07-28', ['--requirements', '2026-07-28']), expected: { passed: 164, failed: 30 } },
  { ...client('2025-06-18', ['initialize', 'tools_call']), expected: { passed: 3, failed: 0 } },
  {
    ...client('2025-11-25', [
      'initialize',
      'tools_call',
      'elicitation-sep1034-client-defaults',
      'sse-retry',
      'json-schema-2020-12-preservation',
    ]),
    expected: { passed: 20, failed: 0 },
  },
  {
    ...client('2026-07-28', [
      'tools_call',
      'request-metadata',
      'sep-2322-client-request-state',
      'http-standard-headers',
      'http-custom-headers',
      'http-invalid-tool-headers',
      'json-schema-ref-no-deref',
      'json-schema-2020-12-preservation',
    ]),
    expected: { passed: 64, failed: 0 },
  },
];

function server(revision: string, selection: readonly string[]): Omit<Leg, 'expected'> {
  return {
    revision,
    side: 'server',
    async run() {
      const [direct, through] = await Promise.all([
        testServerDirectly(selection),
        testServerThroughGateway(selection),
      ]);
      return { direct, through };
    },
  };
}

async function testServerDirectly(selection: readonly string[]): Promise<Verdict> {
  await using upstream = await startConformanceServer();
  return await testServer(upstream.url, selection);
}

async function testServerThroughGateway(selection: readonly string[]): Promise<Verdict> {
  await using upstream = await startConformanceServer();
  await using route = await startProtectedRoute(upstream.url);
  const verdict = await testServer(route.url, selection, route);
  route.requireUse();
  const rebound = verdict.checks.filter((check) => check.includes('DNSRebindingRejected'));
  const refused = route.audit.filter(({ reason }) => reason === 'host_not_listed');
  if (rebound.length !== refused.length) throw new Error('not the gateway itself refused the foreign Host');
  return verdict;
}

function client(revision: string, scenarios: readonly string[]): Omit<Leg, 'expected'> {
  return {
    revision,
    side: 'client',
    async run() {
      const direct: Verdict[] = [];
      const through: Verdict[] = [];
      for (const scenario of scenarios) {
        const verdicts = await Promise.all([
          testClient('direct', { scenario, revision }),
          testClient('through', { scenario, revision }),
        ]);
        direct.push(verdicts[0]);
        through.push(verdicts[1]);
      }
      return { direct: sum(direct), through: sum(through) };
    },
  };
}

function sum(verdicts: readonly Verdict[]): Verdict {
  return {
    passed: verdicts.reduce((total, { passed }) => total + passed, 0),
    failed: verdicts.reduce((total, { failed }) => total + failed, 0),
    exitCode: Math.max(...verdicts.map(({ exitCode }) => exitCode)),
    checks: verdicts.flatMap(({ checks }) => checks),
    output: verdicts.map(({ output }) => output).join('\n'),
  };
}
