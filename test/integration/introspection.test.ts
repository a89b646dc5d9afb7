/** Tokens that only their authorization server can read, and JWTs that it may revoke (row I1). */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startAuthorizationServer, type AuthorizationServer } from '../support/authorization-server.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { startGateway } from '../support/gateway.ts';
import { IntrospectionEndpoint } from '../support/introspection-endpoint.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually, reserveFreePort } from '../support/loopback.ts';
import { ProofKey } from '../support/proof-key.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { Secrets } from '../support/secrets.ts';
import { ask, metric, only, type Ask } from './world.ts';

const secrets = new Secrets();
const clientSecret = secrets.mint('client secret');
const clientKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const edKey = generateKeyPairSync('ed25519');
const pemOf = (key: typeof clientKey): string =>
  key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const environment = {
  SECRET: clientSecret,
  KEY: pemOf(clientKey),
  ED_JWK: JSON.stringify({ ...edKey.privateKey.export({ format: 'jwk' }), kid: 'ed1' }),
};

describe('I1 with a real authorization server (oidc-provider)', () => {
  const clients = [
    { client_id: 'by-basic', client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_basic' },
    { client_id: 'by-post', client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_post' },
    {
      client_id: 'by-key',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...clientKey.publicKey.export({ format: 'jwk' }), kid: 'ec1', use: 'sig' }] },
    },
    {
      client_id: 'by-jwk',
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'EdDSA',
      jwks: { keys: [{ ...edKey.publicKey.export({ format: 'jwk' }), kid: 'ed1', use: 'sig' }] },
    },
  ];
  let server: AuthorizationServer;
  let upstream: RecordingUpstream;

  beforeAll(async () => {
    server = await startAuthorizationServer({ accessTokenFormat: 'opaque', clients });
    upstream = await startRecordingUpstream();
  });
  afterAll(() => Promise.all([server.close(), upstream.close()]));

  it.each([
    ['client_secret_basic', 'clientId: by-basic, clientSecret: { env: SECRET }'],
    ['client_secret_post', 'clientId: by-post, auth: client_secret_post, clientSecret: { env: SECRET }'],
    ['private_key_jwt', 'clientId: by-key, auth: private_key_jwt, privateKey: { env: KEY }, keyId: ec1'],
    ['private_key_jwt with a JWK', 'clientId: by-jwk, auth: private_key_jwt, privateKey: { env: ED_JWK }'],
  ])('by %s, an opaque token gets in, and after its revocation at most for the TTL', async (_name, keys) => {
    let aheadMs = 0;
    const port = await reserveFreePort();
    await using gateway = await startGateway(
      `authorizationServers: [{ name: corp, issuer: '${server.issuer}', introspection: { ${keys} } }]
routes: [{ path: /mcp, scopes: [mcp:use], upstream: '${upstream.url}' }]`,
      { environment, port, clock: () => Date.now() + aheadMs },
    );
    const resource = `${gateway.url}/mcp`;
    const token = secrets.watch('token', await server.tokenByLogin({ resource, account: 'alice' }));
    expect(token).not.toContain('.');
    expect((await ask(port, { token })).status).toBe(200);
    const seen = upstream.requests.at(-1);
    expect(seen?.header('x-auth-subject')).toEqual(['alice']);
    expect(seen?.header('x-auth-issuer')).toEqual([encodeURI(server.issuer)]);
    expect(seen?.header('x-auth-email')).toEqual(['alice@example.com']);
    expect(seen?.header('x-auth-scopes')).toEqual(['mcp:use']);
    await revoke(server, token);
    aheadMs = 29_000;
    expect((await ask(port, { token })).status).toBe(200);
    aheadMs = 30_500;
    const refused = await ask(port, { token });
    expect(refused.status).toBe(401);
    expect(only(refused, 'www-authenticate')).toContain('error="invalid_token"');
    expect((await gateway.auditEvent(({ status }) => status === 401)).reason).toBe('token_inactive');
    expect(secrets.leaksIn({ written: gateway.written })).toEqual([]);
  });

  it('a token for another resource is refused, and so is one that the server never issued', async () => {
    const port = await reserveFreePort();
    await using gateway = await startGateway(
      `authorizationServers: [{ issuer: '${server.issuer}', introspection: { clientId: by-basic, clientSecret: { env: SECRET } } }]
routes: [{ path: /mcp, upstream: '${upstream.url}' }]`,
      { environment, port },
    );
    const token = await server.tokenByLogin({ resource: 'https://other.example.com/mcp', account: 'alice' });
    expect((await ask(port, { token })).status).toBe(401);
    expect((await ask(port, { token: 'never-issued' })).status).toBe(401);
    expect(gateway.audit.map(({ reason }) => reason)).toEqual(['token_audience', 'token_inactive']);
  });

  it('a secret that the server does not take is our fault: 503, and nobody is logged out', async () => {
    const port = await reserveFreePort();
    await using gateway = await startGateway(
      `authorizationServers: [{ issuer: '${server.issuer}', introspection: { clientId: by-basic, clientSecret: { env: WRONG } } }]
routes: [{ path: /mcp, upstream: '${upstream.url}' }]`,
      { environment: { WRONG: secrets.mint('wrong secret') }, port },
    );
    const answer = await ask(port, { token: 'any' });
    expect(answer.status).toBe(503);
    expect(only(answer, 'retry-after')).toBe('5');
    expect(gateway.audit[0]?.reason).toBe('introspection_refused');
    expect(secrets.leaksIn({ written: gateway.written })).toEqual([]);
  });
});

