/** Discovery: what a client learns before it has a token (RFC 9728), and what configurations are refused. */
import { describe, expect, it } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { ask, json, only, startWorld } from './world.ts';

const bare = '/.well-known/oauth-protected-resource';

describe('A16 metadata', () => {
  it('is answered at the inserted and the bare well-known URL of a default route, without a token (A16)', async () => {
    await using world = await startWorld({ path: '/a/mcp' });
    for (const target of [`${bare}/a/mcp`, bare]) {
      const response = await world.ask({ method: 'GET', target });
      expect(response.status).toBe(200);
      expect(json(response)).toMatchObject({
        resource: `${world.gateway.url}/a/mcp`,
        authorization_servers: [world.issuer.url],
        bearer_methods_supported: ['header'],
      });
      expect(only(response, 'content-type')).toMatch(/^application\/json/);
      expect(only(response, 'access-control-allow-origin')).toBe('*');
    }
  });

  it('is answered to HEAD with the headers of GET, and to OPTIONS with what a browser wants (A16)', async () => {
    await using world = await startWorld({ path: '/a/mcp' });
    for (const target of [`${bare}/a/mcp`, bare]) {
      const got = await world.ask({ method: 'GET', target });
      const head = await world.ask({ method: 'HEAD', target });
      expect([head.status, only(head, 'content-length')]).toEqual([200, String(got.body.length)]);
      const preflight = await world.ask({
        method: 'OPTIONS',
        target,
        headers: [
          ['Origin', 'https://anywhere.example'],
          ['Access-Control-Request-Method', 'GET'],
          ['Access-Control-Request-Headers', 'mcp-protocol-version'],
        ],
      });
      expect(preflight.status).toBe(204);
      expect(only(preflight, 'access-control-allow-origin')).toBe('*');
      expect(only(preflight, 'access-control-allow-headers')).toBe('mcp-protocol-version');
    }
  });

  it.each([
    `${bare}/other`,
    `${bare}/a/mcp/x`,
    '/.well-known/oauth-authorization-server',
    '/.well-known/oauth-authorization-server/a/mcp',
    '/.well-known/openid-configuration',
    '/a/mcp/.well-known/oauth-protected-resource',
    '/.well-known/',
  ])('is nowhere else: %s is 404 JSON, readable by any page, and no challenge (A16)', async (target) => {
    await using world = await startWorld({ path: '/a/mcp' });
    for (const method of ['GET', 'HEAD']) {
      const response = await world.ask({ method, target });
      expect(response.status).toBe(404);
      expect(only(response, 'content-type')).toMatch(/^application\/json/);
      expect(response.header('www-authenticate')).toEqual([]);
      if (target.startsWith('/.well-known')) {
        expect(only(response, 'access-control-allow-origin')).toBe('*');
      }
    }
  });

  it('is bare for the route marked default, and for none where two are protected and none is marked (A16)', async () => {
    const yaml = (marked: string) => `
authorizationServers: [{ issuer: 'http://localhost:1' }]
routes:
  - { path: /one, upstream: 'http://localhost:1/mcp' }
  - { path: /two${marked}, upstream: 'http://localhost:1/mcp' }
  - { path: /open, access: open, upstream: 'http://localhost:1/mcp' }
`;
    await using unmarked = await startGateway(yaml(''), { when: 'listening' });
    expect((await ask(unmarked.port, { method: 'GET', target: bare })).status).toBe(404);
    await using marked = await startGateway(yaml(', default: true'), { when: 'listening' });
    const response = await ask(marked.port, { method: 'GET', target: bare });
    expect(json(response)).toMatchObject({ resource: `${marked.url}/two` });
    expect((await ask(marked.port, { method: 'GET', target: `${bare}/one` })).status).toBe(200);
    expect((await ask(marked.port, { method: 'GET', target: `${bare}/open` })).status).toBe(404);
  });
});

