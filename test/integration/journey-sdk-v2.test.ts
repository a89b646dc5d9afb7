import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAuthorizationServer, type AuthorizationServer } from '../support/authorization-server.ts';
import { startBridge } from '../support/bridge.ts';
import { recordExchanges } from '../support/exchange-record.ts';
import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { eventually } from '../support/loopback.ts';
import { callReport, startModernServer, type ModernServer } from '../support/modern-server.ts';
import { ScriptedLogin } from '../support/scripted-login.ts';
import { connectSdkV2, type SdkV2Session } from '../support/sdk-v2.ts';

let server: AuthorizationServer;

beforeAll(async () => {
  server = await startAuthorizationServer();
});

afterAll(() => server?.close());

const logInAs = (account: string): ScriptedLogin => new ScriptedLogin((url) => server.signIn(url, account));
const routeTo = (upstream: string): string => `
authorizationServers: [{ name: corp, issuer: '${server.issuer}' }]
routes: [{ name: tools, path: /mcp, scopes: [mcp:use], upstream: '${upstream}' }]
`;

it('an SDK v2 client goes from the refusal to a streaming tool call on a stdio server (A02, A16, A26)', async () => {
  await using bridge = await startBridge();
  await using gateway = await startGateway(routeTo(bridge.url));
  const record = recordExchanges(gateway.url);
  await using session = await connectSdkV2(`${gateway.url}/mcp`, logInAs('alice'), { fetch: record.fetch });

  expect(record.lines.slice(0, 6)).toEqual([
    'POST /mcp 401',
    'GET /.well-known/oauth-protected-resource/mcp 200',
    `GET ${server.origin}/.well-known/oauth-authorization-server 200`,
    `POST ${server.origin}/reg 201`,
    `POST ${server.origin}/token 200`,
    'POST /mcp 200',
  ]);
  expect(session.client.getNegotiatedProtocolVersion()).toBe('2025-11-25');
  const { tools } = await session.client.listTools();
  expect(tools.map(({ name }) => name)).toContain('trigger-long-running-operation');
  // The bridge sends progress on the client's GET stream.
  await eventually('the stream is open', () => record.lines.includes('GET /mcp 200'));
  let progressed = 0;
  await session.client.callTool(
    { name: 'trigger-long-running-operation', arguments: { duration: 0.8, steps: 4 } },
    { onprogress: () => (progressed += 1) },
  );
  expect(progressed).toBeGreaterThanOrEqual(3);
});

describe('one route before a server of both eras', () => {
  let upstream: ModernServer;
  let gateway: RunningGateway;

  beforeAll(async () => {
    upstream = await startModernServer();
    gateway = await startGateway(routeTo(upstream.url));
  });

  afterAll(async () => {
    await Promise.all([gateway, upstream].map((part) => part?.close()));
  });

  it('a 2026-07-28 client is refused, finds its way and calls without a session', async () => {
    const record = recordExchanges(gateway.url);
    const mode = { pin: '2026-07-28' };
    await using session = await connectSdkV2(`${gateway.url}/mcp`, logInAs('carol'), {
      mode,
      fetch: record.fetch,
    });
    expect(record.lines[0]).toBe('POST /mcp 401');
    expect(session.client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
    expect(session.transport.sessionId).toBeUndefined();
    const { tools } = await session.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['report', 'count']);
    expect(await callReport(session.client, 'hello')).toMatchObject({
      era: 'modern',
      text: 'hello',
      headers: {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'report',
        'x-auth-subject': 'carol',
      },
    });
  });

  it('clients of 2025-11-25 and 2026-07-28 work side by side, each with its own identity (S12)', async () => {
    await using older = await connectSdkV2(`${gateway.url}/mcp`, logInAs('dave'));
    await using newer = await connectSdkV2(`${gateway.url}/mcp`, logInAs('erin'), {
      mode: { pin: '2026-07-28' },
    });
    const [first, second, ...counts] = await Promise.all([
      callReport(older.client, 'one'),
      callReport(newer.client, 'two'),
      countWithProgress(older),
      countWithProgress(newer),
    ]);
    expect(first).toMatchObject({ era: 'legacy', text: 'one', headers: { 'x-auth-subject': 'dave' } });
    expect(second).toMatchObject({ era: 'modern', text: 'two', headers: { 'x-auth-subject': 'erin' } });
    expect(first.headers['mcp-protocol-version']).toBe('2025-11-25');
    expect(first.headers).not.toHaveProperty('authorization');
    expect(second.headers).not.toHaveProperty('authorization');
    for (const { steps, spreadMs } of counts) {
      expect(steps).toEqual([1, 2, 3, 4]);
      // Buffered progress would come all at once.
      expect(spreadMs).toBeGreaterThan(150);
    }
  });
});

async function countWithProgress({ client }: SdkV2Session): Promise<{ steps: number[]; spreadMs: number }> {
  const steps: number[] = [];
  const at: number[] = [];
  await client.callTool(
    { name: 'count', arguments: { steps: 4, pauseMs: 100 } },
    {
      onprogress({ progress }) {
        steps.push(progress);
        at.push(performance.now());
      },
    },
  );
  return { steps, spreadMs: (at.at(-1) ?? 0) - (at[0] ?? 0) };
}
