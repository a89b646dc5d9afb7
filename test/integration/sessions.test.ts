/** A25: a session belongs to one principal on one route of one upstream, on every replica that has the key. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { reserveFreePort } from '../support/loopback.ts';
import { ask, beginSession, json, only, startWorld, toolCall, type Ask, type World } from './world.ts';

const noSession = { jsonrpc: '2.0', id: 1, error: { code: 40400, message: 'No such session' } };
const withSession = (session: string, more: Ask = {}): Ask => ({
  ...more,
  headers: [...(more.headers ?? []), ['Mcp-Session-Id', session]],
});
const tokenOf = (world: World, claims: Record<string, unknown>): string => world.issuer.token({ claims });
const secret = (): string => randomBytes(32).toString('hex');
const sessionsAt = (world: World): readonly (string | undefined)[] =>
  world.upstream.requests.map((request) => request.header('mcp-session-id')[0]);

describe('A25 a session', () => {
  it('comes back to the upstream as the id that it gave, for POST, GET and DELETE (A25)', async () => {
    await using world = await startWorld();
    const session = await beginSession(world, { id: 's-1' });
    expect(session).not.toContain('s-1');
    world.upstream.answer({ body: {} });
    for (const method of ['POST', 'GET', 'DELETE'])
      expect((await world.ask(withSession(session, { method, token: world.issuer.token() }))).status).toBe(
        200,
      );
    expect(sessionsAt(world)).toEqual([undefined, 's-1', 's-1', 's-1']);
  });

  it('has one name for the client, however often the upstream tells its own (A25)', async () => {
    await using world = await startWorld();
    expect(await beginSession(world)).toBe(await beginSession(world));
  });

  it('is 404 for another person, and the first one goes on (A25)', async () => {
    await using world = await startWorld();
    const [ada, eve] = [tokenOf(world, { sub: 'ada' }), tokenOf(world, { sub: 'eve' })];
    const session = await beginSession(world, { token: ada, id: 's-ada' });
    const stolen = await world.ask(withSession(session, { token: eve }));
    expect([stolen.status, json(stolen)]).toEqual([404, noSession]);
    expect((await world.ask(withSession(session, { token: ada }))).status).toBe(200);
    expect(sessionsAt(world)).toEqual([undefined, 's-ada']);
    expect(world.gateway.audit.map(({ reason }) => reason)).toEqual(['ok', 'session_unknown', 'ok']);
  });

  it('is 404 for another client of the same person, and survives a new token of the same one (A25)', async () => {
    await using world = await startWorld();
    const token = (client_id: string, jti: string): string => tokenOf(world, { sub: 'ada', client_id, jti });
    const session = await beginSession(world, { token: token('editor', 'one') });
    expect((await world.ask(withSession(session, { token: token('editor', 'two') }))).status).toBe(200);
    expect((await world.ask(withSession(session, { token: token('other', 'three') }))).status).toBe(404);
  });

  it('is 404 on another route to the same upstream, and with another issuer’s person of that name (A25)', async () => {
    await using other = await startWorld();
    await using world = await startWorld({
      yaml: ({ issuer, upstream }) => `
authorizationServers:
  - { name: corp, issuer: '${issuer.url}', audiences: [both] }
  - { name: other, issuer: '${other.issuer.url}', audiences: [both] }
routes:
  - { name: one, path: /one, upstream: '${upstream.url}' }
  - { name: two, path: /two, upstream: '${upstream.url}' }
`,
    });
    const claims = { sub: 'ada', aud: 'both' };
    const token = tokenOf(world, claims);
    const session = await beginSession(world, { token, target: '/one' });
    const status = async (request: Ask): Promise<number> =>
      (await world.ask(withSession(session, request))).status;
    expect(await status({ token, target: '/one' })).toBe(200);
    expect(await status({ token, target: '/two' })).toBe(404);
    expect(await status({ token: tokenOf(other, claims), target: '/one' })).toBe(404);
  });

  it.each(['x', 'upstream-session', 'A'.repeat(1025), '', '"', '../..', 'ümlaut', 'a b', 'null'])(
    'that was made up is 404, and the upstream sees nothing: %j (A25)',
    async (made) => {
      await using world = await startWorld();
      const response = await world.ask(withSession(made, { token: world.issuer.token() }));
      expect([response.status, json(response)]).toEqual([404, noSession]);
      expect(world.upstream.requests).toHaveLength(0);
    },
  );

  it('without a token is 401 first: nobody learns which sessions open (A25)', async () => {
    await using world = await startWorld();
    const session = await beginSession(world);
    expect((await world.ask(withSession(session))).status).toBe(401);
    expect((await world.ask(withSession('made-up'))).status).toBe(401);
  });

  it('of an open route is the route’s: it opens there, and what was made up doesn’t', async () => {
    await using world = await startWorld({ route: 'access: open' });
    const session = await beginSession(world, { id: 's-open' });
    expect((await world.ask(withSession(session))).status).toBe(200);
    expect((await world.ask(withSession('s-open'))).status).toBe(404);
    expect(sessionsAt(world)).toEqual([undefined, 's-open']);
  });

  it('carries the last event id upstream; without one it stays here', async () => {
    await using world = await startWorld();
    const session = await beginSession(world);
    const lastEvent = [['Last-Event-ID', '7']] as const;
    const token = world.issuer.token();
    await world.ask(withSession(session, { method: 'GET', token, headers: lastEvent }));
    expect((await world.ask({ method: 'GET', token, headers: lastEvent })).status).toBe(404);
    // From 2026-07-28 on there is nothing to resume: the header says nothing.
    await world.ask({
      method: 'GET',
      token,
      headers: [...lastEvent, ['MCP-Protocol-Version', '2026-07-28']],
    });
    expect(world.upstream.requests.map((request) => request.header('last-event-id'))).toEqual([
      [],
      ['7'],
      [],
    ]);
  });

  it('is named by an answer that begins it alone, and keeps its own name in others (C-030)', async () => {
    await using world = await startWorld();
    const token = world.issuer.token();
    const session = await beginSession(world, { id: 's-1' });
    const told = async (id: string, status: number, request: Ask): Promise<string | undefined> => {
      world.upstream.answerOnce({ status, headers: { 'mcp-session-id': id }, body: {} });
      return only(await world.ask({ token, ...request }), 'mcp-session-id');
    };
    expect(await told('s-1', 200, withSession(session))).toBe(session);
    expect(await told('s-2', 200, withSession(session))).toBe(undefined);
    expect(await told('s-2', 200, {})).toBe(undefined);
    const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: {} });
    expect(await told('s-2', 400, { body })).toBe(undefined);
    // A name that a client brings to a beginning, good or made up, isn't even looked at.
    for (const brought of [session, 'made-up'])
      expect(await told('s-3', 200, withSession(brought, { body }))).toMatch(/^[\w-]{40,}$/);
    expect(sessionsAt(world)).toEqual([undefined, 's-1', 's-1', undefined, undefined, undefined, undefined]);
  });
});

describe('A25 replicas', () => {
  const twin = async (
    world: World,
    sessions: string,
  ): Promise<{ port: number; close: () => Promise<void> }> => {
    const port = await reserveFreePort();
    // The same public URL: behind a load balancer both are one.
    const gateway = await startGateway(
      `publicUrl: ${world.gateway.url}
hosts: [localhost]
listen: { host: 127.0.0.1, port: ${port} }
ops: { host: 127.0.0.1, port: 0 }
sessions: ${sessions}
authorizationServers: [{ name: corp, issuer: '${world.issuer.url}' }]
routes: [{ name: tools, path: /mcp, upstream: { url: '${world.upstream.url}' } }]
`,
      { port, environment: environment },
    );
    return { port, close: () => gateway.close() };
  };
  const environment = { ONE: secret(), TWO: secret() };

  it('that hold the key open each other’s sessions, rotated ones too; others answer 404 (A25, W15)', async () => {
    await using world = await startWorld({ top: 'sessions: { key: { env: ONE } }', environment });
    const session = await beginSession(world);
    const token = world.issuer.token();
    const statuses: number[] = [];
    for (const sessions of [
      '{ key: { env: ONE } }',
      '{ key: { env: TWO }, previous: [{ env: ONE }] }',
      '{ key: { env: TWO } }',
    ]) {
      const replica = await twin(world, sessions);
      try {
        statuses.push((await ask(replica.port, withSession(session, { token, body: toolCall() }))).status);
      } finally {
        await replica.close();
      }
    }
    expect(statuses).toEqual([200, 200, 404]);
  });

  it('without a configured key each know their own alone', async () => {
    await using world = await startWorld();
    await using another = await startWorld();
    const session = await beginSession(world);
    expect((await another.ask(withSession(session, { token: another.issuer.token() }))).status).toBe(404);
  });
});
