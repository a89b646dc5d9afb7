/**
 * What known clients ask on their way to a connection, request by request as they were seen to do it, and the one
 * answer that each of them can go on from.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EventStream } from '../support/event-stream.ts';
import { startIssuer } from '../support/issuer.ts';
import { connectRaw } from '../support/raw-client.ts';
import type { RawResponse } from '../support/raw-response.ts';
import {
  beginSession,
  json,
  only,
  requestText,
  startWorld,
  toolCall,
  type Ask,
  type World,
} from './world.ts';

type Headers = readonly (readonly [string, string])[];

const prm = '/.well-known/oauth-protected-resource';
const authorizationServerPaths = [
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
];
const accept: Headers = [['Accept', 'application/json, text/event-stream']];
const acceptAnything: Headers = [['Accept', '*/*']];
const acceptStream: Headers = [['Accept', 'text/event-stream']];
const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'probe', version: '1' } },
});

let world: World;

beforeAll(async () => {
  world = await startWorld({ route: 'scopes: [mcp:use]' });
});

beforeEach(() => world.upstream.answer({ body: { jsonrpc: '2.0', id: 0, result: {} } }));

afterAll(() => world?.[Symbol.asyncDispose]());

/** The challenge of this world's route to whoever has shown no token. */
const challenge = (): string => `Bearer scope="mcp:use", resource_metadata="${world.gateway.url}${prm}/mcp"`;

/** Asks one after the other. Whatever is answered, no client is led astray: no redirect, no page for people. */
async function replay(asked: readonly Ask[], at: World = world): Promise<readonly RawResponse[]> {
  const answers: RawResponse[] = [];
  for (const each of asked) {
    const answer = await at.ask(each);
    expect(answer.header('location')).toEqual([]);
    expect(answer.header('content-type').join()).not.toContain('html');
    answers.push(answer);
  }
  return answers;
}

const statuses = (answers: readonly RawResponse[]): readonly number[] => answers.map(({ status }) => status);

/** One challenge, and one that names the metadata. */
function expectChallenged(answers: readonly RawResponse[]): void {
  for (const answer of answers) {
    expect([answer.status, answer.header('www-authenticate')]).toEqual([401, [challenge()]]);
    expect(json(answer)).toMatchObject({ error: { code: 40100 } });
  }
}

/** Clients read any other answer as a document, or as a login that they lack. */
function expectNowhere(answers: readonly RawResponse[]): void {
  for (const answer of answers) {
    expect([answer.status, answer.header('www-authenticate')]).toEqual([404, []]);
    expect(only(answer, 'content-type')).toMatch(/^application\/json/);
    expect(json(answer)).toMatchObject({ error: { code: 40400 } });
  }
}

const get = (target: string, headers: Headers = []): Ask => ({ method: 'GET', target, headers });
const withToken = (headers: Headers = accept): Ask => ({ token: world.issuer.token(), headers });

describe('Claude', () => {
  it('probes initialize twice, once with Accept: */*, then GET, and is challenged alike each time, never 405 (A02)', async () => {
    const before = world.upstream.requests.length;
    // A server without streams of its own would answer the GET with 405.
    world.upstream.answer({ status: 405, body: {} });
    expectChallenged(
      await replay([
        { body: initialize, headers: accept },
        { body: initialize, headers: acceptAnything },
        get('/mcp', acceptStream),
        get('/mcp', acceptAnything),
      ]),
    );
    expect(world.upstream.requests).toHaveLength(before);
  });

  it('finds the metadata at the path and at the root, for the URL that it was given (A16)', async () => {
    const answers = await replay([get(`${prm}/mcp`), get(prm)]);
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(json(answer)).toMatchObject({
        resource: `${world.gateway.url}/mcp`,
        authorization_servers: [world.issuer.url],
      });
    }
  });

  it('is answered in place at /mcp and /mcp/, with a token and without (A14)', async () => {
    const before = world.upstream.requests.length;
    expectChallenged(
      await replay(
        ['/mcp', '/mcp/'].flatMap((target) => [
          { target, body: initialize, headers: accept },
          get(target, acceptStream),
          { method: 'DELETE', target },
        ]),
      ),
    );
    const answers = await replay(
      ['/mcp', '/mcp/'].map((target) => ({ ...withToken(), target, body: initialize })),
    );
    expect(statuses(answers)).toEqual([200, 200]);
    expect(world.upstream.requests.slice(before).map(({ target }) => target)).toEqual(['/mcp', '/mcp']);
  });

  it('may accept anything with its token too, and the server hears both of its types (A26)', async () => {
    const [answer] = await replay([{ ...withToken(acceptAnything), body: initialize }]);
    expect(answer?.status).toBe(200);
    expect(world.upstream.requests.at(-1)?.header('accept')).toEqual(['application/json, text/event-stream']);
  });

  it('learns with 404, never 400, that a session is lost, and begins another (A25)', async () => {
    const session = await beginSession(world, { body: initialize });
    const named = (id: string): Ask => ({
      ...withToken([...accept, ['Mcp-Session-Id', id]]),
      body: toolCall(),
    });
    // The server was restarted; then the gateway, with another key.
    world.upstream.answerOnce({
      status: 404,
      body: { jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'Session not found' } },
    });
    expect(statuses(await replay([named(session), named(`${session.slice(0, -2)}AA`)]))).toEqual([404, 404]);
    const next = await beginSession(world, { id: 'another', body: initialize });
    expect(statuses(await replay([named(next)]))).toEqual([200]);
  });
});

