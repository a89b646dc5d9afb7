/** A gateway that is told to stop in the middle of its traffic (A27, D-016). */
import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { ask, only, requestText, startWorld, toolCall } from '../integration/world.ts';
import { EventStream } from '../support/event-stream.ts';
import { startIssuer } from '../support/issuer.ts';
import { eventually, within } from '../support/loopback.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { startProgram } from '../support/program.ts';

const counts = { calls: 100, idleStreams: 200, answered: 10, endless: 10 };

it(
  'answers every call, ends every stream cleanly and exits with 0 after SIGTERM under way (A27, D-016)',
  { timeout: 120_000 },
  async () => {
    await using issuer = await startIssuer({ algorithms: ['ES256'], audience: 'tools' });
    await using upstream = await startRecordingUpstream();
    await using parts = new AsyncDisposableStack();
    const { port, opsUrl, child } = parts.use(
      await startProgram({
        yaml: `stop: { drain: 5s }
authorizationServers: [{ issuer: '${issuer.url}', audiences: [tools] }]
routes:
  - path: /mcp
    upstream: '${upstream.url}'
    limits: { streams: 1000, perPrincipal: { calls: 1000, streams: 1000 } }
`,
      }),
    );
    const probe = async (): Promise<number | undefined> =>
      (await fetch(`${opsUrl}/readyz`).catch(() => undefined))?.status;

    const token = issuer.token();
    const held: ServerResponse[] = [];
    const streams: EventStream[] = [];
    upstream.answer((request, response) => {
      const [kind] = request.header('mcp-kind');
      if (kind === 'call') held.push(response);
      else {
        const stream = new EventStream();
        streams.push(stream);
        stream.attach(response);
        if (kind === 'answered') held.push(response);
      }
    });
    const open = async (count: number, kind: string): Promise<readonly RawClient[]> => {
      const method = kind === 'idle' ? 'GET' : 'POST';
      const sent = requestText(port, {
        method,
        token,
        headers: [['Mcp-Kind', kind]],
        ...(method === 'POST' ? { body: toolCall() } : {}),
      });
      return Promise.all(
        Array.from({ length: count }, async () => {
          const client = await connectRaw({ port });
          parts.use(client);
          client.send(sent);
          return client;
        }),
      );
    };
    const [calls, idle, answered, endless] = await Promise.all([
      open(counts.calls, 'call'),
      open(counts.idleStreams, 'idle'),
      open(counts.answered, 'answered'),
      open(counts.endless, 'endless'),
    ]);
    const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
    await upstream.request(all, 20_000);
    await Promise.all([...idle, ...answered, ...endless].map((client) => client.received('200 OK', 20_000)));

    child.signal('SIGTERM');
    await eventually('it is no longer ready', async () => (await probe()) === 503);
    // Nothing is lost with a stream that answers nothing.
    const idleEnds = await Promise.all(idle.map((client) => client.response({ withinMs: 20_000 })));
    expect(new Set(idleEnds.map(({ status }) => status))).toEqual(new Set([200]));
    for (const response of held) response.end('{"jsonrpc":"2.0","id":1,"result":{"late":true}}');
    const answers = await Promise.all(calls.map((client) => client.response({ withinMs: 20_000 })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(counts.calls);
    expect(answers.filter(({ body }) => body.toString().includes('"late":true'))).toHaveLength(counts.calls);
    expect(new Set(answers.map((answer) => only(answer, 'connection')))).toEqual(new Set(['close']));
    const lastEvents = await Promise.all(answered.map((client) => client.response({ withinMs: 20_000 })));
    expect(lastEvents.filter(({ body }) => body.toString().includes('"late":true'))).toHaveLength(
      counts.answered,
    );
    // The end of the chunked coding, where a reset would have made half an answer.
    for (const client of endless) expect((await client.response({ withinMs: 20_000 })).status).toBe(200);
    expect(await within(child.ended, 20_000, 'the gateway ends')).toBe(0);

    const ends = child.output
      .filter((line) => line.includes('"event":"request"'))
      .map((line) => (JSON.parse(line) as { end: string }).end);
    const count = (end: string): number => ends.filter((each) => each === end).length;
    expect([ends.length, count('complete'), count('stopping')]).toEqual([
      all,
      counts.calls + counts.answered,
      counts.idleStreams + counts.endless,
    ]);
  },
);

it('goes on serving for the delay, each answer the last on its connection, and only then takes none (A27, D-016)', async () => {
  await using world = await startWorld({ top: 'stop: { delay: 2s, drain: 5s }' });
  const { gateway, issuer } = world;
  const token = issuer.token();
  await using client = await connectRaw({ port: gateway.port });
  client.send(requestText(gateway.port, { token }));
  expect(only(await client.response(), 'connection')).not.toBe('close');
  const closing = gateway.close();
  expect((await fetch(`${gateway.opsUrl}/readyz`)).status).toBe(503);
  client.send(requestText(gateway.port, { token }));
  const last = await client.response();
  expect([last.status, only(last, 'connection')]).toEqual([200, 'close']);
  expect((await world.ask({ token })).status).toBe(200);
  await closing;
  await expect(ask(gateway.port, { withinMs: 1_000 })).rejects.toThrow(/ECONNREFUSED|closed without/);
});