describe('A17 scopes', () => {
  const cases = [
    { route: undefined, supported: undefined, challenge: undefined },
    { route: 'scopesSupported: [b, a]', supported: ['b', 'a'], challenge: undefined },
    { route: 'challengeScopes: [c, a]', supported: undefined, challenge: 'c a' },
    { route: 'scopesSupported: [b], challengeScopes: [c]', supported: ['b'], challenge: 'c' },
    { route: 'scopesSupported: [], challengeScopes: []', supported: undefined, challenge: undefined },
    {
      route: 'scopesSupported: [b, a, b], challengeScopes: [c, a, c, a]',
      supported: ['b', 'a'],
      challenge: 'c a',
    },
  ];
  it.each(cases)('show where they are set and nowhere else: $route (A17)', async (expected) => {
    await using world = await startWorld(expected.route === undefined ? {} : { route: expected.route });
    const metadata = json(await world.ask({ method: 'GET', target: bare })) as Record<string, unknown>;
    expect(metadata['scopes_supported']).toEqual(expected.supported);
    expect('scopes_supported' in metadata).toBe(expected.supported !== undefined);
    const challenge = only(await world.ask(), 'www-authenticate') ?? '';
    expect(/scope="([^"]*)"/.exec(challenge)?.[1]).toBe(expected.challenge);
    expect(challenge.includes('scope=')).toBe(expected.challenge !== undefined);
  });

  const bad = ['', ' ', 'a b', 'a\tb', 'a\nb', 'é', '読む', 'a"b', 'a\\b', 'a\u0007', 'a\u0000b'];
  it.each(bad)('refuse to start with %j, and name the place and the scope (A17)', async (scope) => {
    for (const key of ['scopesSupported', 'challengeScopes', 'scopes']) {
      const start = startWorld({ route: `${key}: [good, ${JSON.stringify(scope)}]` });
      await expect(start).rejects.toThrow(`routes[0].${key}[1]: found ${JSON.stringify(scope)}`);
    }
  });

  it('may have every character of RFC 6749 (A17)', async () => {
    const every = Array.from({ length: 0x7e - 0x20 }, (_, index) => String.fromCharCode(0x21 + index))
      .join('')
      .replace(/["\\]/g, '');
    const scopes = [every, 'https://example.com/scope#x?y=z', '!', '~'];
    await using world = await startWorld({
      route: `scopesSupported: ${JSON.stringify(scopes)}, challengeScopes: ${JSON.stringify(scopes)}`,
    });
    expect(json(await world.ask({ method: 'GET', target: bare }))).toMatchObject({
      scopes_supported: scopes,
    });
    expect(only(await world.ask(), 'www-authenticate')).toContain(`scope="${scopes.join(' ')}"`);
  });
});

describe('A18 resource URLs', () => {
  it.each([
    'https://mcp.example.com /mcp',
    'mcp.example.com/mcp',
    'ftp://mcp.example.com/mcp',
    'http://mcp.example.com/mcp',
    'http://0.0.0.0/mcp',
    'http://192.168.1.1/mcp',
    'http://10.0.0.1:8080/mcp',
    'http://mcp.local/mcp',
    'https://mcp.example.com/"mcp',
    'https://mcp example.com/mcp',
    'https://mcp.example.com/m cp',
    'https://mcp.example.com/%zz',
    'https://mcp.example.com/%2',
    'https://mcp.example.com/mcp#fragment',
    'https://mcp.example.com#',
    'https://mcp.example.com/a/b#c',
  ])('like %s are refused at the start, and named (A18)', async (resource) => {
    const start = startWorld({ route: `resource: ${JSON.stringify(resource)}` });
    await expect(start).rejects.toThrow(`routes[0].resource: found ${JSON.stringify(resource)}`);
  });

  const accepted = [
    ['https://mcp.example.com/mcp', 'https://mcp.example.com/mcp', '/mcp'],
    ['https://mcp.example.com/', 'https://mcp.example.com', ''],
    ['https://mcp.example.com', 'https://mcp.example.com', ''],
    ['http://127.0.0.1/mcp', 'http://127.0.0.1/mcp', '/mcp'],
    ['http://localhost/mcp', 'http://localhost/mcp', '/mcp'],
    ['http://LocalHost/mcp', 'http://localhost/mcp', '/mcp'],
    ['http://[::1]/mcp', 'http://[::1]/mcp', '/mcp'],
    ['https://mcp.example.com/a%20b', 'https://mcp.example.com/a%20b', '/a%20b'],
    ['https://mcp.example.com/mcp?tenant=x', 'https://mcp.example.com/mcp?tenant=x', '/mcp?tenant=x'],
    ['https://mcp.example.com:8443/mcp', 'https://mcp.example.com:8443/mcp', '/mcp'],
  ] as const;
  it.each(accepted)(
    'like %s are kept as %s, and their metadata is served (A18)',
    async (given, kept, path) => {
      await using world = await startWorld({
        path: '/elsewhere',
        route: `resource: ${JSON.stringify(given)}`,
      });
      const { origin } = new URL(kept);
      const challenge = only(await world.ask(), 'www-authenticate');
      expect(challenge).toContain(`resource_metadata="${origin}${bare}${path}"`);
      const response = await world.ask({ method: 'GET', target: `${bare}${path}` });
      expect(response.status).toBe(200);
      expect(json(response)).toMatchObject({ resource: kept });
    },
  );

  it('of a path / have no slash at the end where they come from publicUrl (A18)', async () => {
    await using world = await startWorld({ path: '/' });
    expect(json(await world.ask({ method: 'GET', target: bare }))).toMatchObject({
      resource: world.gateway.url,
    });
    const token = world.issuer.token({ claims: { aud: world.gateway.url } });
    expect((await world.ask({ token })).status).toBe(200);
  });
});

describe('A05 discovery: off', () => {
  it('publishes no metadata and challenges with the realm alone (A05)', async () => {
    await using world = await startWorld({
      route: 'discovery: off, challengeScopes: [a], scopesSupported: [a]',
    });
    for (const target of [bare, `${bare}/mcp`])
      expect((await world.ask({ method: 'GET', target })).status).toBe(404);
    const missing = await world.ask();
    expect([missing.status, missing.header('www-authenticate')]).toEqual([401, ['Bearer realm="tools"']]);
    const invalid = await world.ask({ token: 'not.a.token' });
    expect([invalid.status, invalid.header('www-authenticate')]).toEqual([
      401,
      ['Bearer realm="tools", error="invalid_token", error_description="The access token is invalid"'],
    ]);
    expect((await world.ask({ token: world.issuer.token() })).status).toBe(200);
  });
});