describe('Claude Code', () => {
  it('has the first byte of a silent stream at once, and comments within it (U2)', async () => {
    await using apart = await startWorld({ route: 'streams: { keepAlive: 1s }' });
    const stream = new EventStream();
    apart.upstream.answer(stream);
    await using client = await connectRaw({ port: apart.gateway.port });
    const asked: Ask = { ...get('/mcp', acceptStream), token: apart.issuer.token() };
    client.send(requestText(apart.gateway.port, asked));
    expect((await client.head()).status).toBe(200);
    await client.received('\r\n:');
    await stream.end();
  });
});

describe('ChatGPT', () => {
  it('finds the metadata of the default route at the root, with the whole URL as the resource (A16)', async () => {
    await using apart = await startWorld({
      yaml: ({ issuer, upstream }) => `
authorizationServers: [{ name: corp, issuer: '${issuer.url}' }]
routes:
  - { path: /one/mcp, upstream: '${upstream.url}' }
  - { path: /two/mcp, default: true, upstream: '${upstream.url}' }
`,
    });
    const [answer] = await replay([get(prm)], apart);
    expect(answer?.status).toBe(200);
    expect(json(answer as RawResponse)).toMatchObject({ resource: `${apart.gateway.url}/two/mcp` });
  });

  it("looks for the authorization server's metadata at the gateway, finds none and isn't stopped (W12)", async () => {
    expectNowhere(
      await replay(
        [
          ...authorizationServerPaths.flatMap((path) => [path, `${path}/mcp`, `/mcp${path}`]),
          '/token/.well-known/openid-configuration',
          '/',
        ].map((target) => get(target)),
      ),
    );
  });

  it('finds it there where the operator mirrors it, with the true issuer (W12)', async () => {
    await using apart = await startWorld({ top: 'discovery: { mirror: corp }' });
    const path = '/.well-known/oauth-authorization-server';
    for (const answer of await replay([get(path), get(`${path}/mcp`)], apart)) {
      expect(answer.status).toBe(200);
      expect(json(answer)).toMatchObject({ issuer: apart.issuer.url });
    }
  });
});

