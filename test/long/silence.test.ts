/** Five minutes without a word (A26, U6, D-007): more than common time-outs of clients, servers and undici allow. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it } from 'vitest';
import { requestText, startWorld, type Ask, type World } from '../integration/world.ts';
import { EventStream } from '../support/event-stream.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { startAskingServer } from './asking-server.ts';

const silenceMs = 301_000;
const patienceMs = silenceMs + 60_000;
/** Of the default configuration. */
const keepAliveMs = 25_000;

/** Of a token that outlives the silence: a stream ends with its token. */
const inAnHour = (): number => Math.floor(Date.now() / 1_000) + 3_600;

async function open(world: World, request: Ask): Promise<RawClient> {
  const client = await connectRaw({ port: world.gateway.port });
  const token = world.issuer.token({ claims: { exp: inAnHour() } });
  client.send(requestText(world.gateway.port, { token, ...request }));
  return client;
}

const listen: Ask = {
  method: 'POST',
  headers: [
    ['MCP-Protocol-Version', '2026-07-28'],
    ['Mcp-Method', 'subscriptions/listen'],
  ],
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 'listening',
    method: 'subscriptions/listen',
    params: {
      notifications: { toolsListChanged: true },
      _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
    },
  }),
};

describe.concurrent('after five minutes of silence', () => {
  it.each(['sample', 'elicit'])(
    'a client of the SDK completes the call that asked it for something: %s (A26)',
    async (name) => {
      await using server = await startAskingServer(patienceMs);
      await using world = await startWorld({
        yaml: ({ issuer }) =>
          `authorizationServers: [{ issuer: '${issuer.url}' }]\nroutes: [{ path: /mcp, upstream: '${server.url}' }]\n`,
      });
      await using client = await connectClient(world);
      const answer = await client.callTool({ name, arguments: {} }, undefined, { timeout: patienceMs });
      expect(answer.content).toEqual([{ type: 'text', text: 'at last' }]);
    },
  );

  it.each<[string, Ask]>([
    ['of GET', { method: 'GET' }],
    ['of a call', { method: 'POST' }],
    ['of subscriptions/listen', listen],
  ])(
    'the next event of the stream %s arrives, comments before it and nothing else (U6, D-007)',
    async (_name, request) => {
      await using world = await startWorld();
      const stream = new EventStream();
      world.upstream.answer(stream);
      await using client = await open(world, request);
      await stream.opened();
      await stream.write('data: {"n":1}\n\n');
      await sleep(silenceMs);
      await stream.write('data: {"n":2}\n\n');
      await stream.end();
      const { status, body } = await client.response();
      const text = body.toString();
      expect([status, text.replaceAll(':\n\n', '')]).toEqual([200, 'data: {"n":1}\n\ndata: {"n":2}\n\n']);
      const comments = text.split(':\n\n').length - 1;
      // A busy machine may come late to one of them.
      expect(comments).toBeGreaterThanOrEqual(Math.floor(silenceMs / keepAliveMs) - 1);
      expect(comments).toBeLessThanOrEqual(Math.ceil(silenceMs / keepAliveMs));
    },
  );

  it('the answer of a call that sent no byte until then arrives (D-007)', async () => {
    await using world = await startWorld();
    world.upstream.answer({ delayMs: silenceMs, body: { late: true } });
    await using client = await open(world, {});
    const { status, body } = await client.response({ withinMs: patienceMs });
    expect([status, body.toString()]).toEqual([200, '{"late":true}']);
    expect(world.upstream.requests).toHaveLength(1);
  });
});

/** It thinks for five minutes before it answers what the server asks. */
async function connectClient(world: World): Promise<Client & AsyncDisposable> {
  const client = new Client(
    { name: 'patient', version: '1.0.0' },
    { capabilities: { sampling: {}, elicitation: {} } },
  );
  client.setRequestHandler(CreateMessageRequestSchema, async () => {
    await sleep(silenceMs);
    return { role: 'assistant', model: 'slow', content: { type: 'text', text: 'at last' } };
  });
  client.setRequestHandler(ElicitRequestSchema, async () => {
    await sleep(silenceMs);
    return { action: 'accept', content: { answer: 'at last' } };
  });
  const token = world.issuer.token({ claims: { exp: inAnHour() } });
  const transport = new StreamableHTTPClientTransport(new URL(world.resource), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
  });
  await client.connect(transport as Transport);
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}
