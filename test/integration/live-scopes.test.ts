/** Scopes that a route takes live from its authorization servers: in the metadata and in the challenge. */
import { describe, expect, it } from 'vitest';
import { startAuthorizationServer } from '../support/authorization-server.ts';
import { startGateway } from '../support/gateway.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import type { RawResponse } from '../support/raw-response.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { ask, json, only } from './world.ts';

const metadataUrl = '/.well-known/oauth-protected-resource/mcp';
const live = 'scopesSupported: from-authorization-server';
const liveChallenge = 'challengeScopes: from-authorization-server';

/** Longer than the metadata of an authorization server lives. */
const pastLifetimeMs = 301_000;

interface Scene extends AsyncDisposable {
  /** `scopes_supported` of the metadata; undefined where it has none. */
  supported(): Promise<unknown>;
  ask: (request?: Parameters<typeof ask>[1]) => Promise<RawResponse>;
  /** `scope` of the challenge; undefined where it has none. */
  challenged(): Promise<string | undefined>;
  /** Moves the gateway's clock. */
  pass(ms: number): void;
  /** How often any of the metadata addresses was asked. */
  asked(): number;
}

async function startScene(route: string, issuers: readonly Issuer[]): Promise<Scene> {
  const upstream = await startRecordingUpstream();
  let now = Date.now();
  const servers = issuers.map(
    ({ url, jwksUri }, index) =>
      `  - { name: as${index}, issuer: '${url}', jwksUri: '${jwksUri}', keys: { timeout: 300ms } }`,
  );
  const gateway = await startGateway(
    `authorizationServers:\n${servers.join('\n')}\nroutes:\n  - { name: tools, path: /mcp, upstream: '${upstream.url}', ${route} }\n`,
    { clock: () => now },
  );
  const askRoute: Scene['ask'] = (request) => ask(gateway.port, { target: '/mcp', ...request });
  return {
    ask: askRoute,
    async supported() {
      const response = await askRoute({ method: 'GET', target: metadataUrl });
      expect(response.status).toBe(200);
      const document = json(response) as Record<string, unknown>;
      expect(document['resource']).toBe(`${gateway.url}/mcp`);
      return document['scopes_supported'];
    },
    async challenged() {
      const response = await askRoute();
      expect(response.status).toBe(401);
      expect(response.header('www-authenticate')).toHaveLength(1);
      const challenge = only(response, 'www-authenticate') ?? '';
      expect(challenge).toContain(`resource_metadata="${gateway.url}${metadataUrl}"`);
      return /scope="([^"]*)"/.exec(challenge)?.[1];
    },
    pass: (ms) => (now += ms),
    asked: () =>
      issuers
        .flatMap((issuer) => metadataPaths(issuer).map((path) => issuer.hits(path)))
        .reduce((a, b) => a + b, 0),
    async [Symbol.asyncDispose]() {
      await Promise.all([gateway.close(), upstream.close(), ...issuers.map((issuer) => issuer.close())]);
    },
  };
}

const anIssuer = (): Promise<Issuer> => startIssuer({ algorithms: ['ES256'] });

function metadataPaths({ paths }: Issuer): readonly string[] {
  return [...new Set([paths.oauth, paths.openid, paths.openidAppended])];
}

function behave(issuer: Issuer, behaviour: Parameters<Issuer['behave']>[1]): void {
  for (const path of metadataPaths(issuer)) issuer.behave(path, behaviour);
}

