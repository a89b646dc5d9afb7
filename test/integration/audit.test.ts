/** One audit event per request, whatever became of it, and each as the published schema says. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { EventStream } from '../support/event-stream.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { eventually } from '../support/loopback.ts';
import { connectRaw } from '../support/raw-client.ts';
import { auditFault, auditSchema, ends, reasons } from './audit-schema.ts';
import { exposition, only, requestText, startWorld, toolCall, type Ask, type World } from './world.ts';

it('the published schema lists every reason and every end that there is (P3)', () => {
  expect(auditSchema.properties.reason.enum.toSorted()).toEqual(reasons.toSorted());
  expect(auditSchema.properties.end.enum.toSorted()).toEqual(ends.toSorted());
});

it('the published schema refuses what is no event: a missing, an additional, a foreign word (P3)', async () => {
  await using world = await startWorld();
  await world.ask({ token: world.issuer.token() });
  const event = await world.gateway.auditEvent(() => true);
  expect(auditFault(event)).toBeUndefined();
  const { route: _, ...rest } = event;
  for (const wrong of [
    rest,
    { ...event, token: 'x' },
    { ...event, reason: 'because' },
    { ...event, end: 'somehow' },
    { ...event, decision: 'maybe' },
    { ...event, status: '200' },
    { ...event, principal: { issuer: 'i', subject: 's', clientId: null, email: 'e' } },
  ])
    expect(auditFault(wrong)).toBeDefined();
});

const open = 'streams: { closeOnExpiry: never }';

/** Every kind of request that a client can make, with the status it is told. */
function kinds(world: World): readonly (readonly [number, Ask])[] {
  const { issuer } = world;
  const token = issuer.token();
  return [
    [200, { token }],
    [202, { token, body: `[${toolCall(1)},${toolCall(2, 'é"\\u2028')}]` }],
    [202, { token, body: '{"jsonrpc":"2.0","method":"notifications/initialized"}' }],
    [200, { token: issuer.token({ claims: { sub: 'ünïcode "quoted" \\ subject', client_id: undefined } }) }],
    [401, {}],
    [401, { method: 'GET' }],
    [401, { method: 'HEAD' }],
    [401, { method: 'OPTIONS' }],
    [401, { token: 'opaque' }],
    [401, { token: issuer.token({ claims: { exp: 1 } }) }],
    [403, { token: issuer.token({ claims: { scope: 'other' } }) }],
    [403, { token, headers: [['Origin', 'https://evil.example']] }],
    [403, { token, headers: [['Host', 'evil.example']] }],
    [400, { token, headers: [['Authorization', 'Bearer x']] }],
    [400, { token, body: '{' }],
    [400, { token, target: 'http://localhost/mcp' }],
    [400, { token, target: '/%zz' }],
    [404, { token, target: '/nowhere?access_token=x' }],
    [404, { method: 'GET', target: '/.well-known/x' }],
    [200, { method: 'GET', target: '/.well-known/oauth-protected-resource' }],
    [405, { token, method: 'PUT' }],
    [413, { token, body: toolCall(1, 'x'.repeat(9_000)) }],
    [415, { token, headers: [['Content-Type', 'text/plain']] }],
    [
      204,
      {
        method: 'OPTIONS',
        headers: [
          ['Origin', 'https://ok.example'],
          ['Access-Control-Request-Method', 'POST'],
        ],
      },
    ],
  ];
}