describe('VS Code', () => {
  const methods: readonly Ask[] = [
    { body: initialize, headers: accept },
    { method: 'GET', headers: acceptStream },
    { method: 'DELETE' },
  ];

  it('is told of its own credentials alone by 401, on every method in the same words (A02, A03)', async () => {
    expectChallenged(await replay(methods));
    const invalid = await replay(methods.map((asked) => ({ ...asked, token: 'bad' })));
    expect(statuses(invalid)).toEqual([401, 401, 401]);
    expect(new Set(invalid.map((answer) => only(answer, 'www-authenticate'))).size).toBe(1);
    expect(only(invalid[0] as RawResponse, 'www-authenticate')).toContain('error="invalid_token"');
  });

  it("keeps its tokens when the server hasn't the method, or wants a login of its own (W09)", async () => {
    for (const [said, told] of [
      [405, 405],
      [404, 404],
      [401, 502],
    ] as const) {
      world.upstream.answer({ status: said, headers: { 'www-authenticate': 'Bearer' }, body: {} });
      const answers = await replay(methods.map((asked) => ({ ...asked, token: world.issuer.token() })));
      expect([said, ...statuses(answers)]).toEqual([said, told, told, told]);
      for (const answer of answers) expect(answer.header('www-authenticate')).toEqual([]);
    }
  });

  it("keeps its tokens when a session, a scope or the authorization server is what's missing", async () => {
    const token = world.issuer.token();
    const forged = methods
      .slice(1)
      .map((asked) => ({ ...asked, token, headers: [['Mcp-Session-Id', 'forged']] as const }));
    expect(statuses(await replay(forged))).toEqual([404, 404]);
    const weak = world.issuer.token({ claims: { scope: 'other' } });
    expect(statuses(await replay(methods.map((asked) => ({ ...asked, token: weak }))))).toEqual([
      403, 403, 403,
    ]);
    await using away = await startIssuer({ audience: 'elsewhere', algorithms: ['ES256'] });
    away.behave(away.paths.jwks, { status: 503 });
    await using apart = await startWorld({
      yaml: ({ upstream }) => `
authorizationServers: [{ name: away, issuer: '${away.url}', audiences: [elsewhere] }]
routes: [{ name: tools, path: /mcp, upstream: '${upstream.url}' }]
`,
    });
    const good = away.token();
    expect(
      statuses(
        await replay(
          methods.map((asked) => ({ ...asked, token: good })),
          apart,
        ),
      ),
    ).toEqual([503, 503, 503]);
  });

  it('asks for the metadata with its revision in a header and reads it (A16)', async () => {
    const headers: Headers = [
      ['Accept', 'application/json'],
      ['MCP-Protocol-Version', '2025-11-25'],
    ];
    const answers = await replay([get(`${prm}/mcp`, headers), get(prm, headers)]);
    expect(statuses(answers)).toEqual([200, 200]);
  });
});

describe('Cursor', () => {
  it('falls back from a refused POST to the stream of 2024-11-05 at the same URL, and is challenged there alike (A02)', async () => {
    expectChallenged(
      await replay([
        { body: initialize, headers: accept },
        get('/mcp', acceptStream),
        get('/mcp/', acceptStream),
      ]),
    );
  });
});

describe('mcp-remote', () => {
  it('asks with GET, GET and POST before its login, in parallel or in turn, and hears one challenge (A02, A16)', async () => {
    expectChallenged(await replay([get('/mcp', acceptStream)]));
    expect(statuses(await replay([get(`${prm}/mcp`)]))).toEqual([200]);
    expectChallenged(
      await Promise.all([
        world.ask(get('/mcp', acceptStream)),
        world.ask({ body: initialize, headers: accept }),
      ]),
    );
  });
});

