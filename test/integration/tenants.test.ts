/** Routes whose path holds a tenant: what each tenant is told, whose tokens it takes, and what is asked for that. */
import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { mintKey } from '../support/signing-key.ts';
import { startTenantIssuers, type TenantIssuers } from '../support/tenant-issuers.ts';
import type { RawResponse } from '../support/raw-response.ts';
import { ask, exposition, json, only, type Ask } from './world.ts';

interface Scene extends AsyncDisposable {
  readonly issuers: TenantIssuers;
  readonly upstream: RecordingUpstream;
  readonly gateway: RunningGateway;
  ask(target: string, request?: Omit<Ask, 'target'>): Promise<RawResponse>;
  resource(tenant: string): string;
  /** A good token of a tenant for its own resource. */
  token(tenant: string, claims?: Readonly<Record<string, unknown>>): string;
}

interface SceneOptions {
  /** `tenant` in YAML's flow style; `$template` stands for the issuer of all. */
  readonly tenant?: string;
  readonly route?: string;
  readonly server?: string;
  readonly tenants?: readonly string[];
}

async function startScene(options: SceneOptions = {}): Promise<Scene> {
  const { tenant = "{ issuer: '$template' }", route = '', server = '' } = options;
  const issuers = await startTenantIssuers({ tenants: options.tenants ?? ['p1', 'p2', 'console'] });
  const upstream = await startRecordingUpstream();
  const yaml = `
authorizationServers: [{ name: login, issuer: '${issuers.origin}'${server} }]
routes:
  - { name: apps, path: '/{tenant}/mcp', upstream: '${upstream.url}', tenant: ${tenant}${route} }
`;
  const gateway = await startGateway(yaml.replace('$template', issuers.template));
  const resource = (name: string): string => `${gateway.url}/${name}/mcp`;
  return {
    issuers,
    upstream,
    gateway,
    resource,
    ask: (target, request) => ask(gateway.port, { target, ...request }),
    token: (name, claims = {}) => issuers.token(name, { claims: { aud: resource(name), ...claims } }),
    async [Symbol.asyncDispose]() {
      await gateway.close();
      await Promise.all([issuers.close(), upstream.close()]);
    },
  };
}

const metadataPath = '/.well-known/oauth-protected-resource';

describe('W01 the route of a tenant', () => {
  let scene: Scene;
  beforeAll(async () => void (scene = await startScene({ route: ', scopesSupported: [apps:use]' })));
  afterAll(() => scene[Symbol.asyncDispose]());

  it.each(['p1', 'p2', 'nobody-asked-for-me'])(
    'challenges the clients of %s with its own metadata, which names its own resource and issuer (W01)',
    async (tenant) => {
      const refused = await scene.ask(`/${tenant}/mcp`);
      expect(refused.status).toBe(401);
      const address = `${scene.gateway.url}${metadataPath}/${tenant}/mcp`;
      expect(only(refused, 'www-authenticate')).toBe(`Bearer resource_metadata="${address}"`);
      const described = await scene.ask(`${metadataPath}/${tenant}/mcp`, { method: 'GET' });
      expect(described.status).toBe(200);
      expect(only(described, 'access-control-allow-origin')).toBe('*');
      expect(json(described)).toEqual({
        resource: scene.resource(tenant),
        authorization_servers: [scene.issuers.url(tenant)],
        scopes_supported: ['apps:use'],
        bearer_methods_supported: ['header'],
        resource_name: 'apps',
      });
    },
  );

  it('asks no one for that', () => {
    expect(scene.issuers.requests).toEqual([]);
  });

  it.each(['HEAD', 'OPTIONS'])('answers %s for its metadata like any other (A16)', async (method) => {
    const { status } = await scene.ask(`${metadataPath}/p1/mcp`, { method });
    expect(status).toBe(method === 'HEAD' ? 200 : 204);
  });

  it.each([
    '/P1/mcp',
    '/p.1/mcp',
    '/../mcp',
    '/%701/mcp',
    '/p1%2f/mcp',
    '/p1/x/mcp',
    '/p1/mcp//',
    '/p1/MCP',
    '//mcp',
    '/{tenant}/mcp',
    '/%7Btenant%7D/mcp',
    `/${'a'.repeat(41)}/mcp`,
    `/${'a'.repeat(4000)}/mcp`,
  ])('is nothing but the exact path of a tenant: %s is 404 for everyone', async (path) => {
    for (const target of [path, `${metadataPath}${path}`]) {
      const answer = await scene.ask(target, { method: 'GET', token: scene.token('p1') });
      expect(answer.status).toBe(404);
      expect(json(answer)).toMatchObject({ error: { code: 40400 } });
    }
  });

  it('has no bare well-known URL, which could name one tenant alone', async () => {
    expect((await scene.ask(metadataPath, { method: 'GET' })).status).toBe(404);
  });

  it('serves the spelling with one slash more, and refuses other methods after credentials', async () => {
    expect((await scene.ask('/p1/mcp/', { token: scene.token('p1') })).status).toBe(200);
    expect((await scene.ask('/p1/mcp', { method: 'PUT' })).status).toBe(401);
    expect((await scene.ask('/p1/mcp', { method: 'PUT', token: scene.token('p1') })).status).toBe(405);
  });

  it('tells the upstream which tenant it is, and no client can (N1)', async () => {
    const before = scene.upstream.requests.length;
    const forged = ['X-Auth-Tenant', 'x_auth_tenant', 'X-Auth_Tenant'].map((name) => [name, 'p2'] as const);
    const answer = await scene.ask('/p1/mcp?tenant=p2', { token: scene.token('p1'), headers: forged });
    expect(answer.status).toBe(200);
    const request = await scene.upstream.request(before + 1);
    const lines = request.headerLines.filter(([name]) => /^x.auth.tenant$/i.test(name));
    expect(lines).toEqual([['X-Auth-Tenant', 'p1']]);
    expect(request.header('x-auth-issuer')).toEqual([scene.issuers.url('p1')]);
    expect(request.target).toBe(new URL(scene.upstream.url).pathname);
  });

  it('is one series of the metrics, whoever the tenants are', async () => {
    const named = (await exposition(scene.gateway)).filter((line) => /p1|p2|nobody/.test(line));
    expect(named).toEqual([]);
  });
});