/** As a client does with its own token (RFC 7009): here as the tests' machine. */
async function revoke({ issuer }: AuthorizationServer, token: string): Promise<void> {
  const authorization = `Basic ${Buffer.from(`by-basic:${clientSecret}`).toString('base64')}`;
  const body = new URLSearchParams({ token });
  const answer = await fetch(`${issuer}/token/revocation`, {
    method: 'POST',
    headers: { authorization },
    body,
  });
  expect(answer.status).toBe(200);
}

interface World {
  readonly gateway: RunningGateway;
  readonly upstream: RecordingUpstream;
  readonly corp: Issuer;
  readonly other: Issuer;
  readonly ofCorp: IntrospectionEndpoint;
  readonly ofOther: IntrospectionEndpoint;
  aheadMs: number;
  ask(request: Ask): Promise<number>;
}

const settings = 'clientId: gateway, clientSecret: { env: SECRET }';

/** Two issuers with scripted endpoints; `corp` and `other` are their entries' keys besides name and issuer. */
async function startWorld(entries: {
  readonly corp?: string;
  readonly other?: string;
  readonly routes?: string;
  /** Over what the metadata of `corp` says. */
  readonly corpNames?: Readonly<Record<string, unknown>>;
}): Promise<World & AsyncDisposable> {
  const port = await reserveFreePort();
  const time = { aheadMs: 0 };
  const clock = (): number => Date.now() + time.aheadMs;
  const now = (): number => Math.floor(clock() / 1000);
  const audience = `http://localhost:${port}/mcp`;
  const corp = await startIssuer({ audience, algorithms: ['ES256'], now });
  const other = await startIssuer({ audience, algorithms: ['ES256'], now });
  const ofCorp = new IntrospectionEndpoint(corp);
  corp.describe({ introspection_endpoint: ofCorp.url, ...entries.corpNames });
  const ofOther = new IntrospectionEndpoint(other);
  const upstream = await startRecordingUpstream();
  const { routes = `routes: [{ path: /mcp, upstream: '$upstream' }]` } = entries;
  const also = (keys: string | undefined): string => (keys === undefined ? '' : `, ${keys}`);
  const gateway = await startGateway(
    `authorizationServers:
  - { name: corp, issuer: '${corp.url}', keys: { timeout: 600ms }${also(entries.corp)} }
  - { name: other, issuer: '${other.url}', keys: { timeout: 600ms }${also(entries.other)} }
${routes.replaceAll('$upstream', upstream.url)}`,
    { environment, port, clock },
  );
  return {
    gateway,
    upstream,
    corp,
    other,
    ofCorp,
    ofOther,
    get aheadMs() {
      return time.aheadMs;
    },
    set aheadMs(ms) {
      time.aheadMs = ms;
    },
    ask: async (request) => (await ask(port, request)).status,
    async [Symbol.asyncDispose]() {
      await gateway.close();
      await Promise.all([corp.close(), other.close(), upstream.close()]);
    },
  };
}