describe('clients on an SDK', () => {
  it('take the first scheme of a challenge, and that is Bearer where DPoP is taken besides (A02)', async () => {
    await using apart = await startWorld({ route: 'scopes: [mcp:use], dpop: optional' });
    const [answer] = await replay([{ body: initialize, headers: accept }], apart);
    expect(answer?.header('www-authenticate').map((value) => value.split(' ', 1)[0])).toEqual([
      'Bearer',
      'DPoP',
    ]);
  });

  it('look elsewhere when there is no metadata, wherever they probe (A05, A16)', async () => {
    await using apart = await startWorld({ route: 'discovery: off' });
    expectNowhere(
      await replay(
        [`${prm}/mcp`, prm, `/mcp${prm}`, ...authorizationServerPaths].map((target) => get(target)),
        apart,
      ),
    );
  });

  it('name a resource at the root with a slash or without, in URL and audience (A14, A18)', async () => {
    await using apart = await startWorld({ path: '/' });
    const { url } = apart.gateway;
    expect(json((await replay([get(prm)], apart))[0] as RawResponse)).toMatchObject({ resource: url });
    for (const aud of [url, `${url}/`]) {
      const token = apart.issuer.token({ claims: { aud } });
      expect(statuses(await replay([{ token, headers: accept, body: initialize }], apart))).toEqual([200]);
    }
  });

  it('read a resource that their URL begins with (A16)', async () => {
    const [answer] = await replay([get(`${prm}/mcp`)]);
    const { resource } = json(answer as RawResponse) as { readonly resource: string };
    expect(`${world.gateway.url}/mcp/`).toMatch(new RegExp(`^${RegExp.escape(resource)}(/|$)`));
  });

  it('ask for the scopes of the challenge and no others: first what a session needs, then all of a call (A17, W01)', async () => {
    await using apart = await startWorld({
      route:
        'scopes: [mcp:use, mcp:write], challengeScopes: [mcp:use, mcp:write], scopesSupported: [mcp:use, mcp:write, mcp:admin]',
    });
    const half = apart.issuer.token({ claims: { scope: 'mcp:use' } });
    const [missing, insufficient] = await replay(
      [
        { body: initialize, headers: accept },
        { token: half, body: initialize, headers: accept },
      ],
      apart,
    );
    const scopes = (answer: RawResponse | undefined): string | undefined =>
      /scope="([^"]*)"/.exec(answer?.header('www-authenticate')[0] ?? '')?.[1];
    expect([missing?.status, scopes(missing)]).toEqual([401, 'mcp:use mcp:write']);
    expect([insufficient?.status, scopes(insufficient)]).toEqual([403, 'mcp:use mcp:write']);
  });
});

describe('Codex', () => {
  it('asks for what the challenge names, which is less than what there is (A17)', async () => {
    await using apart = await startWorld({
      route: 'challengeScopes: [mcp:read], scopesSupported: [mcp:read, mcp:write, mcp:admin]',
    });
    const [refused, metadata] = await replay([{ body: initialize, headers: accept }, get(prm)], apart);
    expect(only(refused as RawResponse, 'www-authenticate')).toContain('scope="mcp:read"');
    expect(json(metadata as RawResponse)).toMatchObject({
      scopes_supported: ['mcp:read', 'mcp:write', 'mcp:admin'],
    });
  });
});

describe('the Inspector in a browser', () => {
  const names = [
    'authorization',
    'content-type',
    'accept',
    'mcp-protocol-version',
    'mcp-session-id',
    'last-event-id',
    'mcp-method',
    'mcp-name',
    'mcp-param-region',
    'dpop',
  ].join(',');
  const origin = 'https://inspector.example';
  const preflight = (target: string, method: string): Ask => ({
    method: 'OPTIONS',
    target,
    headers: [
      ['Origin', origin],
      ['Access-Control-Request-Method', method],
      ['Access-Control-Request-Headers', names],
    ],
  });

  it('may send what it needs to the endpoint and the well-knowns, those that are not there too (A21)', async () => {
    await using apart = await startWorld({ route: `origins: ['${origin}']` });
    const probes = [
      ...['POST', 'GET', 'DELETE'].map((method) => preflight('/mcp', method)),
      ...[`${prm}/mcp`, prm, ...authorizationServerPaths].map((target) => preflight(target, 'GET')),
    ];
    for (const answer of await replay(probes, apart)) {
      expect([answer.status, only(answer, 'access-control-allow-headers')]).toEqual([204, names]);
      expect(only(answer, 'access-control-max-age')).toBe('86400');
      expect([origin, '*']).toContain(only(answer, 'access-control-allow-origin'));
      expect(only(answer, 'access-control-expose-headers')?.split(', ')).toEqual(
        expect.arrayContaining(['WWW-Authenticate', 'Mcp-Session-Id', 'MCP-Protocol-Version', 'DPoP-Nonce']),
      );
    }
  });
});

describe('clients of 2025-03-26', () => {
  it('look for the authorization server at the gateway, by metadata and by the usual paths, and find none (W12)', async () => {
    const [metadata = ''] = authorizationServerPaths;
    expectNowhere(
      await replay([
        get(metadata, [['MCP-Protocol-Version', '2025-03-26']]),
        get('/authorize?response_type=code'),
        { target: '/register', body: '{}' },
        {
          target: '/token',
          body: 'grant_type=authorization_code',
          headers: [['Content-Type', 'application/x-www-form-urlencoded']],
        },
      ]),
    );
  });
});
