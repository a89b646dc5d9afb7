/** Who may call what: rules, step-up to the end, and callers without a token, through the whole gateway. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAuthorizationServer, type AuthorizationServer } from '../support/authorization-server.ts';
import { startBridge, type Bridge } from '../support/bridge.ts';
import { recordExchanges } from '../support/exchange-record.ts';
import { startGateway } from '../support/gateway.ts';
import { callReport, startModernServer } from '../support/modern-server.ts';
import { ScriptedLogin } from '../support/scripted-login.ts';
import { connectSdkV1 } from '../support/sdk-v1.ts';
import { connectSdkV2 } from '../support/sdk-v2.ts';
import { json, only, startWorld, toolCall, type World } from './world.ts';

const metadataUrl = (world: World): string =>
  `${new URL(world.resource).origin}/.well-known/oauth-protected-resource/mcp`;

describe('A20 a token with too few scopes', () => {
  let world: World;

  beforeAll(async () => {
    world = await startWorld({
      route: `scopes: [use], policy: [
        { name: writers, tools: ['set_*'], scopes: [write, use, audit] },
        { name: owners, tools: ['set_*', drop], scopes: [own, all, write, audit] },
        { name: readers, tools: ['get_*'] },
        { name: tasks, methods: ['tasks/*'], scopes: [tasks] } ]`,
    });
  });

  afterAll(() => world[Symbol.asyncDispose]());

  const ask = (scope: string, body: string, accept = 'application/json, text/event-stream') =>
    world.ask({ token: world.issuer.token({ claims: { scope } }), body, headers: [['Accept', accept]] });
  const scopesAsked = (value: string | undefined): string | undefined =>
    /scope="([^"]*)"/.exec(value ?? '')?.[1];

  it.each(['application/json', 'text/event-stream', 'application/json, text/event-stream'])(
    'is 403 with every scope of the rule and the route before anything is sent upstream, for a client that accepts %s (A20)',
    async (accept) => {
      const response = await ask('use write', toolCall(7, 'set_x'), accept);
      expect(response.status).toBe(403);
      expect(json(response)).toEqual({
        jsonrpc: '2.0',
        id: 7,
        error: { code: 40301, message: 'More scopes are required' },
      });
      expect(only(response, 'www-authenticate')).toBe(
        `Bearer error="insufficient_scope", scope="use write audit", resource_metadata="${metadataUrl(world)}"`,
      );
      expect(world.passed).toBe('');
      const event = await world.gateway.auditEvent(({ status }) => status === 403);
      expect(event).toMatchObject({
        decision: 'deny',
        rule: 'writers',
        reason: 'scope_insufficient',
        target: 'set_x',
        rpcMethod: 'tools/call',
        principal: { subject: expect.any(String) as string },
      });
    },
  );

  it('is the same in a batch, where the scopes of all its calls are asked for at once, and as a task (A20)', async () => {
    const batch = await ask(
      'use',
      `[${toolCall(1, 'get_x')},${toolCall(2, 'drop')},${toolCall(3, 'set_x')}]`,
    );
    expect([batch.status, scopesAsked(only(batch, 'www-authenticate'))]).toEqual([
      403,
      'use write audit own all',
    ]);
    const task = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'set_x', arguments: {}, task: { ttl: 1000 } },
    });
    expect(scopesAsked(only(await ask('use audit', task), 'www-authenticate'))).toBe('use write audit');
    const get = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tasks/get', params: { taskId: 't' } });
    expect(scopesAsked(only(await ask('use', get), 'www-authenticate'))).toBe('use tasks');
    expect(world.passed).toBe('');
  });

  it('is let in once it has them all, and the audit names the rule', async () => {
    expect((await ask('use write audit', toolCall(1, 'set_x'))).status).toBe(200);
    expect(await world.gateway.auditEvent(({ decision }) => decision === 'allow')).toMatchObject({
      rule: 'writers',
      reason: 'ok',
      target: 'set_x',
    });
    expect((await ask('use own all write audit', toolCall(1, 'drop'))).status).toBe(200);
    expect(await world.gateway.auditEvent(({ rule }) => rule === 'owners')).toMatchObject({ target: 'drop' });
  });

  it('tells the log which rule came nearest and what it lacked, and the client nothing of it', async () => {
    const response = await ask('use write', toolCall(1, 'set_x'));
    const id = only(response, 'x-request-id');
    await expect
      .poll(() => world.gateway.log.find(({ requestId }) => requestId === id))
      .toMatchObject({ level: 'warn', detail: 'rule writers lacks audit' });
    expect(response.body.toString()).not.toMatch(/writers|audit/);
  });
});

describe('a condition', () => {
  it('decides by claims and arguments, and says in the log alone what it lacked (P1)', async () => {
    await using world = await startWorld({
      route: `policy: [
        { name: eng, tools: [deploy], when: '"eng" in principal.claims.groups && call.arguments.stage != "production"' } ]`,
    });
    const ask = (groups: unknown, args: unknown) =>
      world.ask({
        token: world.issuer.token({ claims: { groups } }),
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name: 'deploy', arguments: args },
        }),
      });
    const served = async (groups: unknown, args: unknown): Promise<boolean> =>
      'result' in (json(await ask(groups, args)) as object);
    expect(await served(['eng'], { stage: 'test' })).toBe(true);
    for (const [groups, args] of [
      [['ops'], { stage: 'test' }],
      [['eng'], { stage: 'production' }],
      [['eng'], {}],
      [['eng'], { Stage: 'production', stage: 'test' }],
      [[null, 'eng'], { stage: 'test' }],
      [undefined, { stage: 'test' }],
    ] as const)
      expect([groups, args, await served(groups, args)]).toEqual([groups, args, false]);
    expect(world.upstream.requests).toHaveLength(1);
    const details = world.gateway.log.flatMap(({ detail }) => (typeof detail === 'string' ? [detail] : []));
    expect(details).toEqual([
      "the condition of rule eng isn't true",
      "the condition of rule eng isn't true",
      "the condition of rule eng can't be worked out at column 51: there is no stage",
      "the condition of rule eng can't be worked out: the arguments: a member differs from one that a rule reads by its case alone",
      expect.stringContaining('members of different kinds'),
      "the condition of rule eng can't be worked out at column 26: there is no groups",
    ]);
    expect(world.gateway.written).not.toContain('production');
  });
});

describe('A23 a route for callers with and without a token', () => {
  let world: World;

  beforeAll(async () => {
    world = await startWorld({
      route: `access: optional, challengeScopes: [use], policy: [
        { name: open, tools: [open] },
        { name: members, tools: [members], scopes: [use, write] },
        { name: guests, tools: [guests], when: 'principal == null' } ]`,
    });
  });

  afterAll(() => world[Symbol.asyncDispose]());

  it('runs an open tool for anyone, with no identity for the upstream (A23, A24)', async () => {
    expect((await world.ask({ body: toolCall(1, 'open') })).status).toBe(200);
    const request = world.upstream.requests.at(-1);
    expect(request?.headerLines.filter(([name]) => /^x-auth/i.test(name))).toEqual([]);
    expect((await world.ask({ token: world.issuer.token(), body: toolCall(1, 'open') })).status).toBe(200);
    expect(world.upstream.requests.at(-1)?.header('x-auth-subject')).toHaveLength(1);
    const events = world.gateway.audit.filter(({ rule }) => rule === 'open');
    expect(events.map(({ principal }) => principal === null)).toEqual([true, false]);
  });

  it('challenges a caller without a token for a protected one, which runs with a token (A23)', async () => {
    const refused = await world.ask({ body: toolCall(1, 'members') });
    expect(refused.status).toBe(401);
    expect(json(refused)).toMatchObject({ id: 1, error: { code: 40100 } });
    expect(only(refused, 'www-authenticate')).toBe(
      `Bearer scope="use write", resource_metadata="${metadataUrl(world)}"`,
    );
    expect(await world.gateway.auditEvent(({ status }) => status === 401)).toMatchObject({
      decision: 'deny',
      reason: 'login_needed',
      rule: 'members',
      principal: null,
    });
    const token = world.issuer.token({ claims: { scope: 'use write' } });
    expect((await world.ask({ token, body: toolCall(1, 'members') })).status).toBe(200);
    const few = await world.ask({
      token: world.issuer.token({ claims: { scope: 'use' } }),
      body: toolCall(1, 'members'),
    });
    expect([few.status, only(few, 'www-authenticate')]).toEqual([
      403,
      `Bearer error="insufficient_scope", scope="use write", resource_metadata="${metadataUrl(world)}"`,
    ]);
  });

  it('gives what no login would open the answer of what is not there', async () => {
    const before = world.upstream.requests.length;
    const [unknown, guest] = [
      await world.ask({ body: toolCall(1, 'nothing') }),
      await world.ask({ token: world.issuer.token(), body: toolCall(1, 'guests') }),
    ];
    expect([unknown.status, unknown.body]).toEqual([200, guest.body]);
    expect(json(unknown)).toMatchObject({ error: { code: -32602 } });
    expect(world.upstream.requests).toHaveLength(before);
    expect((await world.ask({ body: toolCall(1, 'guests') })).status).toBe(200);
  });

  it('does not take bad credentials for none (A02, A03)', async () => {
    const before = world.upstream.requests.length;
    const answers = [
      await world.ask({ token: 'nonsense', body: toolCall(1, 'open') }),
      await world.ask({ token: world.issuer.token({ claims: { exp: 1 } }), body: toolCall(1, 'open') }),
      await world.ask({ headers: [['Authorization', 'Basic YTpi']], body: toolCall(1, 'open') }),
      await world.ask({ headers: [['Authorization', 'Bearer']], body: toolCall(1, 'open') }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    const two = [
      ['Authorization', `Bearer ${world.issuer.token()}`],
      ['Authorization', `Bearer ${world.issuer.token()}`],
    ] as const;
    expect((await world.ask({ headers: two, body: toolCall(1, 'open') })).status).toBe(400);
    expect(world.upstream.requests).toHaveLength(before);
  });

  it('answers 405 to a GET without a token, so that mcp-remote has one challenge at a time; with a token it streams', async () => {
    const without = await world.ask({ method: 'GET' });
    expect([without.status, only(without, 'allow'), without.header('www-authenticate')]).toEqual([
      405,
      'POST, DELETE',
      [],
    ]);
    const before = world.upstream.requests.length;
    world.upstream.answerOnce({ status: 200, body: '' });
    expect((await world.ask({ method: 'GET', token: world.issuer.token() })).status).toBe(200);
    expect((await world.ask({ method: 'GET', token: 'nonsense' })).status).toBe(401);
    expect(world.upstream.requests).toHaveLength(before + 1);
  });

  it('publishes its metadata, and says at start what it is', async () => {
    const metadata = await world.ask({ method: 'GET', target: '/.well-known/oauth-protected-resource/mcp' });
    expect(json(metadata)).toMatchObject({
      resource: world.resource,
      authorization_servers: [world.issuer.url],
    });
    expect(world.gateway.log).toContainEqual(
      expect.objectContaining({ level: 'warn', route: 'tools', access: 'optional', rules: 3 }),
    );
  });
});

it('an open route has rules too: what they give to anyone, and nothing else (A23)', async () => {
  await using world = await startWorld({
    yaml: ({ upstream }) => `
routes:
  - path: /mcp
    access: open
    upstream: '${upstream.url}'
    policy: [{ name: safe, tools: ['get_*'] }, { name: known, tools: ['*'], when: 'principal != null' }]
`,
  });
  expect((await world.ask({ body: toolCall(1, 'get_x') })).status).toBe(200);
  const token = world.issuer.token();
  expect(json(await world.ask({ token, body: toolCall(1, 'set_x') }))).toMatchObject({
    error: { code: -32602 },
  });
  expect(world.upstream.requests).toHaveLength(1);
});

it('a condition sees the tenant of the path', async () => {
  await using world = await startWorld({
    path: '/{tenant}/mcp',
    route: `tenant: { claim: org }, policy: [{ name: beta, tools: [beta], when: 'route.tenant in ["acme"] && route.name == "tools"' }]`,
  });
  const ask = (tenant: string) => {
    const aud = `${world.gateway.url}/${tenant}/mcp`;
    const token = world.issuer.token({ claims: { aud, org: tenant } });
    return world.ask({ target: `/${tenant}/mcp`, token, body: toolCall(1, 'beta') });
  };
  expect(json(await ask('acme'))).toHaveProperty('result');
  expect(json(await ask('other'))).toMatchObject({ error: { message: 'Unknown tool' } });
});

it('a refusal on the older transport is an HTTP error: its answers come on another stream', async () => {
  await using world = await startWorld({
    route: `policy: [{ name: echo, tools: [echo] }]`,
    upstream: 'transport: sse, sharedProcess: isolated',
  });
  const refused = await world.ask({ token: world.issuer.token(), body: toolCall(1, 'other') });
  expect([refused.status, json(refused)]).toMatchObject([403, { id: 1, error: { code: 40300 } }]);
});

describe('step-up, to the end', () => {
  let server: AuthorizationServer;
  let bridge: Bridge;

  beforeAll(async () => {
    [server, bridge] = await Promise.all([startAuthorizationServer(), startBridge()]);
  });

  afterAll(async () => {
    await Promise.all([server, bridge].map((part) => part?.close()));
  });

  const routeTo = (upstream: string, tool: string): string => `
authorizationServers: [{ name: corp, issuer: '${server.issuer}' }]
routes:
  - name: tools
    path: /mcp
    scopes: [mcp:use]
    upstream: '${upstream}'
    policy:
      - { name: writers, tools: ['${tool}'], scopes: [mcp:write] }
`;

  /** SDK v1 can't step up while it holds a refresh token: it refreshes instead, and gets no more scopes. */
  class LoginWithoutRefresh extends ScriptedLogin {
    override readonly clientMetadata = {
      client_name: 'scripted client',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  const scopesOf = (login: ScriptedLogin): string => String(login.tokens()?.scope);

  it('an SDK v1 client is asked for more, gets it, and its call succeeds in the same session (A20)', async () => {
    await using gateway = await startGateway(routeTo(bridge.url, 'echo'));
    const login = new LoginWithoutRefresh((url) => server.signIn(url, 'alice'));
    const record = recordExchanges(gateway.url);
    await using session = await connectSdkV1(`${gateway.url}/mcp`, login, record.fetch);
    expect(scopesOf(login)).toBe('mcp:use');
    const call = { name: 'echo', arguments: { message: 'hello' } };
    await expect(session.client.callTool(call)).rejects.toThrow('Unauthorized');
    await session.transport.finishAuth(login.callback.get('code') ?? '');
    expect(scopesOf(login)).toBe('mcp:use mcp:write');
    expect((await session.client.callTool(call)).content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
    const challenge = record.responses
      .map(({ headers }) => headers.get('www-authenticate') ?? '')
      .find((value) => value.includes('insufficient_scope'));
    expect(challenge).toContain('scope="mcp:use mcp:write"');
    expect(bridge.requests.filter(({ method }) => method === 'POST').length).toBeGreaterThan(0);
    expect(
      await gateway.auditEvent(({ target, decision }) => target === 'echo' && decision === 'allow'),
    ).toMatchObject({ rule: 'writers', status: 200 });
  });

  it.each([
    ['2025-11-25', 'legacy' as const],
    ['2026-07-28', { pin: '2026-07-28' }],
  ])('an SDK v2 client of %s does the same, with its refresh token (A20)', async (_revision, mode) => {
    await using upstream = await startModernServer();
    await using gateway = await startGateway(routeTo(upstream.url, 'report'));
    const login = new ScriptedLogin((url) => server.signIn(url, 'bob'));
    await using session = await connectSdkV2(`${gateway.url}/mcp`, login, { mode });
    expect(scopesOf(login)).toBe('mcp:use');
    const calls = () => gateway.audit.filter(({ target }) => target === 'report');
    await expect(callReport(session.client)).rejects.toThrow(/./);
    expect(calls()).toMatchObject([{ status: 403, reason: 'scope_insufficient', rule: 'writers' }]);
    await session.transport.finishAuth(login.callback);
    expect(scopesOf(login)).toBe('mcp:use mcp:write');
    expect(await callReport(session.client, 'hello')).toMatchObject({ text: 'hello' });
    expect(calls().at(-1)).toMatchObject({ decision: 'allow', rule: 'writers' });
  });

  it('both clients hear of a hidden tool as of one that is not there, and go on', async () => {
    await using gateway = await startGateway(routeTo(bridge.url, 'get-sum'));
    for (const connect of [connectSdkV1, connectSdkV2] as const) {
      const login = new ScriptedLogin((url) => server.signIn(url, 'carol'));
      await using session = await connect(`${gateway.url}/mcp`, login);
      const call = session.client.callTool({ name: 'echo', arguments: { message: 'x' } });
      await expect(call).rejects.toThrow('Unknown tool');
      await session.client.ping();
    }
  });
});
