/** What the upstream is told of who asks, and what it is never told. */
import { describe, expect, it } from 'vitest';
import { EventStream } from '../support/event-stream.ts';
import type { RecordedRequest } from '../support/recorded-request.ts';
import { Secrets } from '../support/secrets.ts';
import { beginSession, exposition, json, only, startWorld, toolCall } from './world.ts';

/** Every header of a request whose name could be read as this one. */
function readAs(request: RecordedRequest, name: string): readonly string[] {
  return request.headerLines
    .filter(([found]) => found.toLowerCase().replace(/[_.]/g, '-') === name.toLowerCase())
    .map(([, value]) => value);
}

const own = [
  'X-Auth-Subject',
  'X-Auth-Issuer',
  'X-Auth-Client-Id',
  'X-Auth-Scopes',
  'X-Auth-Email',
  'X-Auth-Groups',
];

/** A client's attempts to say a header itself. */
function spellings(name: string): readonly (readonly [string, string])[] {
  const names = [
    name,
    name.toLowerCase(),
    name.toUpperCase(),
    name.replaceAll('-', '_'),
    name.toLowerCase().replaceAll('-', '_'),
    name.replace('-', '_'),
    name.replaceAll('-', '.'),
  ];
  return names.flatMap((spelt) => [
    [spelt, 'mallory'],
    [spelt, 'root'],
  ]);
}

describe('N1 forged identities', () => {
  const headers = [
    ...own.flatMap(spellings),
    ['Connection', `keep-alive, ${own.join(', ')}`],
    ['X-Forwarded-User', 'mallory'],
    ['X-Forwarded-Email', 'mallory@example.com'],
    ['X-Remote-User', 'mallory'],
    ['Remote-User', 'mallory'],
    ['Forwarded', 'for=mallory'],
  ] as const;
  const route = 'identity: { claims: { X-Auth-Groups: groups } }';

  it('in every spelling give way to the gateway’s own, once each (N1)', async () => {
    await using world = await startWorld({ route });
    const claims = { email: 'alice@example.com', groups: ['eng'] };
    expect((await world.ask({ token: world.issuer.token({ claims }), headers })).status).toBe(200);
    const request = await world.upstream.request();
    expect(Object.fromEntries(own.map((name) => [name, readAs(request, name)]))).toEqual({
      'X-Auth-Subject': ['alice'],
      'X-Auth-Issuer': [world.issuer.url],
      'X-Auth-Client-Id': ['test-client'],
      'X-Auth-Scopes': ['mcp:use'],
      'X-Auth-Email': ['alice@example.com'],
      'X-Auth-Groups': ['eng'],
    });
    expect(world.passed).not.toMatch(/mallory|root/);
  });

  it('are gone where the token has no such claim (N1)', async () => {
    await using world = await startWorld({ route });
    const claims = { client_id: undefined, scope: undefined };
    expect((await world.ask({ token: world.issuer.token({ claims }), headers })).status).toBe(200);
    const request = await world.upstream.request();
    for (const name of ['X-Auth-Client-Id', 'X-Auth-Scopes', 'X-Auth-Email', 'X-Auth-Groups'])
      expect([name, readAs(request, name)]).toEqual([name, []]);
    expect(world.passed).not.toMatch(/mallory|root/);
  });

  it('are gone on an open route, which has none, whatever token comes (N1, A24)', async () => {
    await using world = await startWorld({ route: 'access: open' });
    for (const method of ['POST', 'GET', 'DELETE'])
      await world.ask({ method, headers, token: world.issuer.token() });
    expect(world.upstream.requests).toHaveLength(3);
    for (const request of world.upstream.requests)
      for (const name of own) expect([name, readAs(request, name)]).toEqual([name, []]);
    expect(world.passed).not.toMatch(/mallory|root|Bearer/);
  });

  it('give way under names that the operator chose, the preset of oauth2-proxy included (N1)', async () => {
    await using world = await startWorld({
      route: 'identity: { preset: oauth2-proxy, headers: { client: X-Client } }',
    });
    const names = ['X-Forwarded-User', 'X-Forwarded-Email', 'X-Forwarded-Groups', 'X-Client'];
    const claims = { email: 'alice@example.com', groups: ['a', 'b'] };
    const token = world.issuer.token({ claims });
    expect((await world.ask({ token, headers: names.flatMap(spellings) })).status).toBe(200);
    const request = await world.upstream.request();
    expect(names.map((name) => readAs(request, name))).toEqual([
      ['alice'],
      ['alice@example.com'],
      ['a,b'],
      ['test-client'],
    ]);
    expect(world.passed).not.toMatch(/mallory|root/);
  });
});