describe('W05 scopesSupported: from-authorization-server', () => {
  it('shows what the authorization server lists, and a change once the five minutes have passed (W05)', async () => {
    const issuer = await anIssuer();
    issuer.describe({ scopes_supported: ['read', 'write'] });
    await using scene = await startScene(live, [issuer]);
    expect(await scene.supported()).toEqual(['read', 'write']);
    issuer.describe({ scopes_supported: ['read', 'admin'] });
    scene.pass(299_000);
    expect(await scene.supported()).toEqual(['read', 'write']);
    expect(scene.asked()).toBe(1);
    scene.pass(2_000);
    expect(await scene.supported()).toEqual(['read', 'admin']);
    expect(scene.asked()).toBe(2);
  });

  it('is the list of a real authorization server, without offline_access (W05)', async () => {
    await using server = await startAuthorizationServer();
    await using gateway = await startGateway(`
authorizationServers: [{ issuer: '${server.issuer}' }]
routes: [{ path: /mcp, upstream: 'http://localhost:1/mcp', ${live} }]
`);
    const told = await fetch(`${server.issuer}/.well-known/openid-configuration`);
    expect(await told.json()).toMatchObject({ scopes_supported: ['openid', 'offline_access'] });
    const document = json(await ask(gateway.port, { method: 'GET', target: metadataUrl }));
    expect(document).toMatchObject({ scopes_supported: ['openid'] });
  });

  it('asks once for any number of clients who come at the same time (W05)', async () => {
    const issuer = await anIssuer();
    issuer.describe({ scopes_supported: ['read'] });
    behave(issuer, { delayMs: 100 });
    await using scene = await startScene(live, [issuer]);
    const lists = await Promise.all(Array.from({ length: 50 }, () => scene.supported()));
    expect(new Set(lists.map((list) => JSON.stringify(list)))).toEqual(new Set(['["read"]']));
    expect(scene.asked()).toBe(1);
  });

  it('serves the old list while the authorization server is down, silent or talks nonsense (W05)', async () => {
    const issuer = await anIssuer();
    issuer.describe({ scopes_supported: ['read', 'write'] });
    await using scene = await startScene(live, [issuer]);
    expect(await scene.supported()).toEqual(['read', 'write']);
    for (const behaviour of ['reset', 'hang', { status: 500 }, { body: 'nonsense' }] as const) {
      behave(issuer, behaviour);
      scene.pass(pastLifetimeMs);
      expect([behaviour, await scene.supported()]).toEqual([behaviour, ['read', 'write']]);
    }
    behave(issuer, 'normal');
    issuer.describe({ scopes_supported: ['read'] });
    scene.pass(10_000);
    expect(await scene.supported()).toEqual(['read']);
  });

  it.each(['reset', 'hang', { status: 404 }] as const)(
    'in a first-time outage (%j) the metadata is 200 without the field, no one may keep it, and the next request tries again (W05)',
    async (behaviour) => {
      const issuer = await anIssuer();
      issuer.describe({ scopes_supported: ['read'] });
      behave(issuer, behaviour);
      await using scene = await startScene(live, [issuer]);
      expect(await scene.supported()).toBeUndefined();
      const response = await scene.ask({ method: 'GET', target: metadataUrl });
      expect(only(response, 'cache-control')).toBe('no-cache');
      expect(json(response)).not.toHaveProperty('scopes_supported');
      behave(issuer, 'normal');
      expect(await scene.supported()).toEqual(['read']);
    },
  );

  it('merges the lists of all servers of the route in their order, each scope once; a dead one is left out (W05)', async () => {
    const issuers = await Promise.all([anIssuer(), anIssuer(), anIssuer()]);
    const lists = [['b', 'a'], ['dead'], ['c', 'b', 'd']];
    for (const [index, issuer] of issuers.entries()) issuer.describe({ scopes_supported: lists[index] });
    behave(issuers[1] as Issuer, 'reset');
    await using scene = await startScene(`${live}, authorizationServers: [as2, as1, as0]`, issuers);
    expect(await scene.supported()).toEqual(['c', 'b', 'd', 'a']);
  });

  it('takes clean scopes only, 200 at the most (W05, W07)', async () => {
    const issuer = await anIssuer();
    const many = Array.from({ length: 1_000 }, (_, index) => `scope-${index}`);
    issuer.describe({
      scopes_supported: [
        'a"b',
        'a\\b',
        'a\r\nX: y',
        'a\tb',
        '',
        ' ',
        'a b',
        'é',
        7,
        null,
        ['x'],
        'x'.repeat(201),
      ].concat(['offline_access', 'ok', 'ok', ...many]),
    });
    await using scene = await startScene(live, [issuer]);
    expect(await scene.supported()).toEqual(['ok', ...many.slice(0, 199)]);
  });

  it.each([undefined, null, 'read write', 7, { read: true }, [], ['é']].map((listed) => ({ listed })))(
    'leaves the field out where the server lists $listed (W05)',
    async ({ listed }) => {
      const issuer = await anIssuer();
      issuer.describe({ scopes_supported: listed });
      await using scene = await startScene(live, [issuer]);
      expect(await scene.supported()).toBeUndefined();
    },
  );

  it('shows the list in the metadata alone, not in the challenge (A17)', async () => {
    const issuer = await anIssuer();
    issuer.describe({ scopes_supported: ['read'] });
    await using scene = await startScene(live, [issuer]);
    expect([await scene.supported(), await scene.challenged()]).toEqual([['read'], undefined]);
  });

  it('lets no flood of requests for metadata become one of the authorization server (W05)', async () => {
    const issuer = await anIssuer();
    behave(issuer, { status: 500 });
    await using scene = await startScene(`${live}, ${liveChallenge}`, [issuer]);
    const before = scene.asked();
    for (let round = 0; round < 10; round += 1)
      await Promise.all(Array.from({ length: 20 }, () => scene.supported()));
    const addresses = 2;
    expect(scene.asked() - before).toBeLessThanOrEqual(10 * addresses);
  });
});