describe('I1 asked once', () => {
  it('50 concurrent requests with one token cause one call', async () => {
    await using world = await startWorld({ corp: `introspection: { ${settings} }` });
    world.ofCorp.behaviour = { delayMs: 150 };
    const token = world.ofCorp.issue(`${world.gateway.url}/mcp`);
    const statuses = await Promise.all(Array.from({ length: 50 }, () => world.ask({ token })));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(world.ofCorp.calls).toHaveLength(1);
    const call = world.ofCorp.calls[0];
    expect(call?.authorization).toBe(`Basic ${Buffer.from(`gateway:${clientSecret}`).toString('base64')}`);
    expect(call?.parameters.get('token_type_hint')).toBe('access_token');
  });

  it('with cache: 0s every request asks, and a revocation holds at once', async () => {
    await using world = await startWorld({ corp: `introspection: { ${settings}, cache: 0s }` });
    const token = world.ofCorp.issue(`${world.gateway.url}/mcp`);
    for (let at = 0; at < 3; at += 1) expect(await world.ask({ token })).toBe(200);
    world.ofCorp.revoke(token);
    expect(await world.ask({ token })).toBe(401);
    expect(world.ofCorp.calls).toHaveLength(4);
  });

  it('what an answer says is judged on every request: time and route', async () => {
    await using world = await startWorld({
      corp: `introspection: { ${settings} }`,
      routes: `routes:
  - { path: /mcp, upstream: '$upstream' }
  - { path: /other, upstream: '$upstream' }
  - { path: /scoped, scopes: [admin], audiences: ['urn:all'], upstream: '$upstream' }`,
    });
    const exp = Math.floor(Date.now() / 1000) + 20;
    const token = world.ofCorp.issue([`${world.gateway.url}/mcp`, 'urn:all'], { exp });
    expect(await world.ask({ token })).toBe(200);
    expect(await world.ask({ token, target: '/other' })).toBe(401);
    expect(await world.ask({ token, target: '/scoped' })).toBe(403);
    expect(world.ofCorp.calls).toHaveLength(1);
    world.aheadMs = 21_000;
    world.ofCorp.revoke(token);
    expect(await world.ask({ token })).toBe(401);
    const { reason } = await world.gateway.auditEvent(
      ({ route, status }) => route === '/mcp' && status === 401,
    );
    expect(reason).toBe('token_expired');
  });
});