describe('W02 the issuer of a tenant', () => {
  let scene: Scene;
  beforeAll(async () => void (scene = await startScene()));
  afterAll(() => scene[Symbol.asyncDispose]());

  it('is good for its own path alone, whatever audience its tokens name (W02)', async () => {
    const own = scene.token('p1');
    expect((await scene.ask('/p1/mcp', { token: own })).status).toBe(200);
    expect((await scene.ask('/p2/mcp', { token: own })).status).toBe(401);
    const both = scene.token('p1', { aud: [scene.resource('p1'), scene.resource('p2')] });
    expect((await scene.ask('/p1/mcp', { token: both })).status).toBe(200);
    expect((await scene.ask('/p2/mcp', { token: both })).status).toBe(401);
    expect((await scene.gateway.auditEvent(({ status }) => status === 401, 2)).reason).toBe(
      'issuer_not_trusted',
    );
  });

  it.each([
    ['an extra segment', (base: string) => `${base}/p1/x`],
    ['dots', (base: string) => `${base}/x/../p1`],
    ['dots for the tenant', (base: string) => `${base}/..`],
    ['a query', (base: string) => `${base}/p1?x=1`],
    ['a fragment', (base: string) => `${base}/p1#x`],
    ['a slash more', (base: string) => `${base}/p1/`],
    ['another base', (base: string) => base.replace('/t', '/other/p1')],
    ['another host', () => 'https://login.evil.example/t/p1'],
    ['a user in front of the host', (base: string) => `${base.replace('http://', 'http://p1@')}/p1`],
    ['encoding', (base: string) => `${base}/%701`],
    ['other letters', (base: string) => `${base}/P1`],
    ['the place of a tenant', (base: string) => `${base}/{tenant}`],
    ['no tenant', (base: string) => `${base}/`],
    ['a star', (base: string) => `${base}/*`],
    ['the server itself', (base: string) => base.replace('/t', '')],
  ])('is not an issuer with %s: 401 and nothing is asked for (W02, W04)', async (_what, issuerOf) => {
    const iss = issuerOf(scene.issuers.template.replace('/{tenant}', ''));
    const asked = scene.issuers.requests.length;
    const answer = await scene.ask('/p1/mcp', { token: scene.token('p1', { iss }) });
    expect(answer.status).toBe(401);
    expect(only(answer, 'www-authenticate')).toContain('error="invalid_token"');
    expect(scene.issuers.requests.length).toBe(asked);
  });

  it('signs with keys of its own: another tenant’s key under its name is 401 (W02)', async () => {
    const forged = scene.issuers.token('p2', {
      claims: { iss: scene.issuers.url('p1'), aud: scene.resource('p1') },
    });
    // Its kid isn't known: at first that may be a rotation.
    expect([401, 503]).toContain((await scene.ask('/p1/mcp', { token: forged })).status);
    const named = scene.issuers.token('p1', {
      key: mintKey('ES256', scene.issuers.key('p1').kid),
      claims: { aud: scene.resource('p1') },
    });
    expect((await scene.ask('/p1/mcp', { token: named })).status).toBe(401);
  });

  it('may publish the keys of all tenants and still speaks for itself alone', async () => {
    const issuers = await startTenantIssuers({ tenants: ['p1', 'p2'], keys: 'shared' });
    const upstream = await startRecordingUpstream();
    const gateway = await startGateway(`
authorizationServers: [{ name: login, issuer: '${issuers.origin}' }]
routes: [{ path: '/{tenant}/mcp', upstream: '${upstream.url}', tenant: { issuer: '${issuers.template}' } }]
`);
    const aud = ['p1', 'p2'].map((tenant) => `${gateway.url}/${tenant}/mcp`);
    const statusOf = async (tenant: string): Promise<number> => {
      const token = issuers.token('p1', { claims: { aud } });
      return (await ask(gateway.port, { target: `/${tenant}/mcp`, token })).status;
    };
    expect([await statusOf('p1'), await statusOf('p2'), await statusOf('p1')]).toEqual([200, 401, 200]);
    await gateway.close();
    await Promise.all([issuers.close(), upstream.close()]);
  });
});