describe('W07 a challenge with scopes of an authorization server', () => {
  it('shows the clean ones only, in one intact header (W07, A19)', async () => {
    const issuer = await anIssuer();
    issuer.describe({
      scopes_supported: [
        'mcp:read',
        'a"b',
        'a\\b',
        'a\r\nX-Evil: 1',
        'a\tb',
        '',
        ' ',
        'é',
        7,
        'offline_access',
        'mcp:write',
        'mcp:read',
      ],
    });
    await using scene = await startScene(liveChallenge, [issuer]);
    expect(await scene.challenged()).toBe('mcp:read mcp:write');
    const response = await scene.ask({ token: 'not.a.token' });
    expect(response.status).toBe(401);
    expect(only(response, 'www-authenticate')).toContain(
      'error_description="The access token is invalid", scope="mcp:read mcp:write", resource_metadata=',
    );
    expect(response.header('x-evil')).toEqual([]);
    // Configured independently: the metadata has no list.
    expect(await scene.supported()).toBeUndefined();
  });

  it.each(
    [undefined, [], ['é', '"', '\r\n', '\t', '', 7], 'read', ['offline_access']].map((listed) => ({
      listed,
    })),
  )('leaves scope out where the server lists no clean one: $listed (W07, A19)', async ({ listed }) => {
    const issuer = await anIssuer();
    issuer.describe({ scopes_supported: listed });
    await using scene = await startScene(liveChallenge, [issuer]);
    expect(await scene.challenged()).toBeUndefined();
  });

  it.each(['reset', 'hang', { status: 500 }, { body: '{' }] as const)(
    'of a dead server is 401 without scope, at once, and has it when the server lives (W07): %j',
    async (behaviour) => {
      const issuer = await anIssuer();
      issuer.describe({ scopes_supported: ['read'] });
      behave(issuer, behaviour);
      await using scene = await startScene(`${live}, ${liveChallenge}`, [issuer]);
      for (let request = 0; request < 20; request += 1) expect(await scene.challenged()).toBeUndefined();
      behave(issuer, 'normal');
      scene.pass(10_000);
      await expect.poll(() => scene.challenged()).toBe('read');
      expect(await scene.supported()).toEqual(['read']);
      behave(issuer, behaviour);
      scene.pass(pastLifetimeMs);
      for (let request = 0; request < 5; request += 1) expect(await scene.challenged()).toBe('read');
    },
  );

  it('is known to every tenant of a route from the first request on, where they share the server (W01, W07)', async () => {
    await using issuer = await anIssuer();
    issuer.describe({ scopes_supported: ['read'] });
    await using gateway = await startGateway(`
authorizationServers: [{ issuer: '${issuer.url}', jwksUri: '${issuer.jwksUri}' }]
routes: [{ path: '/{tenant}/mcp', tenant: {}, upstream: 'http://localhost:1/mcp', ${live}, ${liveChallenge} }]
`);
    for (const tenant of ['p1', 'p2']) {
      const refused = await ask(gateway.port, { target: `/${tenant}/mcp` });
      expect([refused.status, only(refused, 'www-authenticate')]).toEqual([
        401,
        `Bearer scope="read", resource_metadata="${gateway.url}/.well-known/oauth-protected-resource/${tenant}/mcp"`,
      ]);
      const target = `/.well-known/oauth-protected-resource/${tenant}/mcp`;
      expect(json(await ask(gateway.port, { method: 'GET', target }))).toMatchObject({
        resource: `${gateway.url}/${tenant}/mcp`,
        scopes_supported: ['read'],
      });
    }
  });

  it('does not wait: it is there while the server is still being asked, and the answer shows afterwards (W07)', async () => {
    const issuer = await anIssuer();
    issuer.describe({ scopes_supported: ['read'] });
    await using scene = await startScene(liveChallenge, [issuer]);
    const waiting: (() => void)[] = [];
    behave(issuer, (_request, response) => {
      waiting.push(() => response.end(JSON.stringify({ issuer: issuer.url, scopes_supported: ['new'] })));
    });
    scene.pass(pastLifetimeMs);
    expect(await scene.challenged()).toBe('read');
    await expect.poll(() => waiting).toHaveLength(1);
    expect(await scene.challenged()).toBe('read');
    for (const answer of waiting) answer();
    await expect.poll(() => scene.challenged()).toBe('new');
  });

  it('follows a change after the five minutes, and fits into what clients read of a header (W07)', async () => {
    const issuer = await anIssuer();
    issuer.describe({ scopes_supported: ['read'] });
    await using scene = await startScene(liveChallenge, [issuer]);
    expect(await scene.challenged()).toBe('read');
    const long = Array.from({ length: 200 }, (_, index) => `${'x'.repeat(190)}${index}`);
    issuer.describe({ scopes_supported: ['first', ...long] });
    scene.pass(pastLifetimeMs);
    await expect.poll(() => scene.challenged()).toMatch(/^first x+0 x+1 /);
    const shown = (await scene.challenged()) ?? '';
    expect(shown.length).toBeLessThanOrEqual(4_096);
    expect(['first', ...long]).toEqual(expect.arrayContaining(shown.split(' ')));
  });
});