describe('I1 outage', () => {
  it('is 503 with Retry-After, and what is remembered serves until its time is over', async () => {
    await using world = await startWorld({ corp: `introspection: { ${settings} }` });
    const token = world.ofCorp.issue(`${world.gateway.url}/mcp`);
    expect(await world.ask({ token })).toBe(200);
    await world.corp.stop();
    expect(await world.ask({ token: 'unknown' })).toBe(503);
    expect(await world.ask({ token })).toBe(200);
    world.aheadMs = 31_000;
    const answer = await ask(world.gateway.port, { token });
    expect(answer.status).toBe(503);
    expect(only(answer, 'retry-after')).toBe('5');
    expect(answer.header('www-authenticate')).toEqual([]);
    await world.corp.restart();
    expect(await world.ask({ token })).toBe(200);
  });

  it('after five failures the server is left alone for ten seconds, then one probe decides', async () => {
    await using world = await startWorld({ corp: `introspection: { ${settings} }` });
    const token = world.ofCorp.issue(`${world.gateway.url}/mcp`);
    const gauge = 'portcullis_introspection_paused{authorization_server="corp"}';
    expect(await metric(world.gateway, gauge)).toBe(0);
    world.ofCorp.behaviour = { status: 503, body: '' };
    for (let at = 0; at < 5; at += 1) expect(await world.ask({ token: `t${at}` })).toBe(503);
    await eventually('the pause', async () => (await metric(world.gateway, gauge)) === 1);
    const calls = world.ofCorp.calls.length;
    for (let at = 0; at < 5; at += 1) {
      const answer = await ask(world.gateway.port, { token });
      expect(answer.status).toBe(503);
      expect(Number(only(answer, 'retry-after'))).toBeGreaterThan(0);
    }
    expect(world.ofCorp.calls).toHaveLength(calls);
    world.ofCorp.behaviour = 'normal';
    world.aheadMs = 10_000;
    expect(await world.ask({ token })).toBe(200);
    expect(world.ofCorp.calls).toHaveLength(calls + 2);
    expect(await metric(world.gateway, gauge)).toBe(0);
    const told = world.gateway.log.filter(({ msg }) => /asked about tokens/.test(String(msg)));
    expect(told.map(({ to }) => to)).toEqual(['paused', 'asked']);
    const counted = (outcome: string): Promise<number | undefined> =>
      metric(
        world.gateway,
        `portcullis_introspections_total{authorization_server="corp",outcome="${outcome}"}`,
      );
    expect([await counted('failed'), await counted('paused'), await counted('active')]).toEqual([5, 5, 1]);
  });

  it('a server that issues opaque tokens alone, and so names no keys, is no server whose keys are missing', async () => {
    await using world = await startWorld({
      corp: `introspection: { ${settings} }`,
      corpNames: { jwks_uri: undefined },
    });
    expect(await world.ask({ token: world.ofCorp.issue(`${world.gateway.url}/mcp`) })).toBe(200);
    const held = metric(world.gateway, 'portcullis_keys_held{authorization_server="corp"}');
    expect(await held).toBeUndefined();
    expect(world.gateway.log.filter(({ msg }) => /corp gave no keys/.test(String(msg)))).toEqual([]);
    const invented = world.corp.token();
    expect(await world.ask({ token: invented })).toBe(503);
    world.aheadMs = 30_000;
    expect(await world.ask({ token: invented })).toBe(401);
  });

  it('an operator who gives the paused server other settings, or takes them away, is told of a pause no more', async () => {
    await using world = await startWorld({ corp: `introspection: { ${settings} }` });
    const gauge = 'portcullis_introspection_paused{authorization_server="corp"}';
    world.ofCorp.behaviour = { status: 503, body: '' };
    for (let at = 0; at < 5; at += 1) expect(await world.ask({ token: `t${at}` })).toBe(503);
    await eventually('the pause', async () => (await metric(world.gateway, gauge)) === 1);
    const reloadWith = (keys: string): Promise<string> =>
      world.gateway.reload(`authorizationServers: [{ name: corp, issuer: '${world.corp.url}'${keys} }]
routes: [{ path: /mcp, upstream: '${world.upstream.url}' }]`);
    expect(await reloadWith(`, introspection: { ${settings}, cache: 10s }`)).toBe('applied');
    expect(await metric(world.gateway, gauge)).toBe(0);
    expect(await reloadWith('')).toBe('applied');
    expect(await metric(world.gateway, gauge)).toBeUndefined();
  });
});

describe('I1 whose token it is', () => {
  it('goes to no server but those of its route that are configured for it', async () => {
    await using world = await startWorld({
      corp: `introspection: { ${settings} }`,
      other: `introspection: { ${settings} }`,
      routes: `routes:
  - { path: /mcp, authorizationServers: [corp], upstream: '$upstream' }
  - { path: /open, access: open, upstream: '$upstream' }`,
    });
    expect(await world.ask({ token: 'opaque' })).toBe(401);
    expect(await world.ask({ token: 'opaque', target: '/open' })).toBe(200);
    expect(world.ofCorp.calls).toHaveLength(1);
    expect(world.ofOther.calls).toHaveLength(0);
  });

  it('is asked of no one where no server of the route is configured for it', async () => {
    await using world = await startWorld({
      other: `introspection: { ${settings} }`,
      routes: `routes: [{ path: /mcp, authorizationServers: [corp], upstream: '$upstream' }]`,
    });
    expect(await world.ask({ token: 'opaque' })).toBe(401);
    expect(world.gateway.audit[0]?.reason).toBe('token_malformed');
    expect(world.ofOther.calls).toHaveLength(0);
  });

  it('is asked in the order of the route, up to the first server that calls it active; the start warns of that', async () => {
    await using world = await startWorld({
      corp: `introspection: { ${settings} }`,
      other: `introspection: { ${settings} }`,
    });
    const warned = world.gateway.log.find(({ setting }) => setting === 'routes[0].authorizationServers');
    expect(warned?.['msg']).toMatch(/shown to corp, other in this order/);
    const [first, second] = [world.ofCorp, world.ofOther].map((at) => at.issue(`${world.gateway.url}/mcp`));
    expect(await world.ask({ token: first ?? '' })).toBe(200);
    expect(world.ofOther.calls).toHaveLength(0);
    expect(await world.ask({ token: second ?? '' })).toBe(200);
    expect(await world.ask({ token: 'of-nobody' })).toBe(401);
    expect([world.ofCorp.calls.length, world.ofOther.calls.length]).toEqual([3, 2]);
    const subjects = world.upstream.requests.map((request) => request.header('x-auth-issuer'));
    expect(subjects).toEqual([[encodeURI(world.corp.url)], [encodeURI(world.other.url)]]);
  });

  it('is known once another server calls it active, and unknown while one cannot be asked', async () => {
    await using world = await startWorld({
      corp: `introspection: { ${settings} }`,
      other: `introspection: { ${settings} }`,
    });
    world.ofCorp.behaviour = 'reset';
    const token = world.ofOther.issue(`${world.gateway.url}/mcp`);
    expect(await world.ask({ token })).toBe(200);
    expect(await world.ask({ token: 'of-nobody' })).toBe(503);
    world.ofCorp.behaviour = 'normal';
    world.ofOther.behaviour = 'reset';
    expect(await world.ask({ token: 'of-nobody-else' })).toBe(503);
  });
});

