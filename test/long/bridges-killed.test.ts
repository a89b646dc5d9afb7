/** U3, S14: a bridge that dies in the middle of a call is 502 or a broken answer, and nothing is sent twice. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BridgeKind } from '../support/bridge-kinds.ts';
import { eventually } from '../support/loopback.ts';
import { connectRaw } from '../support/raw-client.ts';
import {
  connectToBridge,
  echo,
  sessionIdOf,
  slowly,
  startBridgeWorld,
  textOf,
  type BridgeClient,
  type BridgeWorld,
} from '../integration/bridge-world.ts';
import { ask, requestText, type Ask } from '../integration/world.ts';

// Each bridge is a process or two that start before a test can.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const kinds: readonly BridgeKind[] = [
  'supergateway 3 stateful',
  'supergateway 4 stateful',
  'mcp-proxy stream',
  'everything streamableHttp',
];

describe.each(kinds)('%s, killed in the middle of a call,', (kind) => {
  let world: BridgeWorld;
  let session: BridgeClient;

  beforeAll(async () => {
    world = await startBridgeWorld(kind);
  });

  afterAll(() => world?.close());

  beforeEach(async () => {
    session = await connectToBridge(world);
  });

  afterEach(() => session.close());

  /** A call that takes longer than the bridge lives; what a killed supergateway 4 leaves behind ends with it. */
  const slowCall = (id: string): Ask => ({
    target: world.path,
    token: world.issuer.token({ claims: { sub: 'ada' } }),
    headers: [
      ['Mcp-Session-Id', sessionIdOf(session)],
      ['Accept', 'application/json, text/event-stream'],
    ],
    body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: slowly(15) }),
  });
  const timesSent = (id: string): number => world.relay.sent.split(`"id":"${id}"`).length - 1;

  it('before its answer began, is 502 and one upstream request (U3, S14)', async () => {
    // It is there and takes the request, but can't say a word to it.
    process.kill(world.bridge.child.pid, 'SIGSTOP');
    const answer = ask(world.gateway.port, slowCall('unanswered'));
    await eventually('the call went upstream', () => timesSent('unanswered') === 1);
    await world.bridge.kill();
    expect((await answer).status).toBe(502);
    await world.bridge.restart();
    await using next = await connectToBridge(world);
    expect(textOf(await next.client.callTool(echo('after')))).toBe('Echo: after');
    expect(timesSent('unanswered')).toBe(1);
  });

  it('after its answer began, breaks the answer off and is one upstream request (U3)', async () => {
    await using client = await connectRaw({ port: world.gateway.port });
    client.send(requestText(world.gateway.port, slowCall('broken')));
    expect((await client.head()).header('content-type')[0]).toMatch(/^text\/event-stream/);
    await world.bridge.kill();
    await client.closedByPeer();
    // No last chunk: nobody takes half an answer for a whole one.
    expect(client.pending.toString()).not.toContain('0\r\n\r\n');
    await world.gateway.auditEvent(
      ({ rpcMethod, status, end }) =>
        rpcMethod === 'tools/call' && status === 200 && end === 'upstream_reset',
    );
    await world.bridge.restart();
    expect(timesSent('broken')).toBe(1);
  });
});
