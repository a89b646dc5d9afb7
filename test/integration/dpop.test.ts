/** Tokens bound to a key: real clients, nonces, and what gateways that share a Redis know of each other. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DpopSession } from '@modelcontextprotocol/client';
import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { startAuthorizationServer } from '../support/authorization-server.ts';
import { startBridge } from '../support/bridge.ts';
import { recordExchanges } from '../support/exchange-record.ts';
import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { IntrospectionEndpoint } from '../support/introspection-endpoint.ts';
import { startIssuer } from '../support/issuer.ts';
import { reserveFreePort } from '../support/loopback.ts';
import { callReport, startModernServer } from '../support/modern-server.ts';
import { ProofKey, type ProofParts } from '../support/proof-key.ts';
import { redisMissing, startRedis, redisNote } from '../support/redis.ts';
import { ScriptedLogin } from '../support/scripted-login.ts';
import { connectSdkV2 } from '../support/sdk-v2.ts';
import { Secrets } from '../support/secrets.ts';
import { ask, metric, only, startWorld, type World, type WorldOptions } from './world.ts';

/** A time that tests move; seconds. */
class Clock {
  seconds = 1_800_000_000;
  readonly read = (): number => this.seconds * 1_000;
  readonly now = (): number => this.seconds;
}

/** An SDK client whose tokens are bound to a key of its own. */
class BoundLogin extends ScriptedLogin {
  readonly #session: DpopSession;

  constructor(session: DpopSession, logIn: (url: URL) => Promise<URL>) {
    super(logIn);
    this.#session = session;
  }

  dpop(): DpopSession {
    return this.#session;
  }
}

/** As `ask` takes them. */
function headersOf(lines: readonly string[]): readonly (readonly [string, string])[] {
  return lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const);
}

interface BoundWorld {
  readonly world: World;
  readonly clock: Clock;
  readonly key: ProofKey;
  readonly token: string;
  /** One request with a proof of its own, good but for `parts`. */
  readonly prove: (
    parts?: ProofParts,
    headers?: readonly (readonly [string, string])[],
  ) => ReturnType<World['ask']>;
}

async function startBoundWorld(options: WorldOptions): Promise<BoundWorld> {
  const clock = new Clock();
  const world = await startWorld({ clock: clock.read, issuerOptions: { now: clock.now }, ...options });
  const key = new ProofKey('ES256', clock.now);
  const token = world.issuer.token({ claims: { cnf: { jkt: key.jkt }, exp: clock.seconds + 86_400 } });
  return {
    world,
    clock,
    key,
    token,
    prove: (parts, headers = []) =>
      world.ask({ headers: [...headersOf(key.lines({ url: world.resource, token }, parts)), ...headers] }),
  };
}

describe('I2 a client of the SDK that binds its tokens', () => {
  it.each(['optional', 'required', '{ mode: required, nonce: true }'])(
    'logs in, streams and calls a stdio server with a proof for each request where dpop is %s (I2)',
    async (dpop) => {
      await using server = await startAuthorizationServer();
      await using bridge = await startBridge();
      await using gateway = await startGateway(`
authorizationServers: [{ name: corp, issuer: '${server.issuer}' }]
routes: [{ name: tools, path: /mcp, scopes: [mcp:use], dpop: ${dpop}, upstream: '${bridge.url}' }]
`);
      const record = recordExchanges(gateway.url);
      const session = await DpopSession.create();
      const login = new BoundLogin(session, (url) => server.signIn(url, 'alice'));
      await using sdk = await connectSdkV2(`${gateway.url}/mcp`, login, { fetch: record.fetch });
      const { tools } = await sdk.client.listTools();
      expect(tools.map(({ name }) => name)).toContain('echo');
      let progressed = 0;
      await sdk.client.callTool(
        { name: 'trigger-long-running-operation', arguments: { duration: 0.4, steps: 2 } },
        { onprogress: () => (progressed += 1) },
      );
      expect(progressed).toBeGreaterThanOrEqual(1);
      expect(record.lines).toContain('GET /mcp 200');
      const claims = JSON.parse(
        Buffer.from(login.accessToken.split('.')[1] ?? '', 'base64url').toString(),
      ) as Record<string, unknown>;
      expect(claims['cnf']).toEqual({ jkt: session.thumbprint });
      // The same token without its key.
      const stolen = await ask(gateway.port, { token: login.accessToken });
      expect(stolen.status).toBe(401);
      expect((await gateway.auditEvent(({ reason }) => reason === 'token_confirmation')).status).toBe(401);
    },
  );

  it('keeps its proofs to itself: none reaches the MCP server, nor does the token (I2, B-024)', async () => {
    await using server = await startAuthorizationServer();
    await using upstream = await startModernServer();
    await using gateway = await startGateway(`
authorizationServers: [{ name: corp, issuer: '${server.issuer}' }]
routes: [{ name: tools, path: /mcp, scopes: [mcp:use], dpop: required, upstream: '${upstream.url}' }]
`);
    const login = new BoundLogin(await DpopSession.create(), (url) => server.signIn(url, 'bob'));
    await using sdk = await connectSdkV2(`${gateway.url}/mcp`, login, { mode: { pin: '2026-07-28' } });
    const { headers } = await callReport(sdk.client, 'hello');
    expect(headers['x-auth-subject']).toBe('bob');
    for (const request of upstream.requests) {
      expect(request.headers['dpop']).toBeUndefined();
      expect(request.headers.authorization).toBeUndefined();
    }
  });
});