describe('W03 the audience of a tenant', () => {
  let scene: Scene;
  beforeAll(async () => void (scene = await startScene({ server: ', algorithms: [ES256]' })));
  afterAll(() => scene[Symbol.asyncDispose]());

  it('is its own resource, alone or in a list (W03)', async () => {
    for (const aud of [scene.resource('p1'), ['x', scene.resource('p1')]])
      expect((await scene.ask('/p1/mcp', { token: scene.token('p1', { aud }) })).status).toBe(200);
  });

  it('is not left out, another tenant’s or the place of all; exp and algorithm hold as well (W03)', async () => {
    const rsa = mintKey('RS256', scene.issuers.key('p1').kid);
    const tokens = [
      scene.token('p1', { aud: undefined }),
      scene.token('p1', { aud: scene.resource('p2') }),
      scene.token('p1', { aud: scene.resource('{tenant}') }),
      scene.token('p1', { aud: scene.gateway.url }),
      scene.token('p1', { exp: undefined }),
      scene.issuers.token('p1', { key: rsa, claims: { aud: scene.resource('p1') } }),
    ];
    for (const token of tokens) expect((await scene.ask('/p1/mcp', { token })).status).toBe(401);
    const reasons = scene.gateway.audit.map(({ reason }) => reason).filter((reason) => reason !== 'ok');
    expect(reasons).toEqual([
      ...Array.from({ length: 4 }, () => 'token_audience'),
      'token_lifetime',
      'alg_not_allowed',
    ]);
  });
});