it('I1 I2 an opaque token that is bound to a key gets in with a proof of that key, and in no other way', async () => {
  await using world = await startWorld({
    corp: `introspection: { ${settings} }`,
    routes: `routes: [{ path: /mcp, dpop: optional, upstream: '$upstream' }]`,
  });
  // With memory as the store a proof must be younger than the process.
  world.aheadMs = 2000;
  const now = (): number => Math.floor((Date.now() + 2000) / 1000);
  const [own, foreign] = [new ProofKey('ES256', now), new ProofKey('ES256', now)];
  const url = `${world.gateway.url}/mcp`;
  const token = world.ofCorp.issue(url, { token_type: 'DPoP', cnf: { jkt: own.jkt } });
  const proved = (key: ProofKey): Ask => ({
    headers: [
      ['Authorization', `DPoP ${token}`],
      ['DPoP', key.proof({ url, token })],
    ],
  });
  expect(await world.ask(proved(own))).toBe(200);
  expect(await world.ask(proved(own))).toBe(200);
  expect(await world.ask(proved(foreign))).toBe(401);
  expect(await world.ask({ token })).toBe(401);
  expect(await world.ask({ token: world.ofCorp.issue(url) })).toBe(200);
  expect(world.ofCorp.callsFor(token)).toBe(1);
});