describe('W05 routes of fixed tenants', () => {
  it('each show what their own issuer lists, though one server lends its settings to both (W05, W11)', async () => {
    await using issuer = await anIssuer();
    const tenants = ['billing', 'console'];
    for (const tenant of tenants)
      issuer.behave(`/.well-known/oauth-authorization-server/t/${tenant}`, {
        body: {
          issuer: `${issuer.origin}/t/${tenant}`,
          jwks_uri: issuer.jwksUri,
          scopes_supported: [`${tenant}:use`],
        },
      });
    const tenant = `tenant: { issuer: '${issuer.origin}/t/{tenant}', fixed:`;
    const routes = tenants.map(
      (name) =>
        `  - { name: ${name}, path: '/{tenant}/mcp', ${tenant} ${name} }, upstream: 'http://localhost:9/mcp', ${live}, ${liveChallenge} }`,
    );
    await using gateway = await startGateway(
      `authorizationServers: [{ name: corp, issuer: '${issuer.url}' }]\nroutes:\n${routes.join('\n')}\n`,
    );
    for (const name of tenants) {
      const target = `/.well-known/oauth-protected-resource/${name}/mcp`;
      expect(json(await ask(gateway.port, { method: 'GET', target }))).toMatchObject({
        scopes_supported: [`${name}:use`],
      });
      const challenge = await ask(gateway.port, { target: `/${name}/mcp` });
      expect(only(challenge, 'www-authenticate')).toContain(`scope="${name}:use"`);
    }
  });
});