it.each(['X-Auth-Subject', 'x_auth_subject', 'X-Auth-Groups'])(
  'no setting lets a client say %s: the start fails (N1)',
  async (name) => {
    const options = {
      route: 'identity: { claims: { X-Auth-Groups: groups } }',
      upstream: `requestHeaders: [${name}]`,
    };
    await expect(startWorld(options)).rejects.toThrow('routes[0].upstream.requestHeaders[0]');
  },
);

describe('N2 hostile claims', () => {
  const values = [
    ['plain', 'plain'],
    ['with space', 'with space'],
    ['é', '%C3%A9'],
    ['日本', '%E6%97%A5%E6%9C%AC'],
    ['100%41', '100%2541'],
    ['a,b', 'a,b'],
    [' edge ', '%20edge%20'],
    ['𝕊', '%F0%9D%95%8A'],
    ['a\r\nX-Auth-Subject: root', undefined],
    ['a\nb', undefined],
    ['a\u0000b', undefined],
    ['a\u007fb', undefined],
    ['\ud800', undefined],
    [{ a: 1 }, undefined],
  ] as const;
  it.each(values)(
    'the claim %j arrives as %s, once, or the request is refused (N2)',
    async (value, expected) => {
      await using world = await startWorld({ route: 'identity: { claims: { X-Auth-Team: team } }' });
      const response = await world.ask({ token: world.issuer.token({ claims: { team: value } }) });
      if (expected === undefined) {
        expect([response.status, json(response)]).toMatchObject([403, { error: { code: 40300 } }]);
        expect(world.passed).toBe('');
        return;
      }
      expect(response.status).toBe(200);
      expect((await world.upstream.request()).header('x-auth-team')).toEqual([expected]);
    },
  );

  it.each([
    [['a', 'b,c'], 'a,b%2Cc'],
    [['a,b', 'c'], 'a%2Cb,c'],
    [['a%2Cb', 'c'], 'a%252Cb,c'],
    [['é'], '%C3%A9'],
    [[], undefined],
    [['a', ''], 'refused'],
    [['a', 7], 'refused'],
    [['a\nb'], 'refused'],
    [[['a']], 'refused'],
  ])('the list %j arrives as %s: no item can be read as two (N2)', async (team, expected) => {
    await using world = await startWorld({ route: 'identity: { claims: { X-Auth-Team: team } }' });
    const response = await world.ask({ token: world.issuer.token({ claims: { team } }) });
    expect(response.status).toBe(expected === 'refused' ? 403 : 200);
    if (expected === 'refused') expect(world.passed).toBe('');
    else
      expect((await world.upstream.request()).header('x-auth-team')).toEqual(
        expected === undefined ? [] : [expected],
      );
  });

  it('two subjects never meet in one header value (N2)', async () => {
    await using world = await startWorld();
    const subjects = ['é', '%C3%A9', 'e\u0301', ' a', 'a', 'a ', '%20a', 'A'];
    for (const sub of subjects)
      expect((await world.ask({ token: world.issuer.token({ claims: { sub } }) })).status).toBe(200);
    const seen = world.upstream.requests.map((request) => request.header('x-auth-subject').join('|'));
    expect(new Set(seen).size).toBe(subjects.length);
  });
});