describe('I1 JWTs', () => {
  it('are asked about nowhere with for: opaque', async () => {
    await using world = await startWorld({ corp: `introspection: { ${settings} }` });
    expect(await world.ask({ token: world.corp.token() })).toBe(200);
    expect(world.ofCorp.calls).toHaveLength(0);
  });

  describe('with for: all', () => {
    let world: Awaited<ReturnType<typeof startWorld>>;
    beforeAll(async () => {
      world = await startWorld({ corp: `introspection: { for: all, ${settings} }` });
    });
    afterAll(() => world[Symbol.asyncDispose]());
    beforeEach(() => {
      world.ofCorp.behaviour = 'normal';
      world.ofCorp.calls.length = 0;
    });

    it('are good while their server says so: one revoked is 401 after at most the TTL', async () => {
      const token = world.corp.token();
      world.ofCorp.activate(token);
      for (let at = 0; at < 3; at += 1) expect(await world.ask({ token })).toBe(200);
      expect(world.ofCorp.calls).toHaveLength(1);
      world.ofCorp.revoke(token);
      expect(await world.ask({ token })).toBe(200);
      world.aheadMs += 30_000;
      expect(await world.ask({ token })).toBe(401);
      expect(await world.ask({ token: world.corp.token() })).toBe(401);
    });

    it('are asked about only once all else holds', async () => {
      const forged = world.corp.token().replace(/\.[^.]*$/, `.${'A'.repeat(86)}`);
      const foreign = world.corp.token({ claims: { aud: 'https://other.example.com' } });
      const expired = world.corp.token({ claims: { exp: 1_000_000_000 } });
      for (const token of [forged, foreign, expired]) expect(await world.ask({ token })).toBe(401);
      expect(world.ofCorp.calls).toHaveLength(0);
    });

    it('are asked about nowhere else: another server without it answers by its keys alone', async () => {
      expect(await world.ask({ token: world.other.token() })).toBe(200);
      expect(world.ofCorp.calls).toHaveLength(0);
    });

    it('need an answer that does not contradict them', async () => {
      for (const [claims, status] of [
        [{ sub: 'alice', token_type: 'Bearer', iss: world.corp.url }, 200],
        [{ sub: 'mallory' }, 401],
        [{ aud: 'https://other.example.com' }, 401],
        [{ iss: world.other.url }, 401],
        [{ exp: 1_000_000_000 }, 401],
        [{ token_type: 'refresh_token' }, 401],
        [{ cnf: { jkt: 'A'.repeat(43) } }, 401],
        [{ cnf: { 'x5t#S256': 'A'.repeat(43) } }, 401],
      ] as const) {
        const token = world.corp.token();
        world.ofCorp.activate(token, claims);
        expect([claims, await world.ask({ token })]).toEqual([claims, status]);
      }
    });

    it('have no scope that their server no longer grants', async () => {
      await using narrow = await startWorld({
        corp: `introspection: { for: all, ${settings} }`,
        routes: "routes: [{ path: /mcp, scopes: [mcp:use], upstream: '$upstream' }]",
      });
      const token = narrow.corp.token({ claims: { scope: 'mcp:use' } });
      narrow.ofCorp.activate(token, { scope: 'mcp:read' });
      expect(await narrow.ask({ token })).toBe(403);
      narrow.ofCorp.activate(token, { scope: 'mcp:read mcp:use' });
      narrow.aheadMs += 30_000;
      expect(await narrow.ask({ token })).toBe(200);
    });

    it('get 503 while their server cannot be asked', async () => {
      world.ofCorp.behaviour = 'reset';
      expect(await world.ask({ token: world.corp.token() })).toBe(503);
    });

    it('stand beside opaque ones', async () => {
      expect(await world.ask({ token: world.ofCorp.issue(`${world.gateway.url}/mcp`) })).toBe(200);
    });
  });
});

it('I1 the snippet of the guide lets an opaque token in, and a revoked one after 30 s no more', async () => {
  await using issuer = await startIssuer({ algorithms: ['ES256'] });
  await using upstream = await startRecordingUpstream();
  const endpoint = new IntrospectionEndpoint(issuer);
  const port = await reserveFreePort();
  const snippet = readFileSync(new URL('../../docs/snippets/opaque-tokens.yaml', import.meta.url), 'utf8');
  const yaml = snippet
    .replace('https://mcp.example.com', `http://localhost:${port}`)
    .replace('https://login.example.com', issuer.url)
    .replace('http://localhost:8000/mcp', upstream.url);
  let aheadMs = 0;
  await using gateway = await startGateway(yaml, {
    environment: { INTROSPECTION_SECRET: clientSecret },
    port,
    clock: () => Date.now() + aheadMs,
  });
  const token = endpoint.issue(`${gateway.url}/mcp`);
  expect((await ask(port, { token })).status).toBe(200);
  endpoint.revoke(token);
  aheadMs = 30_000;
  expect((await ask(port, { token })).status).toBe(401);
});

describe('I1 the endpoint', () => {
  it('is the configured one, whatever the metadata says', async () => {
    await using endpointOwner = await startIssuer({ algorithms: ['ES256'] });
    const endpoint = new IntrospectionEndpoint(endpointOwner, '/elsewhere');
    await using world = await startWorld({
      corp: `introspection: { ${settings}, endpoint: '${endpoint.url}' }`,
    });
    const token = endpoint.issue(`${world.gateway.url}/mcp`, { iss: undefined });
    expect(await world.ask({ token })).toBe(200);
    expect(world.ofCorp.calls).toHaveLength(0);
    // An answer without iss: the server that was asked issued it.
    expect(world.upstream.requests[0]?.header('x-auth-issuer')).toEqual([encodeURI(world.corp.url)]);
  });

  it('that nobody names is a fault of the server: 503', async () => {
    await using world = await startWorld({ corp: `introspection: { ${settings} }` });
    world.corp.describe({});
    world.aheadMs = 301_000;
    expect(await world.ask({ token: 'opaque' })).toBe(503);
    expect(world.gateway.log.find(({ reason }) => reason === 'introspection_failed')?.['detail']).toMatch(
      /has no introspection_endpoint/,
    );
  });
});
