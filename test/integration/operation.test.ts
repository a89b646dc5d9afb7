/** What the operator meets: health, metrics, stopping. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventStream } from '../support/event-stream.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { startProgram, type Program } from '../support/program.ts';
import { connectRaw } from '../support/raw-client.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { ask, exposition, json, only, requestText, startWorld, toolCall, type Ask } from './world.ts';
import { eventually } from '../support/loopback.ts';

it('/healthz and /readyz of the ops port are 200 with the version, with a query too, and in no log (W10)', async () => {
  await using world = await startWorld({ top: 'log: { level: trace }' });
  const { gateway } = world;
  const lines = gateway.log.length;
  for (const path of ['/healthz', '/healthz?x=1', '/readyz', '/readyz?x=1']) {
    const response = await fetch(`${gateway.opsUrl}${path}`);
    expect([path, response.status]).toEqual([path, 200]);
    expect(await response.json()).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
    });
  }
  expect((await fetch(`${gateway.opsUrl}/metrics`)).status).toBe(200);
  await sleep(200);
  expect(gateway.log.length).toBe(lines);
  expect(gateway.audit).toEqual([]);
  // They are the operator's: the public port has none of them.
  for (const target of ['/healthz', '/readyz', '/metrics'])
    expect((await world.ask({ method: 'GET', target })).status).toBe(404);
});

it('10,000 names that callers invent add no series (W14)', { timeout: 60_000 }, async () => {
  // A second fetch of keys would turn one refusal of invented kids into another, and with it a series.
  await using world = await startWorld({ server: 'keys: { cooldown: 10m }' });
  const { issuer, gateway } = world;
  const agent = new Agent({ connections: 16 });
  await using parts = new AsyncDisposableStack();
  parts.defer(() => agent.close());
  const good = issuer.token();
  const word = (): string => randomBytes(6).toString('hex');
  const kinds: readonly ((name: string) => {
    token?: string;
    path?: string;
    method?: string;
    body?: string;
  })[] = [
    (name) => ({ token: good, body: toolCall(1, name) }),
    (name) => ({ token: good, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: `x/${name}` }) }),
    (name) => ({
      token: good,
      body: JSON.stringify([
        { jsonrpc: '2.0', method: name },
        { jsonrpc: '2.0', method: `b${name}` },
      ]),
    }),
    (name) => ({ path: `/${name}` }),
    (name) => ({ path: `/.well-known/${name}`, method: 'GET' }),
    (name) => ({ token: name }),
    (name) => ({ token: `${Buffer.from(JSON.stringify({ alg: name })).toString('base64url')}.e30.AA` }),
  ];
  const invent = async (kind: number, name: string): Promise<void> => {
    const {
      token,
      path = '/mcp',
      method = 'POST',
      body = toolCall(),
    } = kinds[kind % kinds.length]?.(name) ?? {};
    const response = await agent.request({
      origin: `http://127.0.0.1:${gateway.port}`,
      path,
      method: method as 'POST',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
        'user-agent': `agent-${name}`,
      },
      ...(method === 'POST' ? { body } : {}),
    });
    await response.body.dump();
  };
  // The runtime's own series come and go with its timers.
  const series = async () =>
    (await exposition(gateway))
      .filter((line) => line.startsWith('portcullis_'))
      .map((line) => line.slice(0, line.lastIndexOf(' ')));
  // Each subject, client, kid and issuer of a signed token too; signing is what takes time here.
  const signed = async (variant: number): Promise<void> => {
    const claims = {
      sub: word(),
      client_id: word(),
      scope: word(),
      iss: variant % 2 === 0 ? issuer.url : `https://${word()}.example`,
    };
    const token = issuer.token({ claims, header: variant % 4 < 2 ? { kid: word() } : {} });
    await world.ask({ token, body: toolCall(word(), word()) });
  };
  for (let kind = 0; kind < kinds.length; kind += 1) await invent(kind, word());
  for (let variant = 0; variant < 4; variant += 1) await signed(variant);
  await eventually('all audited', () => gateway.audit.length >= kinds.length + 4);
  const before = await series();
  const invented = Array.from({ length: 10_000 }, word);
  let next = 0;
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      for (let index = next++; index < invented.length; index = next++)
        await invent(index, invented[index] ?? '');
    }),
  );
  await Promise.all(Array.from({ length: 50 }, (_, variant) => signed(variant)));
  const after = await series();
  expect(after.toSorted()).toEqual(before.toSorted());
  const text = (await exposition(gateway)).join('\n');
  expect(invented.filter((name) => text.includes(name))).toEqual([]);
});

describe('A27 close', () => {
  it('makes it unready, lets the call in flight finish, and is harmless twice (A27)', async () => {
    await using world = await startWorld({ top: 'stop: { drain: 10s }' });
    const { gateway, upstream } = world;
    const answer = Promise.withResolvers<void>();
    upstream.answer(async (_request, response) => {
      await answer.promise;
      response.end('{"jsonrpc":"2.0","id":1,"result":{"late":true}}');
    });
    const call = world.ask({ token: world.issuer.token() });
    await upstream.request();
    const closing = gateway.close();
    const again = gateway.close();
    await sleep(100);
    // Still there for the probe, and no longer ready.
    expect((await fetch(`${gateway.opsUrl}/readyz`)).status).toBe(503);
    await expect(ask(gateway.port, { withinMs: 1_000 })).rejects.toThrow(/ECONNREFUSED|closed without/);
    answer.resolve();
    const response = await call;
    expect([response.status, json(response)]).toMatchObject([200, { result: { late: true } }]);
    await Promise.all([closing, again]);
    await gateway.close();
    await expect(fetch(`${gateway.opsUrl}/readyz`)).rejects.toThrow('fetch failed');
    expect(gateway.audit).toMatchObject([{ status: 200, end: 'complete' }]);
  });

  it('aborts what hangs at the limit of the drain, at both ends (A27)', async () => {
    await using world = await startWorld({ top: 'stop: { drain: 500ms }' });
    const { gateway, upstream } = world;
    const stream = new EventStream();
    upstream.answerOnce('hang');
    upstream.answerOnce(stream);
    const token = world.issuer.token();
    const hanging = world.ask({ token });
    await upstream.request(1);
    await using streaming = await connectRaw({ port: gateway.port });
    streaming.send(requestText(gateway.port, { token }));
    await stream.opened();
    await streaming.head();
    const began = performance.now();
    await gateway.close();
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(450);
    expect(took).toBeLessThan(2_000);
    const response = await hanging;
    expect([response.status, json(response)]).toMatchObject([503, { id: 1, error: { code: 50300 } }]);
    await stream.closed(1_000);
    await expect.poll(() => upstream.aborted).toBe(2);
    expect(gateway.audit).toHaveLength(2);
    expect(gateway.audit.map(({ end }) => end)).toEqual(['stopping', 'stopping']);
  });

  it('does not wait for a stream that answers nothing (A27)', async () => {
    await using world = await startWorld({ top: 'stop: { drain: 10s }' });
    const stream = new EventStream();
    world.upstream.answer(stream);
    await using client = await connectRaw({ port: world.gateway.port });
    client.send(requestText(world.gateway.port, { method: 'GET', token: world.issuer.token() }));
    await stream.opened();
    await client.head();
    const began = performance.now();
    await world.gateway.close();
    expect(performance.now() - began).toBeLessThan(3_000);
    expect((await client.response()).status).toBe(200);
  });

  it('before the start and while authorization servers hang is harmless (A27)', async () => {
    await using world = await startWorld();
    for (const path of Object.values(world.issuer.paths)) world.issuer.behave(path, 'hang');
    await using starting = await startWorld({
      when: 'listening',
      yaml: () => `
authorizationServers: [{ issuer: '${world.issuer.url}' }]
routes: [{ path: /mcp, upstream: '${world.upstream.url}' }]
`,
    });
    const began = performance.now();
    await starting.gateway.close();
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});

describe('the command', () => {
  let issuer: Issuer;
  let upstream: RecordingUpstream;

  beforeAll(async () => {
    issuer = await startIssuer({ algorithms: ['ES256'] });
    upstream = await startRecordingUpstream();
  });
  afterAll(() => Promise.all([issuer.close(), upstream.close()]));

  async function serve(env: Readonly<Record<string, string>> = {}): Promise<Program & { token: string }> {
    const yaml = `stop: { drain: 20s }
authorizationServers: [{ issuer: '${issuer.url}' }]
routes: [{ name: tools, path: /mcp, upstream: '${upstream.url}' }]
`;
    const started = await startProgram({ yaml, env });
    return Object.assign(started, { token: issuer.token({ claims: { aud: started.audience } }) });
  }

  it('ends with 0 after SIGTERM once the call in flight is answered, its lines written (A27)', async () => {
    await using gateway = await serve();
    const before = upstream.requests.length;
    upstream.answerOnce({ delayMs: 700, body: { jsonrpc: '2.0', id: 1, result: {} } });
    const call = ask(gateway.port, { token: gateway.token });
    await upstream.request(before + 1);
    gateway.child.signal('SIGTERM');
    expect((await call).status).toBe(200);
    expect(await gateway.child.ended).toBe(0);
    const lines = gateway.output.split('\n').filter((line) => line !== '');
    const audited = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(audited.filter(({ event }) => event === 'request')).toMatchObject([
      { status: 200, end: 'complete' },
    ]);
  });

  it('ends at once with a second signal, whatever hangs (A27)', async () => {
    await using gateway = await serve();
    const before = upstream.requests.length;
    upstream.answerOnce('hang');
    const call = ask(gateway.port, { token: gateway.token }).catch(() => 'lost');
    await upstream.request(before + 1);
    gateway.child.signal('SIGTERM');
    await sleep(300);
    expect(gateway.child.running).toBe(true);
    const began = performance.now();
    gateway.child.signal('SIGINT');
    expect(await gateway.child.ended).not.toBe(0);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(await call).toBe('lost');
  });

  it('answers the same bodies with DEBUG=true and in development, and no stack (A28)', async () => {
    await using usual = await serve();
    await using debugging = await serve({ DEBUG: 'true', NODE_DEBUG: 'portcullis', NODE_ENV: 'development' });
    const answers = async (gateway: typeof usual): Promise<readonly unknown[]> => {
      const { token } = gateway;
      const requests: readonly Ask[] = [
        { token, body: '{"jsonrpc":' },
        { token, target: '/nowhere' },
        { token },
        { token: 'x' },
        { token, method: 'PUT' },
      ];
      const seen: unknown[] = [];
      for (const [index, request] of requests.entries()) {
        if (index === 2)
          upstream.answerOnce({ bytes: 'Error: at Object.<anonymous> (/srv/upstream.js:1:1)\r\n\r\n' });
        const response = await ask(gateway.port, request);
        const names = response.headerLines.map(([name]) => name);
        seen.push([response.status, names, only(response, 'content-type'), response.body.toString()]);
      }
      return seen;
    };
    const [plain, debug] = [await answers(usual), await answers(debugging)];
    expect(debug).toEqual(plain);
    expect(plain.map((answer) => (answer as readonly unknown[])[0])).toEqual([400, 404, 502, 401, 405]);
    expect(JSON.stringify(plain)).not.toMatch(/ at .*:\d+:\d+|upstream\.js/);
  });

  it('outlives clients that reset at once (A28)', async () => {
    await using gateway = await serve();
    const text = requestText(gateway.port);
    for (let index = 0; index < 20; index += 1) {
      await using client = await connectRaw({ port: gateway.port });
      client.send(text);
      client.reset();
    }
    await sleep(300);
    expect([gateway.child.running, gateway.output.includes('defect')]).toEqual([true, false]);
    expect((await ask(gateway.port, { token: gateway.token })).status).toBe(200);
  });
});