it('requests held at a barrier keep their own subjects, there and back (S12)', async () => {
  const people = Array.from({ length: 20 }, (_, index) => `person-${index}`);
  await using world = await startWorld();
  const { promise: all, resolve: release } = Promise.withResolvers<void>();
  let waiting = 0;
  world.upstream.answer(async (request, response) => {
    waiting += 1;
    if (waiting === people.length) release();
    await all;
    const [subject] = request.header('x-auth-subject');
    const { id } = JSON.parse(request.body.toString()) as { id: string };
    response.end(JSON.stringify({ id, subject }));
  });
  const answers = await Promise.all(
    people.map((sub) => world.ask({ token: world.issuer.token({ claims: { sub } }), body: toolCall(sub) })),
  );
  expect(answers.map(json)).toEqual(people.map((sub) => ({ id: sub, subject: sub })));
  await expect.poll(() => world.gateway.audit.length).toBe(people.length);
  const audited = world.gateway.audit.map(({ principal }) => (principal as { subject: string }).subject);
  expect(audited.toSorted()).toEqual(people.toSorted());
});

it('no token, cookie, code or secret is in log, audit, metrics or an answer (S13)', async () => {
  const secrets = new Secrets();
  await using world = await startWorld({
    top: 'log: { level: trace }',
    route: 'limits: { body: 4KiB }, scopes: [mcp:use]',
  });
  const { issuer, upstream } = world;
  const answers: string[] = [];
  const told = async (request: Parameters<typeof world.ask>[0]): Promise<number> => {
    const response = await world.ask(request);
    answers.push(JSON.stringify(response.headerLines), response.body.toString());
    return response.status;
  };
  const watched = (name: string, parts?: Parameters<typeof issuer.token>[0]): string => {
    const token = secrets.watch(name, issuer.token(parts));
    secrets.watch(`signature of ${name}`, token.split('.')[2] ?? '');
    return token;
  };
  const token = watched('good token');
  const lines = [
    ['Cookie', `session=${secrets.mint('cookie')}`],
    ['Proxy-Authorization', `Basic ${secrets.mint('proxy credentials')}`],
    ['X-Api-Key', secrets.mint('key of the client')],
    ['Mcp-Param-Secret', secrets.mint('header parameter')],
    ['DPoP', secrets.mint('proof')],
    ['Referer', `https://client.example/callback?code=${secrets.mint('referer code')}`],
  ] as const;
  const query = `?access_token=${secrets.mint('query token')}&code=${secrets.mint('code')}`;
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'login',
      arguments: { password: secrets.mint('argument') },
      _meta: { token: secrets.mint('meta') },
    },
  });

  upstream.answerOnce({
    body: { jsonrpc: '2.0', id: 1, result: {} },
    headers: {
      'set-cookie': `upstream=${secrets.mint('cookie of the upstream')}`,
      authorization: secrets.mint('authorization of the upstream'),
      'www-authenticate': `Bearer error="${secrets.mint('challenge of the upstream')}"`,
    },
  });
  expect(await told({ token, target: `/mcp${query}`, headers: lines, body })).toBe(200);
  upstream.answerOnce({
    status: 401,
    headers: { 'www-authenticate': `X realm="${secrets.mint('realm')}"` },
    body: secrets.mint('body of a 401'),
  });
  expect(await told({ token, headers: lines, body })).toBe(502);
  upstream.answerOnce({
    status: 302,
    headers: { location: `https://login.example/?state=${secrets.mint('state')}` },
  });
  expect(await told({ token, body })).toBe(502);
  upstream.answerOnce({ bytes: `HTTP/1.1 garbage ${secrets.mint('garbage')}\r\n\r\n` });
  expect(await told({ token, body })).toBe(502);

  expect(await told({ token: watched('expired token', { claims: { exp: 1_000_000 } }), body })).toBe(401);
  expect(
    await told({ token: watched('token for another', { claims: { aud: 'https://other.example' } }) }),
  ).toBe(401);
  expect(
    await told({ token: watched('token of a stranger', { claims: { iss: 'https://stranger.example' } }) }),
  ).toBe(401);
  expect(await told({ token: watched('token of few scopes', { claims: { scope: 'other' } }) })).toBe(403);
  expect(
    await told({ token: watched('token with a kid', { header: { kid: secrets.mint('kid') } }) }),
  ).toBeGreaterThan(400);
  expect(await told({ token: secrets.mint('opaque token') })).toBe(401);
  expect(await told({ headers: [['Authorization', `Basic ${secrets.mint('basic')}`]] })).toBe(401);
  expect(
    await told({ headers: [['Authorization', `Bearer ${secrets.mint('first')} ${secrets.mint('second')}`]] }),
  ).toBe(401);
  expect(
    await told({
      headers: [
        ['Authorization', `Bearer ${token}`],
        ['Authorization', `Bearer ${token}`],
      ],
    }),
  ).toBe(400);
  expect(
    await told({
      token,
      body: `{"jsonrpc":"2.0","id":1,"method":"x","params":"${secrets.mint('broken body')}`,
    }),
  ).toBe(400);
  expect(await told({ token, body: `{"${secrets.mint('member')}":1}` })).toBe(400);
  expect(await told({ token, body: toolCall(1, `x${'y'.repeat(5_000)}${secrets.mint('long body')}`) })).toBe(
    413,
  );
  expect(await told({ method: 'GET', target: `/nowhere${query}` })).toBe(404);
  expect(await told({ method: 'GET', target: `/.well-known/x${query}`, headers: lines })).toBe(404);

  await expect.poll(() => world.gateway.audit.length).toBe(answers.length / 2);
  const metrics = (await exposition(world.gateway)).join('\n');
  expect(metrics).toContain('portcullis_requests_total{route="tools"');
  const { log, audit } = world.gateway;
  const places = { log: JSON.stringify(log), audit: JSON.stringify(audit), metrics };
  // What the upstream says in a body that passes is its own; here it said nothing.
  expect(secrets.leaksIn({ ...places, answers: answers.join('\n') })).toEqual([]);
  // What is looked for would be found: the upstream did see the argument.
  expect(secrets.leaksIn({ upstream: world.passed }).map(({ secret }) => secret)).toContain('argument');
});

