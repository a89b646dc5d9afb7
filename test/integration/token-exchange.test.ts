/** The client's token, exchanged for one of the upstream (RFC 8693, row X1). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as jose from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startAuthorizationServer, type AuthorizationServer } from '../support/authorization-server.ts';
import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually, reserveFreePort } from '../support/loopback.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { Secrets } from '../support/secrets.ts';
import { tokenExchangeGrant } from '../support/token-exchange-grant.ts';
import { ask, exposition, json, only } from './world.ts';

const secrets = new Secrets();
const clientSecret = secrets.mint('client secret');
const audience = 'https://upstream.example/mcp';
const environment = { SECRET: clientSecret };

function yamlFor(issuer: string, upstream: string, more = ''): string {
  return `authorizationServers: [{ name: corp, issuer: '${issuer}'${more} }]
routes:
${route('tools', '/mcp', upstream, 'corp')}`;
}

function route(name: string, path: string, upstream: string, server: string): string {
  return `  - name: ${name}
    path: ${path}
    authorizationServers: [${server}]
    upstream:
      url: '${upstream}'
      credentials:
        tokenExchange:
          { authorizationServer: ${server}, clientId: gateway, clientSecret: { env: SECRET }, audience: '${audience}', scope: 'files:read' }
`;
}

describe('X1 with a real authorization server (oidc-provider)', () => {
  const client = { client_id: 'gateway', client_secret: clientSecret, grant_types: [tokenExchangeGrant] };
  let server: AuthorizationServer;
  let upstream: RecordingUpstream;
  let gateway: RunningGateway;
  let port: number;

  beforeAll(async () => {
    port = await reserveFreePort();
    server = await startAuthorizationServer({ exchangesTokens: true, clients: [client] });
    upstream = await startRecordingUpstream();
    gateway = await startGateway(yamlFor(server.issuer, upstream.url), { port, environment });
  });
  afterAll(() => Promise.all([gateway.close(), server.close(), upstream.close()]));

  const login = async (account: string): Promise<string> =>
    secrets.watch(account, await server.tokenByLogin({ account, resource: `http://localhost:${port}/mcp` }));
  const exchanges = (): number => server.requests.filter((request) => request === 'POST /token').length;

  it('the upstream gets a token that is for it and names the user, from one exchange for two requests', async () => {
    const keys = jose.createRemoteJWKSet(new URL(`${server.issuer}/jwks`));
    const [alice, bob] = [await login('alice'), await login('bob')];
    const before = exchanges();
    for (const token of [alice, alice, bob]) expect((await ask(port, { token })).status).toBe(200);
    expect(exchanges() - before).toBe(2);
    const shown = upstream.requests.map((request) => request.header('authorization').join());
    expect(shown[0]).toBe(shown[1]);
    const payloads = await Promise.all(
      shown.map(async (line, index) => {
        const token = secrets.watch(`exchanged ${index}`, line.slice('Bearer '.length));
        return (await jose.jwtVerify(token, keys, { issuer: server.issuer, audience })).payload;
      }),
    );
    expect(payloads.map(({ sub }) => sub)).toEqual(['alice', 'alice', 'bob']);
    expect(payloads[0]).toMatchObject({ act: { sub: 'gateway' }, scope: 'files:read' });
    const metrics = await (await fetch(`${gateway.opsUrl}/metrics`)).text();
    expect(secrets.leaksIn({ log: gateway.written, metrics })).toEqual([]);
  });
});

describe('X1 with a token endpoint of the test’s', () => {
  let issuer: Issuer;
  let silent: Issuer;
  let upstream: RecordingUpstream;
  let gateway: RunningGateway;
  let aheadMs = 0;
  /** What the endpoint was asked, and how it answers. */
  const calls: URLSearchParams[] = [];
  let answer: (call: URLSearchParams, request: IncomingMessage, response: ServerResponse) => void;

  const give = (response: ServerResponse, status: number, body: unknown, headers = {}): void =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(typeof body === 'string' ? body : JSON.stringify(body));
  const tokenFor = (call: URLSearchParams): Readonly<Record<string, unknown>> => ({
    access_token: `for-${jose.decodeJwt(call.get('subject_token') ?? '').sub}-${calls.length}`,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 60,
  });
  const usual: typeof answer = (call, _request, response) => give(response, 200, tokenFor(call));

  beforeAll(async () => {
    const now = (): number => Math.floor((Date.now() + aheadMs) / 1000);
    issuer = await startIssuer({ algorithms: ['ES256'], now });
    upstream = await startRecordingUpstream();
    issuer.behave('/token', async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const call = new URLSearchParams(Buffer.concat(chunks).toString());
      calls.push(call);
      answer(call, request, response);
    });
    silent = await startIssuer({ algorithms: ['ES256'], now });
    silent.behave('/token', 'hang');
    const more = `, keys: { ttl: 1d } }, { name: silent, issuer: '${silent.url}', keys: { timeout: 300ms, ttl: 1d }`;
    const yaml = `${yamlFor(issuer.url, upstream.url, more)}${route('silent', '/silent', upstream.url, 'silent')}`;
    gateway = await startGateway(yaml, {
      environment,
      clock: () => Date.now() + aheadMs,
    });
  });
  afterAll(() => Promise.all([gateway.close(), issuer.close(), silent.close(), upstream.close()]));
  beforeEach(() => {
    // Past the life of every token from before.
    aheadMs += 120_000;
    calls.length = 0;
    answer = usual;
  });

  const token = (claims: Readonly<Record<string, unknown>> = {}): string =>
    issuer.token({ claims: { aud: `${gateway.url}/mcp`, ...claims } });
  const send = (shown: string) => ask(gateway.port, { token: shown });
  /** Tokens that were let in. */
  const seen = async (): Promise<number> =>
    (await exposition(gateway))
      .filter((line) => line.startsWith('portcullis_token_signatures_total'))
      .reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
  const lastShown = (): unknown => upstream.requests.at(-1)?.header('authorization').join();

  it('asks as RFC 8693 has it, proving itself as the configured client', async () => {
    let authorization: string | undefined;
    answer = (call, request, response) => {
      ({ authorization } = request.headers);
      usual(call, request, response);
    };
    const shown = token();
    expect((await send(shown)).status).toBe(200);
    expect(Object.fromEntries(calls[0] ?? [])).toEqual({
      grant_type: tokenExchangeGrant,
      subject_token: shown,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience,
      scope: 'files:read',
    });
    expect(authorization).toBe(`Basic ${Buffer.from(`gateway:${clientSecret}`).toString('base64')}`);
    expect(lastShown()).toBe('Bearer for-alice-1');
  });

  it('keeps the token until shortly before it ends, whichever token of the user comes', async () => {
    await send(token());
    await send(token());
    expect(calls).toHaveLength(1);
    aheadMs += 47_000;
    await send(token());
    expect(calls).toHaveLength(1);
    aheadMs += 2_000;
    await send(token());
    expect(calls).toHaveLength(2);
    expect(lastShown()).toBe('Bearer for-alice-2');
  });

  it('gives one user nothing of another, nor of a token that may do more', async () => {
    for (const claims of [
      {},
      { sub: 'bob' },
      { client_id: 'other' },
      { client_id: undefined },
      { scope: 'mcp:use admin' },
    ])
      await send(token(claims));
    expect(calls).toHaveLength(5);
  });

  it('100 requests at once make one exchange, and nobody else waits for it (S05)', async () => {
    const held = Promise.withResolvers<void>();
    answer = (call, request, response) =>
      jose.decodeJwt(call.get('subject_token') ?? '').sub === 'alice'
        ? void held.promise.then(() => usual(call, request, response))
        : usual(call, request, response);
    const before = upstream.requests.length;
    const shown = token();
    const waiting = Promise.all(Array.from({ length: 100 }, () => send(shown)));
    await eventually('an exchange', () => calls.length === 1);
    expect((await send(token({ sub: 'bob' }))).status).toBe(200);
    expect(upstream.requests.length - before).toBe(1);
    held.resolve();
    expect(new Set((await waiting).map(({ status }) => status))).toEqual(new Set([200]));
    expect(calls).toHaveLength(2);
  });

  it('what failed is not kept: those who wait get its refusal, the next one tries again (S06)', async () => {
    const held = Promise.withResolvers<void>();
    answer = (_call, _request, response) => void held.promise.then(() => give(response, 500, {}));
    const before = await seen();
    const shown = token();
    const waiting = Promise.all([send(shown), send(shown), send(shown)]);
    await eventually('all of them under way', async () => (await seen()) - before === 3);
    held.resolve();
    const statuses = (await waiting).map(({ status }) => status);
    expect(statuses).toEqual([503, 503, 503]);
    expect(calls).toHaveLength(1);
    answer = usual;
    expect((await send(token())).status).toBe(200);
  });

  const idToken = 'urn:ietf:params:oauth:token-type:id_token';
  const unwritable = { access_token: 'a\r\nX-A: b', token_type: 'Bearer' };
  const denied = [403, 'upstream_credentials_refused'] as const;
  const refused = [503, 'exchange_refused'] as const;
  const failed = [503, 'exchange_failed'] as const;

  it.each([
    ['is denied for the user', [400, { error: 'invalid_grant' }], denied],
    ['is denied for the target', [400, { error: 'invalid_target' }], denied],
    ['is not for this client', [401, { error: 'invalid_client' }], refused],
    ['is not offered', [400, { error: 'unsupported_grant_type' }], refused],
    ['is forbidden by something on the way', [403, 'no'], refused],
    ['fails', [500, {}], failed],
    ['answers with a page', [200, '<html>'], failed],
    ['answers without a token', [200, { token_type: 'Bearer' }], failed],
    ['answers with another type', [200, { access_token: 'a', token_type: 'DPoP' }], failed],
    [
      'answers with an ID token',
      [200, { access_token: 'a', token_type: 'Bearer', issued_token_type: idToken }],
      failed,
    ],
    ['answers with what no header can hold', [200, unwritable], failed],
    ['redirects', [307, {}], failed],
  ] as const)(
    'an exchange that %s sends nothing upstream, least of all the client’s token',
    async (_what, [given, body], [status, reason]) => {
      answer = (_call, _request, response) =>
        give(response, given, body, { location: `${upstream.origin}/token` });
      const before = upstream.requests.length;
      const response = await send(token());
      expect(response.status).toBe(status);
      expect(json(response)).toMatchObject({ error: { code: status === 403 ? 40310 : 50300 } });
      expect(only(response, 'retry-after')).toBe(status === 403 ? undefined : '5');
      expect(only(response, 'www-authenticate')).toBeUndefined();
      expect(upstream.requests).toHaveLength(before);
      const requestId = only(response, 'x-request-id');
      const event = await gateway.auditEvent((each) => each.requestId === requestId);
      expect(event).toMatchObject({ reason, decision: 'deny' });
    },
  );

  it('a server that gives back the client’s own token gets none of it upstream', async () => {
    answer = (call, _request, response) =>
      give(response, 200, { access_token: call.get('subject_token'), token_type: 'Bearer' });
    const before = upstream.requests.length;
    expect((await send(token())).status).toBe(503);
    expect(upstream.requests).toHaveLength(before);
  });

  it('a server that hangs is waited for until its time-out, one that asks for more time gets it', async () => {
    const shown = silent.token({ claims: { aud: `${gateway.url}/silent` } });
    const late = await ask(gateway.port, { target: '/silent', token: shown });
    expect([late.status, only(late, 'retry-after')]).toEqual([503, '5']);
    answer = (_call, _request, response) => give(response, 503, {}, { 'retry-after': '17' });
    const busy = await send(token());
    expect([busy.status, only(busy, 'retry-after')]).toEqual([503, '17']);
  });

  it('a token that the upstream refuses is exchanged anew, once for all who had it, unless it was new', async () => {
    await send(token());
    const unauthorized = { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } };
    upstream.answerOnce(unauthorized);
    expect((await send(token())).status).toBe(502);
    expect(calls).toHaveLength(1);
    aheadMs += 11_000;
    upstream.answer((request, response) =>
      request.header('authorization')[0] === 'Bearer for-alice-1'
        ? void response.writeHead(401, unauthorized.headers).end()
        : void response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
    );
    const answers = await Promise.all([token(), token(), token()].map(send));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(calls).toHaveLength(2);
    expect(lastShown()).toBe('Bearer for-alice-2');
  });

  it('shares what belongs to the server, asked without credentials (S07)', () => {
    const { oauth, openid, openidAppended, jwks } = issuer.paths;
    const discovery = issuer.requests.filter(({ path }) => [oauth, openid, openidAppended].includes(path));
    expect(discovery.length).toBeGreaterThan(0);
    const open = issuer.requests.filter(({ path }) => [oauth, openid, openidAppended, jwks].includes(path));
    expect(open.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });

  it('nothing of it shows (S13)', () => {
    expect(secrets.leaksIn({ log: gateway.written })).toEqual([]);
    expect(gateway.written).not.toMatch(/for-alice|for-bob/);
  });
});
