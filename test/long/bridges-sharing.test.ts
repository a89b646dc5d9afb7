/** A25, U4: what sessions of one bridge share, and what one client can do to the others. The guide says it; this proves it. */
import { describe, expect, it, vi } from 'vitest';
import { eventually } from '../support/loopback.ts';
import { connectRaw } from '../support/raw-client.ts';
import type { BridgeKind } from '../support/bridge-kinds.ts';
import {
  connectToBridge,
  echo,
  sessionIdOf,
  slowly,
  startBridgeWorld,
  textOf,
} from '../integration/bridge-world.ts';
import { requestText } from '../integration/world.ts';

// Each bridge is a process or two that start before a test can.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

describe('a person whose legacy stream is', () => {
  it.each([
    // One process, and each of its answers goes to all streams, in 4.0.0 as in 3.
    ['supergateway 4 sse', true],
    ['mcp-proxy sse', false],
    ['everything sse', false],
  ] as const satisfies readonly (readonly [BridgeKind, boolean])[])(
    'at %s sees another person’s answer: %s (U4)',
    async (kind, sees) => {
      await using world = await startBridgeWorld(kind);
      await using eve = await connectToBridge(world, 'eve');
      const seen: string[] = [];
      // A client complains of answers that it didn't ask for, in full.
      Object.assign(eve.client, { onerror: ({ message }: Error) => void seen.push(message) });
      await using ada = await connectToBridge(world, 'ada');
      // Eve's own ids lie below: an answer to this one is none of hers.
      for (let calls = 0; calls < 3; calls += 1) await ada.client.callTool(echo('for ada alone'));
      // What was sent to Eve before this answer has arrived with it.
      expect(textOf(await eve.client.callTool(echo('for eve')))).toContain('Echo: for');
      expect(seen.some((message) => message.includes('for ada alone'))).toBe(sees);
    },
  );

  it('at supergateway 3 is alone: the second one ends the bridge’s process (U4)', async () => {
    await using world = await startBridgeWorld('supergateway 3 sse');
    await using first = await connectToBridge(world, 'ada');
    expect(textOf(await first.client.callTool(echo('alone')))).toBe('Echo: alone');
    await using second = await connectRaw({ port: world.gateway.port });
    second.send(
      requestText(world.gateway.port, { method: 'GET', target: world.path, token: world.issuer.token() }),
    );
    await eventually('the bridge ended', () => !world.bridge.child.running, 20_000);
    expect(world.bridge.child.output.join('\n')).toContain('Already connected to a transport');
  });
});

describe('a client that leaves in the middle of a call', () => {
  it.each([
    ['supergateway 3 stateful', 'ended'],
    ['supergateway 4 stateful', 'running'],
    ['mcp-proxy stream', 'running'],
    ['everything streamableHttp', 'running'],
  ] as const satisfies readonly (readonly [BridgeKind, 'ended' | 'running'])[])(
    'leaves %s %s (U1)',
    async (kind, afterwards) => {
      await using world = await startBridgeWorld(kind);
      await using session = await connectToBridge(world);
      await using leaving = await connectRaw({ port: world.gateway.port });
      leaving.send(
        requestText(world.gateway.port, {
          target: world.path,
          token: world.issuer.token({ claims: { sub: 'ada' } }),
          headers: [
            ['Mcp-Session-Id', sessionIdOf(session)],
            ['Accept', 'application/json, text/event-stream'],
          ],
          body: JSON.stringify({ jsonrpc: '2.0', id: 'left', method: 'tools/call', params: slowly(1, 1) }),
        }),
      );
      await leaving.head();
      leaving.reset();
      if (afterwards === 'ended')
        return eventually('the bridge ended', () => !world.bridge.child.running, 20_000);
      // This one is answered after the one that nobody waits for.
      await session.client.callTool(slowly(2, 1));
      expect(world.bridge.child.running).toBe(true);
    },
  );
});