describe('the client’s token', () => {
  it('stays at the gateway: the upstream sees no Authorization and no piece of it (W08)', async () => {
    const secrets = new Secrets();
    await using world = await startWorld();
    const token = secrets.watch('token', world.issuer.token());
    secrets.watch('signature', token.split('.')[2] ?? '');
    const headers = [
      ['Cookie', `t=${token}`],
      ['Proxy-Authorization', `Bearer ${token}`],
      ['X-Forwarded-Access-Token', token],
    ] as const;
    world.upstream.answerOnce(new EventStream());
    for (const method of ['GET', 'POST', 'DELETE']) {
      const asked = world.ask({
        method,
        token,
        headers,
        target: `/mcp?access_token=${token}`,
        withinMs: 500,
      });
      await asked.catch(() => undefined);
    }
    await world.upstream.request(3);
    expect(world.upstream.requests.flatMap((request) => request.header('authorization'))).toEqual([]);
    expect(secrets.leaksIn({ upstream: world.passed })).toEqual([]);
  });

  it.each([401, 403])(
    'is no affair of the upstream’s: its %i is 502, and its challenge stays away (W09)',
    async (status) => {
      await using world = await startWorld();
      world.upstream.answer({
        status,
        headers: { 'www-authenticate': 'Bearer realm="upstream"' },
        body: { error: 'the upstream said no' },
      });
      const response = await world.ask({ token: world.issuer.token() });
      expect(response.status).toBe(502);
      expect(response.header('www-authenticate')).toEqual([]);
      expect(json(response)).toEqual({
        jsonrpc: '2.0',
        id: 1,
        error: { code: 50200, message: 'The MCP server failed' },
      });
      expect(only(response, 'cache-control')).toBe('no-store');
      expect(world.upstream.requests).toHaveLength(1);
    },
  );
});