it('a machine client of oauth4webapi gets in, and asks again with the nonce that it is told (I2)', async () => {
  const clock = new Clock();
  clock.seconds = Math.floor(Date.now() / 1000);
  await using server = await startAuthorizationServer();
  await using world = await startWorld({
    yaml: ({ upstream }) => `
authorizationServers: [{ name: corp, issuer: '${server.issuer}' }]
routes: [{ name: tools, path: /mcp, dpop: { mode: required, nonce: true }, upstream: '${upstream.url}' }]
`,
  });
  const insecure = { [oauth.allowInsecureRequests]: true };
  const url = new URL(world.resource);
  const metadata = await fetch(`${world.gateway.url}/.well-known/oauth-protected-resource/mcp`);
  const { dpop_signing_alg_values_supported: supported } = (await metadata.json()) as oauth.ResourceServer;
  expect(supported).toContain('ES256');
  const keys = await oauth.generateKeyPair('ES256');
  const DPoP = oauth.DPoP({}, keys);
  const token = await server.tokenForClient({ resource: world.resource, DPoP });
  const call = (): Promise<Response> =>
    oauth.protectedResourceRequest(
      token,
      'POST',
      url,
      new Headers({ 'content-type': 'application/json', accept: 'application/json' }),
      '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      { ...insecure, DPoP },
    );
  const refused: unknown = await call().catch((error: unknown) => error);
  expect(oauth.isDPoPNonceError(refused)).toBe(true);
  expect((await call()).status).toBe(200);
  expect((await call()).status).toBe(200);
  expect(world.upstream.requests).toHaveLength(2);
});

