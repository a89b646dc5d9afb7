/** U5: a bridge that was restarted has lost its sessions; clients begin new ones by themselves. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BridgeKind } from '../support/bridge-kinds.ts';
import { startMcpRemote } from '../support/mcp-remote.ts';
import {
  connectToBridge,
  echo,
  endpointOf,
  sessionIdOf,
  startBridgeWorld,
  textOf,
  type BridgeWorld,
} from '../integration/bridge-world.ts';
import { ask, json, toolCall, type Ask } from '../integration/world.ts';

// Each bridge is a process or two that start before a test can.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const jsonType = 'application/json; charset=utf-8';
const html = 'text/html; charset=utf-8';
const unknown = '3b1f7f1e-0000-4000-8000-000000000000';
const noValidSession =
  '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}';
const notFound = '{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}';

type Said = readonly [status: number, type: string | null, text: string];

interface Measured {
  readonly POST: Said;
  readonly GET?: Said;
  readonly DELETE?: Said;
  /** Its name in the gateway's log; none where the bridge itself says 404. */
  readonly dialect?: string;
}

/** What each says of a session that it doesn't know, to the byte; src/upstream/dialects.ts is made from it. */
const kinds: readonly (readonly [BridgeKind, Measured])[] = [
  [
    'supergateway 3 stateful',
    {
      POST: [400, jsonType, noValidSession],
      GET: [400, html, 'Invalid or missing session ID'],
      DELETE: [400, html, 'Invalid or missing session ID'],
      dialect: 'supergateway 3 stateful',
    },
  ],
  [
    'supergateway 4 stateful',
    {
      POST: [404, jsonType, notFound],
      GET: [404, html, 'Session not found'],
      DELETE: [404, html, 'Session not found'],
    },
  ],
  [
    'mcp-proxy stream',
    ((text): Measured => ({
      POST: [404, jsonType, text],
      GET: [404, jsonType, text],
      DELETE: [404, jsonType, text],
    }))('{"error":{"code":-32001,"message":"Session not found"},"id":null,"jsonrpc":"2.0"}'),
  ],
  [
    'everything streamableHttp',
    ((text): Measured => ({
      POST: [400, jsonType, text],
      GET: [400, jsonType, text],
      DELETE: [400, jsonType, text],
      dialect: 'server-everything streamableHttp',
    }))(noValidSession.replace(',"id":null', '')),
  ],
  [
    'supergateway 3 sse',
    { POST: [503, html, `No active SSE connection for session ${unknown}`], dialect: 'supergateway sse' },
  ],
  [
    'supergateway 4 sse',
    { POST: [503, html, `No active SSE connection for session ${unknown}`], dialect: 'supergateway sse' },
  ],
  ['mcp-proxy sse', { POST: [400, null, 'No active transport'], dialect: 'mcp-proxy sse' }],
];

describe.each(kinds)('%s, restarted', (kind, measured) => {
  const isLegacy = kind.endsWith('sse');
  let world: BridgeWorld;

  beforeAll(async () => {
    world = await startBridgeWorld(kind);
  });

  afterAll(() => world?.close());

  it('says of an unknown session, itself, what was measured (U5)', async () => {
    const { dialect: _, ...answers } = measured;
    const address = isLegacy
      ? new URL(
          `/${kind === 'mcp-proxy sse' ? 'messages' : 'message'}?sessionId=${unknown}`,
          world.bridge.url,
        )
      : world.bridge.url;
    for (const [method, said] of Object.entries(answers)) {
      const response = await fetch(address, {
        method,
        headers: {
          accept: 'application/json, text/event-stream',
          ...(isLegacy ? {} : { 'mcp-session-id': unknown }),
          ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
        },
        body: method === 'POST' ? toolCall() : null,
      });
      expect([method, response.status, response.headers.get('content-type'), await response.text()]).toEqual([
        method,
        ...said,
      ]);
    }
  });

  it('is 404 through the gateway, for every method, and the next session works (U5, A25)', async () => {
    const session = await connectToBridge(world);
    expect(textOf(await session.client.callTool(echo('before')))).toBe('Echo: before');
    const token = world.issuer.token({ claims: { sub: 'ada' } });
    const inSession: Ask = isLegacy
      ? { target: endpointOf(session), token }
      : { target: world.path, token, headers: [['Mcp-Session-Id', sessionIdOf(session)], accept] };
    await session.close();
    await world.bridge.restart();

    const methods = isLegacy ? ['POST'] : ['POST', 'GET', 'DELETE'];
    for (const method of methods) {
      const response = await ask(world.gateway.port, { ...inSession, method });
      expect([method, response.status]).toEqual([method, 404]);
      if (measured.dialect !== undefined)
        expect(json(response)).toEqual({
          jsonrpc: '2.0',
          id: method === 'POST' ? 1 : null,
          error: { code: 40400, message: 'No such session' },
        });
    }
    const told = world.gateway.log.filter(({ reason }) => reason === 'session_lost');
    expect(told.map(({ detail }) => detail)).toEqual(
      measured.dialect === undefined ? [] : methods.map(() => measured.dialect),
    );
    await using next = await connectToBridge(world);
    expect(textOf(await next.client.callTool(echo('after')))).toBe('Echo: after');
  });
});

const accept = ['Accept', 'application/json, text/event-stream'] as const;

describe('a client as it is, mcp-remote,', () => {
  // Not with supergateway 3: mcp-remote may open a second stream, and that ends a session of supergateway 3.
  it('re-initializes by itself: its application notices nothing of the restart (U5)', async () => {
    await using world = await startBridgeWorld('everything streamableHttp');
    const token = world.issuer.token();
    await using remote = await startMcpRemote({ url: world.url, token, transport: 'http-only' });
    expect(textOf(await remote.client.callTool(echo('before')))).toBe('Echo: before');
    await world.bridge.restart();
    expect(textOf(await remote.client.callTool(echo('after')))).toBe('Echo: after');
    expect(remote.log).toContain('re-initializing');
    expect(world.gateway.audit.filter(({ reason }) => reason === 'session_lost')).not.toHaveLength(0);
  });

  it('opens its legacy stream again and re-initializes (U4, U5)', async () => {
    await using world = await startBridgeWorld('supergateway 4 sse');
    const token = world.issuer.token();
    await using remote = await startMcpRemote({ url: world.url, token, transport: 'sse-only' });
    expect(textOf(await remote.client.callTool(echo('before')))).toBe('Echo: before');
    await world.bridge.restart();
    const call = async (): Promise<string> => {
      try {
        return textOf(await remote.client.callTool(echo('after')));
      } catch (error) {
        return String(error);
      }
    };
    await expect.poll(call, { timeout: 12_000, interval: 500 }).toBe('Echo: after');
    expect(remote.log).toContain('Re-established session');
  });
});

it('server-everything’s sse never answers for a lost session: 504 after the route’s time-out (U5, S14)', async () => {
  await using world = await startBridgeWorld('everything sse', { upstream: 'timeouts: { headers: 1s }' });
  const session = await connectToBridge(world);
  const target = endpointOf(session);
  await session.close();
  await world.bridge.restart();
  const token = world.issuer.token({ claims: { sub: 'ada' } });
  expect((await ask(world.gateway.port, { target, token })).status).toBe(504);
});