describe('A24 the user id', () => {
  const subjects = (requests: readonly RecordedRequest[]): readonly (readonly string[])[] =>
    requests.map((request) => readAs(request, 'X-Auth-Subject'));

  it('is the claim that the route names; a token without it is refused, and all else goes by sub (A24)', async () => {
    await using world = await startWorld({ route: 'identity: { subject: /ids/employee }' });
    const claims = { ids: { employee: 'e-17' } };
    const headers = [['X-Auth-Subject', 'mallory']] as const;
    expect((await world.ask({ token: world.issuer.token({ claims }), headers })).status).toBe(200);
    const refused = await world.ask({ token: world.issuer.token(), headers });
    expect([refused.status, json(refused)]).toMatchObject([403, { error: { code: 40300 } }]);
    expect(subjects(world.upstream.requests)).toEqual([['e-17']]);
    expect(world.gateway.audit.map(({ reason, principal }) => [reason, principal])).toMatchObject([
      ['ok', { subject: 'alice' }],
      ['identity_unusable', { subject: 'alice' }],
    ]);
  });

  it('of an open route is one for all where the route says so, whatever a client writes (A24)', async () => {
    await using world = await startWorld({
      route: 'access: open, identity: { anonymous: { static: guest 100% } }',
    });
    for (const method of ['POST', 'GET', 'DELETE'])
      await world.ask({ method, headers: spellings('X-Auth-Subject'), token: world.issuer.token() });
    expect(subjects(world.upstream.requests)).toEqual([['guest 100%25'], ['guest 100%25'], ['guest 100%25']]);
    expect(world.passed).not.toMatch(/mallory|root|X-Auth-Issuer/i);
  });

  it('of an open route is one for each session that opened, and no client can choose it (A24)', async () => {
    await using world = await startWorld({ route: 'access: open, identity: { anonymous: session }' });
    const sessions = [await beginSession(world, { id: 's-1' }), await beginSession(world, { id: 's-2' })];
    world.upstream.answer({ body: {} });
    const within = (session = ''): Promise<unknown> =>
      world.ask({ headers: [['Mcp-Session-Id', session], ...spellings('X-Auth-Subject')] });
    for (const session of [...sessions, sessions[0], 's-1', `${sessions[0]}A`]) await within(session);
    await world.ask({ headers: spellings('X-Auth-Subject') });
    const [begun, alsoBegun, first, second, firstAgain, without, ...others] = subjects(
      world.upstream.requests,
    );
    expect([begun, alsoBegun, without, others]).toEqual([[], [], [], []]);
    expect(first).toEqual([expect.stringMatching(/^session-[\w-]{22}$/)]);
    expect(firstAgain).toEqual(first);
    expect(second).not.toEqual(first);
    expect(world.passed).not.toMatch(/mallory|root/);
    for (const session of sessions) expect(world.passed).not.toContain(session);
  });
});

it.each([
  ['anonymous: session', 'routes[0].identity.anonymous'],
  ['anonymous: { static: guest }', 'routes[0].identity.anonymous'],
])('nobody is given an identity by %s where others have tokens: the start fails (A24)', async (key, path) => {
  await expect(startWorld({ route: `identity: { ${key} }` })).rejects.toThrow(path);
});

it('a subject by a claim is no setting for an open route: the start fails (A24)', async () => {
  await expect(startWorld({ route: 'access: open, identity: { subject: oid }' })).rejects.toThrow(
    'routes[0].identity.subject',
  );
});