describe('I2 nonces', () => {
  const route = 'dpop: { mode: required, nonce: true }';

  it('are asked for once everything else held, and renewed on an answer before they end (I2)', async () => {
    const { world, clock, prove } = await startBoundWorld({ route });
    await using _ = world;
    const claims = { jti: 'kept' };
    const first = await prove({ claims });
    expect(first.status).toBe(401);
    const { resource } = world;
    const metadata = resource.replace('/mcp', '/.well-known/oauth-protected-resource/mcp');
    expect(only(first, 'www-authenticate')).toBe(
      `DPoP algs="ES256 ES384 Ed25519 EdDSA RS256 PS256", error="use_dpop_nonce", resource_metadata="${metadata}"`,
    );
    const nonce = only(first, 'dpop-nonce');
    // The id of a proof that was refused for its nonce isn't used up.
    const served = await prove({ claims: { ...claims, nonce } });
    expect([served.status, served.header('dpop-nonce')]).toEqual([200, []]);
    expect((await prove({ claims: { ...claims, nonce } })).status).toBe(401);
    clock.seconds += 120;
    const renewed = await prove({ claims: { nonce } });
    expect(renewed.status).toBe(200);
    const next = only(renewed, 'dpop-nonce');
    expect(next).not.toBe(nonce);
    clock.seconds += 120;
    const ended = await prove({ claims: { nonce } });
    expect(ended.status).toBe(401);
    expect((await prove({ claims: { nonce: next } })).status).toBe(200);
    for (const bad of ['', 'x', 7, null, [next]])
      expect((await prove({ claims: { nonce: bad } })).status).toBe(401);
    expect(world.upstream.requests).toHaveLength(3);
    await world.gateway.auditEvent(({ reason }) => reason === 'proof_nonce');
  });

  it('are told to no one whose proof has another fault (I2)', async () => {
    const { world, prove, token } = await startBoundWorld({ route });
    await using _ = world;
    const answers = [
      await world.ask(),
      await world.ask({ token }),
      await prove({ claims: { htm: 'GET' } }),
      await prove({ header: { typ: 'JWT' } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect(answers.flatMap((answer) => answer.header('dpop-nonce'))).toEqual([]);
  });

  it('can be read by a page that may call the route, refused and renewed (I2, A21)', async () => {
    const origin = 'https://inspector.example.com';
    const { world, clock, prove } = await startBoundWorld({ route: `${route}, origins: ['${origin}']` });
    await using _ = world;
    const from = [['Origin', origin]] as const;
    const refused = await prove({}, from);
    const nonce = only(refused, 'dpop-nonce');
    clock.seconds += 120;
    const renewed = await prove({ claims: { nonce } }, from);
    expect(renewed.status).toBe(200);
    for (const answer of [refused, renewed]) {
      expect(only(answer, 'dpop-nonce')).toBeDefined();
      expect(only(answer, 'access-control-allow-origin')).toBe(origin);
      expect(only(answer, 'access-control-expose-headers')).toContain('DPoP-Nonce');
    }
  });

  it('are one for all replicas with one session key, and another for each process without (I2)', async () => {
    const clock = new Clock();
    const key = new ProofKey('ES256', clock.now);
    await using issuer = await startIssuer({ now: clock.now, algorithms: ['ES256'] });
    const nonceOf = async (
      top: string,
      environment: Readonly<Record<string, string>>,
    ): Promise<string | undefined> => {
      const port = await reserveFreePort();
      await using gateway = await startGateway(
        `${top}
authorizationServers: [{ name: corp, issuer: '${issuer.url}' }]
routes: [{ path: /mcp, ${route}, upstream: 'http://localhost:1/mcp' }]
`,
        { port, clock: clock.read, environment },
      );
      const url = `${gateway.url}/mcp`;
      const token = issuer.token({ claims: { aud: url, cnf: { jkt: key.jkt } } });
      const answer = await ask(port, { headers: headersOf(key.lines({ url, token })) });
      expect(gateway.written).not.toContain('Z3VhcmQ');
      return only(answer, 'dpop-nonce');
    };
    const top = 'sessions: { key: { env: SESSION_KEY } }';
    const environment = { SESSION_KEY: 'Z3VhcmQgaXQgd2VsbCwgZm9yIGl0IGlzIHRoZSBrZXk' };
    expect(await nonceOf(top, environment)).toBe(await nonceOf(top, environment));
    expect(await nonceOf('', {})).not.toBe(await nonceOf('', {}));
  });
});

describe('I2 beside other ways to get in', () => {
  it('an opaque token whose server names its key is good with a proof and with nothing else (I2, A-055, A-070)', async () => {
    const clock = new Clock();
    const key = new ProofKey('ES256', clock.now);
    await using issuer = await startIssuer({ now: clock.now, algorithms: ['ES256'] });
    const endpoint = new IntrospectionEndpoint(issuer);
    const secret = randomBytes(24).toString('hex');
    await using world = await startWorld({
      clock: clock.read,
      environment: { SECRET: secret },
      yaml: ({ upstream }) => `
authorizationServers:
  - { name: corp, issuer: '${issuer.url}', introspection: { clientId: gateway, clientSecret: { env: SECRET } } }
routes: [{ name: tools, path: /mcp, dpop: optional, upstream: '${upstream.url}' }]
`,
    });
    const url = world.resource;
    const bound = { token_type: 'DPoP', cnf: { jkt: key.jkt }, exp: clock.seconds + 300 };
    const token = endpoint.issue(url, bound);
    const prove = async (by: ProofKey, held: string): Promise<number> =>
      (await world.ask({ headers: headersOf(by.lines({ url, token: held })) })).status;
    expect(await prove(key, token)).toBe(200);
    expect((await world.ask({ token })).status).toBe(401);
    expect(await prove(new ProofKey('ES256', clock.now), token)).toBe(401);
    expect(await prove(key, endpoint.issue(url, { exp: clock.seconds + 300 }))).toBe(401);
    expect(world.upstream.requests).toHaveLength(1);
  });

  it('a proof on a route of tenants is for one tenant (I2, A05)', async () => {
    const { world, clock, key } = await startBoundWorld({
      path: '/{tenant}/mcp',
      route: 'tenant: { claim: org }, dpop: required',
    });
    await using _ = world;
    const url = `${world.gateway.url}/acme/mcp`;
    const other = `${world.gateway.url}/other/mcp`;
    const token = world.issuer.token({
      claims: { aud: url, org: 'acme', cnf: { jkt: key.jkt }, exp: clock.seconds + 60 },
    });
    const prove = async (htu: string): Promise<number> =>
      (await world.ask({ target: '/acme/mcp', headers: headersOf(key.lines({ url: htu, token })) })).status;
    expect(await prove(url)).toBe(200);
    expect(await prove(other)).toBe(401);
    expect(await prove(`${world.gateway.url}/{tenant}/mcp`)).toBe(401);
    const refused = await world.ask({ target: '/acme/mcp' });
    expect(only(refused, 'www-authenticate')).toMatch(/^DPoP algs=.*oauth-protected-resource\/acme\/mcp"$/);
  });
});

describe('I2 settings', () => {
  it('narrow algorithms and window, and the challenge and the metadata follow (I2, E-016)', async () => {
    const { world, clock, prove } = await startBoundWorld({
      route: 'dpop: { mode: optional, algorithms: [EdDSA, ES256], window: 10s }',
    });
    await using _ = world;
    const algs = 'algs="Ed25519 EdDSA ES256"';
    expect((await world.ask()).header('www-authenticate')[1]).toBe(`DPoP ${algs}`);
    const document = await world.ask({ method: 'GET', target: '/.well-known/oauth-protected-resource/mcp' });
    expect(JSON.parse(document.body.toString())).toMatchObject({
      dpop_signing_alg_values_supported: ['Ed25519', 'EdDSA', 'ES256'],
    });
    clock.seconds += 20;
    expect((await prove({ claims: { iat: clock.seconds - 10 } })).status).toBe(200);
    expect((await prove({ claims: { iat: clock.seconds - 11 } })).status).toBe(401);
    const rsa = new ProofKey('RS256', clock.now);
    const token = world.issuer.token({ claims: { cnf: { jkt: rsa.jkt } } });
    const answer = await world.ask({ headers: headersOf(rsa.lines({ url: world.resource, token })) });
    expect(answer.status).toBe(401);
    await world.gateway.auditEvent(({ reason }) => reason === 'proof_algorithm');
  });

  it('a process that has just started refuses no proof that is made once it is ready (I2, A-072)', async () => {
    await using world = await startWorld({ route: 'dpop: required' });
    const key = new ProofKey();
    const token = world.issuer.token({ claims: { cnf: { jkt: key.jkt } } });
    const answer = await world.ask({ headers: headersOf(key.lines({ url: world.resource, token })) });
    expect(answer.status).toBe(200);
  });
});

describe.skipIf(redisMissing !== undefined)(`I2 gateways that share a Redis${redisNote}`, () => {
  const route = 'dpop: required';
  const top = 'state: { redis: { url: { env: REDIS_URL } } }';

  it('know of each other’s used proofs, in keys that tell nothing and end (I2, A-072)', async () => {
    await using redis = await startRedis();
    const clock = new Clock();
    const environment = { REDIS_URL: redis.url };
    await using issuer = await startIssuer({ now: clock.now, algorithms: ['ES256'] });
    const publicUrl = 'http://localhost:20000';
    const start = async (port: number): Promise<RunningGateway> =>
      startGateway(
        `publicUrl: ${publicUrl}
listen: { host: 127.0.0.1, port: ${port} }
${top}
authorizationServers: [{ name: corp, issuer: '${issuer.url}' }]
routes: [{ name: tools, path: /mcp, ${route}, upstream: 'http://localhost:1/mcp' }]
`,
        { port, clock: clock.read, environment },
      );
    await using one = await start(await reserveFreePort());
    await using two = await start(await reserveFreePort());
    for (const gateway of [one, two]) await connected(gateway);
    const url = `${publicUrl}/mcp`;
    const secrets = new Secrets();
    const jti = secrets.mint('the id of a proof');
    const key = new ProofKey('ES256', clock.now);
    const token = secrets.watch('a token', issuer.token({ claims: { aud: url, cnf: { jkt: key.jkt } } }));
    const headers = headersOf(key.lines({ url, token }, { claims: { jti } }));
    // Nobody listens at the upstream: 502 says that the proof held.
    expect((await ask(one.port, { headers })).status).toBe(502);
    expect((await ask(two.port, { headers })).status).toBe(401);
    expect((await ask(one.port, { headers })).status).toBe(401);
    await two.auditEvent(({ reason }) => reason === 'proof_replayed');
    const other = new ProofKey('ES256', clock.now);
    const others = issuer.token({ claims: { aud: url, cnf: { jkt: other.jkt } } });
    const otherHeaders = headersOf(other.lines({ url, token: others }, { claims: { jti } }));
    expect((await ask(two.port, { headers: otherHeaders })).status).toBe(502);

    const keys = await redis.ask('KEYS', '*');
    const names = [...keys.matchAll(/portcullis:use:[A-Za-z0-9_-]{43}/g)].map(([name]) => name);
    expect(new Set(names).size).toBe(2);
    const remaining = Number(/:(\d+)/.exec(await redis.ask('PTTL', names[0] ?? ''))?.[1]);
    expect(remaining).toBeGreaterThan(30_000);
    expect(remaining).toBeLessThanOrEqual(70_000);
    const metrics = await (await fetch(`${one.opsUrl}/metrics`)).text();
    const places = { keys, written: one.written + two.written, metrics };
    secrets.watch('the password', redis.password);
    expect(secrets.leaksIn(places)).toEqual([]);
  });

  it('let a proof in that was made before one of them started (I2)', async () => {
    await using redis = await startRedis();
    const { world, clock, prove } = await startBoundWorld({
      route,
      top,
      environment: { REDIS_URL: redis.url },
    });
    await using _ = world;
    await connected(world.gateway);
    expect((await prove({ claims: { iat: clock.seconds - 30 } })).status).toBe(200);
  });
});

async function connected(gateway: RunningGateway): Promise<void> {
  await expect.poll(() => metric(gateway, 'portcullis_redis_connected'), { timeout: 5_000 }).toBe(1);
}

it('the guide shows the snippet as it is, and settings for Redis that start a gateway', async () => {
  const guide = readFileSync(new URL('../../docs/guides/dpop.md', import.meta.url), 'utf8');
  const snippet = readFileSync(new URL('../../docs/snippets/dpop.yaml', import.meta.url), 'utf8');
  const [first, second] = [...guide.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  expect(first).toBe(snippet);
  const environment = {
    REDIS_URL: 'redis://:password@localhost:1/0',
    PORTCULLIS_SESSION_KEY: 'Z3VhcmQgaXQgd2VsbCwgZm9yIGl0IGlzIHRoZSBrZXk',
  };
  const rest = snippet
    .replace(/^publicUrl:.*\n/m, '')
    .replaceAll('https://login.example.com', 'http://localhost:1');
  // Redis isn't there: the gateway starts all the same.
  await using gateway = await startGateway(`${second}${rest}`, { environment });
  expect(gateway.written).not.toContain('Z3VhcmQ');
});
