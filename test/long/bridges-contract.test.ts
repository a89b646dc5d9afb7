/** U4, A25, A26: what clients can do behind the gateway with each real bridge, and what a bridge itself can't. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { headerOf } from '../support/request-report.ts';
import type { BridgeKind, StdioServer } from '../support/bridge-kinds.ts';
import { eventually } from '../support/loopback.ts';
import {
  connectToBridge,
  connectV2ToBridge,
  echo,
  slowly,
  startBridgeWorld,
  textOf,
  type BridgeWorld,
} from '../integration/bridge-world.ts';

// Each bridge is a process or two that start before a test can.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

interface Abilities {
  /** The bridge gives sessions out. */
  readonly sessions: boolean;
  /** Progress of a call reaches its client. */
  readonly progress: boolean;
  /** Questions of the server (sampling, elicitation) reach the client, and its answers the server. */
  readonly asks: boolean;
  /** A second client may connect while, or after, the first was there. */
  readonly manyClients: boolean;
}

const all: Abilities = { sessions: true, progress: true, asks: true, manyClients: true };

const kinds: readonly (readonly [BridgeKind, Abilities])[] = [
  ['supergateway 3 stateful', all],
  // A new process for each request: nothing but its result finds the way back. Sampling is offered all the same.
  ['supergateway 3 stateless', { ...all, sessions: false, progress: false, asks: false }],
  // With an SDK of 1.26 or later, as installed here, its process ends at the second stream.
  ['supergateway 3 sse', { ...all, sessions: false, manyClients: false }],
  ['supergateway 4 stateful', all],
  // Progress comes with the answer of the call; a client's answer to a question would meet another process.
  ['supergateway 4 stateless', { ...all, sessions: false, asks: false }],
  ['supergateway 4 sse', { ...all, sessions: false }],
  // It is itself the client of the one process that all share, and can't be asked.
  ['mcp-proxy stream', { ...all, asks: false }],
  ['mcp-proxy sse', { ...all, sessions: false, asks: false }],
  ['everything streamableHttp', all],
  ['everything sse', { ...all, sessions: false }],
];

describe.each(kinds)('behind the gateway, %s', (kind, can) => {
  let world: BridgeWorld;

  beforeAll(async () => {
    world = await startBridgeWorld(kind);
  });

  afterAll(() => world?.close());

  it('serves an SDK v1 client: initialize, list, calls, and what else it can (U4, A25, A26)', async () => {
    await using session = await connectToBridge(world);
    const { client, transport } = session;
    expect(client.getServerVersion()?.name).toBeDefined();
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('echo');
    expect(textOf(await client.callTool(echo('hello')))).toBe('Echo: hello');

    expect('sessionId' in transport && transport.sessionId !== undefined).toBe(can.sessions);
    if (can.sessions) await eventually('the stream is open', () => opened(session.record.lines));
    let progressed = 0;
    await client.callTool(slowly(0.6, 3), undefined, { onprogress: () => (progressed += 1) });
    // The last one may race with the result, which can come on another stream.
    if (can.progress) expect(progressed).toBeGreaterThanOrEqual(2);
    else expect(progressed).toBe(0);

    if (!can.asks) {
      // The server doesn't even offer what the bridge couldn't carry.
      expect(tools.map(({ name }) => name)).not.toContain('trigger-elicitation-request');
      expect(session.answered).toEqual([]);
      return;
    }
    const sampled = { name: 'trigger-sampling-request', arguments: { prompt: 'hello', maxTokens: 10 } };
    expect(textOf(await client.callTool(sampled))).toContain('sampled here');
    const elicited = { name: 'trigger-elicitation-request', arguments: {} };
    expect(textOf(await client.callTool(elicited))).toContain('Ada');
    expect(session.answered).toEqual(['sampling/createMessage', 'elicitation/create']);
  });

  it.runIf(can.manyClients)('serves an SDK v2 client too (U4)', async () => {
    const client = await connectV2ToBridge(world);
    try {
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toContain('echo');
      expect(textOf(await client.callTool(echo('hello')))).toBe('Echo: hello');
    } finally {
      await client.close();
    }
  });

  it('is told who asks, and never the token; the client never sees its addresses (U4, N1, S13)', () => {
    const posts = world.bridge.requests.filter(({ method }) => method === 'POST');
    expect(posts.length).toBeGreaterThan(3);
    for (const request of posts) {
      expect(headerOf(request, 'x-auth-subject')).toHaveLength(1);
      expect(headerOf(request, 'authorization')).toEqual([]);
    }
    const targets = new Set(posts.map(({ target }) => target.replace(/[\w-]{36}/, '<id>')));
    expect([...targets]).toEqual([endpoints[kind] ?? '/mcp']);
  });
});

describe('of 2026-07-28, an SDK v2 client', () => {
  it.each([
    // It answers for the new revision itself and speaks the old one to the server.
    ['mcp-proxy stream', 'everything'],
    // They pass it on: the server must speak it.
    ['supergateway 4 stateful', 'modern'],
    ['supergateway 4 stateless', 'modern'],
  ] as const satisfies readonly (readonly [BridgeKind, StdioServer])[])(
    'lists and calls through %s before a server that is %s (U4, M1)',
    async (kind, server) => {
      await using world = await startBridgeWorld(kind, { server });
      const client = await connectV2ToBridge(world, { pin: '2026-07-28' });
      try {
        expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
        expect(textOf(await client.callTool(echo('hello')))).toBe('Echo: hello');
      } finally {
        await client.close();
      }
      const said = world.bridge.requests.map((request) => headerOf(request, 'mcp-method')[0]);
      expect(said).toEqual(['server/discover', 'tools/list', 'tools/call']);
    },
  );
});

/** Where legacy bridges want messages; a client of the gateway is told another address. */
const endpoints: Readonly<Partial<Record<BridgeKind, string>>> = {
  'supergateway 3 sse': '/message?sessionId=<id>',
  'supergateway 4 sse': '/message?sessionId=<id>',
  'mcp-proxy sse': '/messages?sessionId=<id>',
  'everything sse': '/message?sessionId=<id>',
};

function opened(lines: readonly string[]): boolean {
  return lines.includes('GET /mcp 200');
}