async function countedRequests(gateway: RunningGateway): Promise<number> {
  const series = (await exposition(gateway)).filter((line) => line.startsWith('portcullis_requests_total{'));
  return series.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const route = `${open}, scopes: [mcp:use], limits: { body: 8KiB }, origins: ['https://ok.example']`;

describe('P3 one event per request', () => {
  it('of every kind: its status, its id and its reason are those of the answer (P3)', async () => {
    await using world = await startWorld({ route });
    for (const [index, [status, request]] of kinds(world).entries()) {
      const response = await world.ask(request);
      expect([index, response.status]).toEqual([index, status]);
      await expect.poll(() => world.gateway.audit.length).toBe(index + 1);
      const event = world.gateway.audit[index];
      expect([index, auditFault(event)]).toEqual([index, undefined]);
      expect([index, event?.status]).toEqual([index, status]);
      const id = only(response, 'x-request-id');
      if (id !== undefined) expect(event?.requestId).toBe(id);
      expect(event?.decision).toBe(status < 300 ? 'allow' : 'deny');
      expect(event?.reason === 'ok').toBe(status < 300);
    }
  });

  it('says who, what and how it went (P3)', async () => {
    await using world = await startWorld();
    await world.ask({ token: world.issuer.token(), body: toolCall('i', 'delete_everything') });
    expect(await world.gateway.auditEvent(() => true)).toEqual({
      event: 'request',
      time: expect.stringMatching(/^\d{4}-/) as string,
      requestId: expect.any(String) as string,
      route: 'tools',
      principal: { issuer: world.issuer.url, subject: 'alice', clientId: 'test-client' },
      httpMethod: 'POST',
      rpcMethod: 'tools/call',
      target: 'delete_everything',
      decision: 'allow',
      rule: null,
      reason: 'ok',
      status: 200,
      upstreamStatus: 200,
      durationMs: expect.any(Number) as number,
      end: 'complete',
      address: '127.0.0.1',
    });
  });

  it('under load, with refusals, aborts, faults and streams: equal in number, with log and metric (P3)', async () => {
    await using world = await startWorld({ route });
    const { issuer, upstream, gateway } = world;
    let count = 0;
    upstream.answer(async ({ headerLines, body }, response) => {
      const wish = headerLines.find(([name]) => name.toLowerCase() === 'mcp-param-wish')?.[1];
      if (wish === 'reset') response.socket?.resetAndDestroy();
      else if (wish === 'hang') await sleep(3_000);
      else if (wish === 'stream') new EventStream().attach(response);
      else response.end(body);
    });
    const whole = kinds(world).map(([, request]) => request);
    const token = issuer.token();
    const served = async (index: number): Promise<void> => {
      count += 1;
      await world.ask(whole[index % whole.length]);
    };
    const aborted = async (index: number): Promise<void> => {
      const wish = ['hang', 'stream', 'reset', 'none'][index % 4] ?? '';
      await using client = await connectRaw({ port: gateway.port });
      const headers = [['Mcp-Param-Wish', wish]] as const;
      const text = requestText(gateway.port, { token, headers });
      count += 1;
      // Every eighth leaves within its body.
      client.send(index % 8 === 7 ? text.slice(0, -10) : text);
      await sleep(20 + (index % 5) * 20);
      client.reset();
    };
    const workers = Array.from({ length: 12 }, async (_, worker) => {
      for (let index = 0; index < 50; index += 1) {
        await (index % 3 === 0 ? aborted(index / 3 + worker) : served(index + worker));
      }
    });
    await Promise.all(workers);
    await eventually(`${count} audit events`, () => gateway.audit.length >= count);
    await sleep(300);
    expect(gateway.audit).toHaveLength(count);
    expect(new Set(gateway.audit.map(({ requestId }) => requestId)).size).toBe(count);
    expect(gateway.audit.map(auditFault).filter((fault) => fault !== undefined)).toEqual([]);
    const ended = new Set(gateway.audit.map(({ end }) => end as string));
    expect([...ended].toSorted()).toEqual(['client_left', 'complete', 'upstream_reset']);
    expect(gateway.log.filter((line) => 'requestId' in line)).toHaveLength(count);
    expect(await countedRequests(gateway)).toBe(count);
  });

  it('for clients that reset at once, which end nothing but themselves (P3)', async () => {
    await using world = await startWorld();
    const text = requestText(world.gateway.port);
    const tries = 300;
    for (let index = 0; index < tries; index += 20) {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          await using client = await connectRaw({ port: world.gateway.port });
          client.send(text);
          client.reset();
        }),
      );
    }
    const { gateway } = world;
    expect((await world.ask()).status).toBe(401);
    await expect
      .poll(async () => (await countedRequests(gateway)) - gateway.audit.length, { timeout: 5_000 })
      .toBe(0);
    expect(gateway.audit.length).toBeGreaterThan(0);
    expect(gateway.audit.map(auditFault).filter((fault) => fault !== undefined)).toEqual([]);
  });

  it('for requests that stood in line on a connection when its client left (P3)', async () => {
    await using world = await startWorld();
    world.upstream.answer('hang');
    await using client = await connectRaw({ port: world.gateway.port });
    const text = requestText(world.gateway.port, { token: world.issuer.token() });
    client.send(text.repeat(4));
    await world.upstream.request();
    await sleep(200);
    const reached = world.upstream.requests.length;
    client.reset();
    await eventually(
      'all ended at the upstream',
      () => world.upstream.aborted === world.upstream.requests.length,
      2_000,
    );
    await sleep(200);
    expect(world.gateway.audit.length).toBeGreaterThanOrEqual(reached);
    expect(world.gateway.audit).toHaveLength(4);
  });
});