describe('W04 what is asked for tenants', () => {
  it('are the metadata and keys of each once, when its first token comes, and nothing at the start (W04)', async () => {
    await using scene = await startScene();
    expect(scene.issuers.requests).toEqual([]);
    for (const tenant of ['p1', 'p1', 'p2', 'p1'])
      expect((await scene.ask(`/${tenant}/mcp`, { token: scene.token(tenant) })).status).toBe(200);
    expect(scene.issuers.requests).toEqual(
      ['p1', 'p2'].flatMap((tenant) => [
        `/.well-known/oauth-authorization-server/t/${tenant}`,
        `/t/${tenant}/jwks`,
      ]),
    );
  });

  it('isn’t asked for again while a tenant that doesn’t exist cools down: 503, never 401 (A13)', async () => {
    await using scene = await startScene();
    const token = scene.issuers.token('p1', {
      claims: { iss: scene.issuers.url('ghost'), aud: scene.resource('ghost') },
    });
    const first = await scene.ask('/ghost/mcp', { token });
    expect([first.status, only(first, 'retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    const asked = scene.issuers.requests.length;
    expect(asked).toBeGreaterThan(0);
    expect((await scene.ask('/ghost/mcp', { token })).status).toBe(503);
    expect(scene.issuers.requests.length).toBe(asked);
    expect((await scene.ask('/p1/mcp', { token: scene.token('p1') })).status).toBe(200);
  });
});

describe('W11 a fixed tenant', () => {
  let scene: Scene;
  beforeAll(
    async () => void (scene = await startScene({ tenant: "{ fixed: console, issuer: '$template' }" })),
  );
  afterAll(() => scene[Symbol.asyncDispose]());

  it('is asked at the start like any other server, and has the bare well-known URL', async () => {
    expect(scene.issuers.requests).toContain('/t/console/jwks');
    const { body } = await scene.ask(metadataPath, { method: 'GET' });
    expect(body.toString()).toBe(
      (await scene.ask(`${metadataPath}/console/mcp`, { method: 'GET' })).body.toString(),
    );
    expect(JSON.parse(body.toString())).toMatchObject({
      resource: scene.resource('console'),
      authorization_servers: [scene.issuers.url('console')],
    });
  });

  it('is let in, and the upstream is told', async () => {
    expect((await scene.ask('/console/mcp', { token: scene.token('console') })).status).toBe(200);
    expect((await scene.upstream.request()).header('x-auth-tenant')).toEqual(['console']);
  });

  it('refuses the tokens of others without asking anyone, and has no path for them (W11)', async () => {
    const asked = scene.issuers.requests.length;
    const answer = await scene.ask('/console/mcp', {
      token: scene.token('p1', { aud: scene.resource('console') }),
    });
    expect(answer.status).toBe(401);
    const event = await scene.gateway.auditEvent(({ status }) => status === 401);
    expect(event.reason).toBe('issuer_not_trusted');
    expect((await scene.ask('/p1/mcp', { token: scene.token('p1') })).status).toBe(404);
    expect((await scene.ask(`${metadataPath}/p1/mcp`, { method: 'GET' })).status).toBe(404);
    expect(scene.issuers.requests.length).toBe(asked);
  });
});

it('the guide’s snippet serves tenants, but for its addresses', async () => {
  const snippet = readFileSync(new URL('../../docs/snippets/tenants.yaml', import.meta.url), 'utf8');
  await using issuers = await startTenantIssuers({ tenants: ['acme', 'globex'] });
  await using upstream = await startRecordingUpstream();
  await using gateway = await startGateway(
    snippet
      .replace(/^publicUrl: .*$/m, '')
      .replaceAll('https://login.example.com', issuers.origin)
      .replace('http://localhost:8000/mcp', upstream.url),
  );
  for (const tenant of ['acme', 'globex']) {
    const token = issuers.token(tenant, { claims: { aud: `${gateway.url}/${tenant}/mcp` } });
    expect((await ask(gateway.port, { target: `/${tenant}/mcp`, token })).status).toBe(200);
  }
});

describe('tenants of one issuer', () => {
  it('are told apart by the resource in the token', async () => {
    await using scene = await startScene({ tenants: ['all'], tenant: '{}' });
    const yaml = `
authorizationServers: [{ name: login, issuer: '${scene.issuers.url('all')}' }]
routes: [{ path: '/{tenant}/mcp', upstream: '${scene.upstream.url}', tenant: {} }]
`;
    await using gateway = await startGateway(yaml);
    const resource = (tenant: string): string => `${gateway.url}/${tenant}/mcp`;
    const statusOf = async (tenant: string, aud: unknown): Promise<number> => {
      const token = scene.issuers.token('all', { claims: { aud } });
      return (await ask(gateway.port, { target: `/${tenant}/mcp`, token })).status;
    };
    expect(await statusOf('p1', resource('p1'))).toBe(200);
    expect(await statusOf('p2', resource('p1'))).toBe(401);
    const both = [resource('p1'), resource('p2')];
    const before = scene.upstream.requests.length;
    expect([await statusOf('p1', both), await statusOf('p2', both)]).toEqual([200, 200]);
    const told = [1, 2].map(async (n) => (await scene.upstream.request(before + n)).header('x-auth-tenant'));
    expect(await Promise.all(told)).toEqual([['p1'], ['p2']]);
  });

  it('are told apart by a claim where one is named, on every request of a remembered token', async () => {
    await using scene = await startScene({ tenants: ['all'], tenant: '{}' });
    await using gateway = await startGateway(`
authorizationServers: [{ name: login, issuer: '${scene.issuers.url('all')}', audiences: [api] }]
routes: [{ path: '/{tenant}/mcp', upstream: '${scene.upstream.url}', tenant: { claim: /org/name } }]
`);
    const statusOf = async (tenant: string, claims: object): Promise<number> => {
      const token = scene.issuers.token('all', { claims: { aud: 'api', ...claims } });
      return (await ask(gateway.port, { target: `/${tenant}/mcp`, token })).status;
    };
    const token = scene.issuers.token('all', { claims: { aud: 'api', org: { name: 'p1' } } });
    for (const [tenant, status] of [
      ['p1', 200],
      ['p2', 401],
      ['p1', 200],
    ] as const)
      expect((await ask(gateway.port, { target: `/${tenant}/mcp`, token })).status).toBe(status);
    for (const org of [undefined, 'p1', { name: ['p1'] }, { name: 'P1' }, [{ name: 'p1' }]])
      expect(await statusOf('p1', { org })).toBe(401);
    const event = await gateway.auditEvent(({ status }) => status === 401, 6);
    expect(event.reason).toBe('token_tenant');
  });
});
