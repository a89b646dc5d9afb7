/** Tokens that the right key signed and that say the wrong thing (attack catalogue ). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mark, type Reason } from '../support/invariants.ts';
import { startIssuer, type Issuer, type TokenParts } from '../support/issuer.ts';
import { signCompact } from '../support/signing-key.ts';
import { expectInsufficientScope, expectInvalidToken } from './answers.ts';
import { startScene, type Scene } from './scene.ts';

let scene: Scene;
/** Of a public host: its default port can be elided. */
const publicResource = 'https://kube.example.com/MCP';

beforeAll(async () => {
  scene = await startScene({
    issuers: [await startIssuer(), await startIssuer({ path: '/realms/b' })],
    routes: `routes:
  - { name: tools, path: /mcp, scopes: [mcp:use], default: true, upstream: '$upstream' }
  - { name: sibling, path: /sibling, scopes: [mcp:use], upstream: '$upstream' }
  - { name: public, path: /public, resource: '${publicResource}', scopes: [mcp:use], upstream: '$upstream' }
  - { name: query, path: /query, resource: 'https://kube.example.com/tenants?tenant=x', upstream: '$upstream' }
  - { name: first, path: /first, authorizationServers: [as0], upstream: '$upstream' }
  - { name: second, path: /second, authorizationServers: [as1], upstream: '$upstream' }
  - { name: listed, path: /listed, audiences: ['https://api.example.com/', 'api://x'], upstream: '$upstream' }`,
  });
});

afterAll(() => scene.close());

async function expectRefused(tokens: readonly string[], reason: Reason): Promise<void> {
  const before = await mark(scene);
  for (const token of tokens) expectInvalidToken(await scene.ask({ token }), scene);
  await before.hold({ forwarded: 0, reasons: [reason] });
}

async function expectServed(tokens: readonly string[], target = '/mcp'): Promise<void> {
  const before = await mark(scene);
  for (const token of tokens) expect((await scene.ask({ token, target })).status).toBe(200);
  await before.hold({ forwarded: tokens.length, reasons: ['ok'] });
}

/** A token whose claims are this JSON text, well signed. */
function tokenOf(payload: string, issuer = scene.issuer): string {
  const key = issuer.key('ES256');
  const token = signCompact({ header: { alg: 'ES256', typ: 'at+jwt', kid: key.kid }, payload }, key);
  scene.secrets.add(token);
  return token;
}

const now = (): number => Math.floor(Date.now() / 1000);

/** The members of a valid claims set as JSON text; each may be replaced by text that JSON.stringify wouldn't write. */
function claimsText(members: Readonly<Record<string, string | undefined>>): string {
  const all = {
    iss: JSON.stringify(scene.issuer.url),
    sub: '"alice"',
    aud: JSON.stringify(scene.resource()),
    exp: String(now() + 300),
    iat: String(now()),
    scope: '"mcp:use"',
    ...members,
  };
  const written = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`"${name}":${value}`],
  );
  return `{${written.join(',')}}`;
}

describe('what was signed for another purpose', () => {
  it("A-015: an ID token isn't an access token, even where its audience is the resource", async () => {
    const aud = [scene.resource(), 'client'];
    await expectRefused(
      [
        { typ: 'JWT', claims: { aud, nonce: 'n', at_hash: 'h' } },
        { typ: 'JWT', claims: { aud, at_hash: 'h' } },
        { typ: 'JWT', claims: { aud, c_hash: 'h' } },
        { typ: 'JWT', claims: { nonce: 'n' } },
        { typ: 'JWT', claims: { nonce: null } },
        { typ: 'at+jwt', claims: { nonce: 'n' } },
        { typ: 'JWT', claims: { typ: 'ID' } },
        { typ: 'JWT', claims: { typ: 'Refresh' } },
        { typ: 'JWT', claims: { token_use: 'id' } },
      ].map(({ typ, claims }) => scene.token({ header: { typ }, claims })),
      'token_type',
    );
    await expectRefused(
      [scene.token({ header: { typ: 'JWT' }, claims: { aud: 'client' } })],
      'token_audience',
    );
  });

  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/AT+jwt', 'JWT', 'jwt', undefined])(
    'A-016: typ %j is accepted',
    async (typ) => expectServed([scene.token({ header: { typ } })]),
  );

  it.each([
    'logout+jwt',
    'secevent+jwt',
    'dpop+jwt',
    'oauth-authz-req+jwt',
    'application/DPoP+jwt',
    'x',
    '',
    'at+jwt ',
    1,
    null,
  ])('A-016: typ %j is refused', async (typ) =>
    expectRefused([scene.token({ header: { typ } })], 'token_type'),
  );

  it('A-016: a client assertion fails on its audience', async () => {
    const claims = { sub: 'test-client', iss: 'test-client', aud: `${scene.issuer.url}/token` };
    await expectRefused([scene.token({ header: { typ: 'JWT' }, claims })], 'issuer_not_trusted');
    const borrowed = { ...claims, iss: scene.issuer.url };
    await expectRefused([scene.token({ header: { typ: 'JWT' }, claims: borrowed })], 'token_audience');
  });

  it("A-016: types that the file lists don't make a logout token an access token", async () => {
    const issuer = await startIssuer();
    await using strict = await startScene({
      issuers: [issuer],
      servers: `authorizationServers: [{ name: a, issuer: '${issuer.url}', tokenTypes: [at+jwt] }]`,
    });
    const before = await mark(strict);
    for (const typ of ['JWT', undefined, 'logout+jwt'])
      expectInvalidToken(await strict.ask({ token: strict.token({ header: { typ } }) }), strict);
    expect((await strict.ask({ token: strict.token() })).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['token_type', 'token_type', 'token_type', 'ok'] });
    // What is accepted is told at start.
    expect(strict.gateway.log).toContainEqual(expect.objectContaining({ tokenTypes: ['at+jwt'] }));
  });
});

describe('a token for someone else', () => {
  it('A-017: for a sibling route, the upstream, the gateway or the authorization server is refused', async () => {
    const auds = [
      scene.resource('/sibling'),
      scene.upstream.url,
      scene.upstream.origin,
      scene.gateway.url,
      `${scene.gateway.url}/`,
      scene.issuer.url,
      `${scene.gateway.url}/.well-known/oauth-protected-resource/mcp`,
    ];
    await expectRefused(
      auds.map((aud) => scene.token({ claims: { aud } })),
      'token_audience',
    );
    await expectServed([scene.token({ claims: { aud: scene.resource('/sibling') } })], '/sibling');
  });

  it('A-018: only a whole element of aud counts', async () => {
    const resource = scene.resource();
    const auds: readonly unknown[] = [
      resource.slice(0, -1),
      resource.slice(1),
      `${resource}x`,
      `x${resource}`,
      `${resource} https://other.example`,
      `https://other.example,${resource}`,
      ` ${resource}`,
      `${resource}\u0000`,
      [],
      [`${resource}x`],
      [[resource]],
      [{ aud: resource }],
      { 0: resource, length: 1 },
      null,
      7,
      true,
      '',
      '*',
    ];
    await expectRefused(
      auds.map((aud) => scene.token({ claims: { aud } })),
      'token_audience',
    );
    await expectServed([
      scene.token({ claims: { aud: [resource] } }),
      scene.token({ claims: { aud: ['https://other.example', resource] } }),
    ]);
  });

  it("A-019: a route's own resource matches by case of scheme and host, default port and one slash, and in no other way", async () => {
    const accepted = [
      'https://kube.example.com/MCP',
      'https://kube.example.com/MCP/',
      'HTTPS://kube.example.com/MCP',
      'https://KUBE.Example.COM/MCP',
      'https://kube.example.com:443/MCP',
      'Https://Kube.Example.Com:443/MCP/',
    ];
    await expectServed(
      accepted.map((aud) => scene.token({ claims: { aud } })),
      '/public',
    );
    const refused = [
      'https://kube.example.com/mcp',
      'https://kube.example.com/MCP//',
      'https://kube.example.com//MCP',
      'https://kube.example.com/%4dCP',
      'https://kube.example.com/MCP?',
      'https://kube.example.com/MCP?x=1',
      'https://kube.example.com/MCP#',
      'https://kube.example.com/MCP#f',
      'https://kube.example.com/./MCP',
      'https://kube.example.com/x/../MCP',
      'https://kube.example.com./MCP',
      'https://kube.example.com:0443/MCP',
      'https://kube.example.com:80/MCP',
      'https://kube.example.com:/MCP',
      'https://user@kube.example.com/MCP',
      'https://user:pass@kube.example.com/MCP',
      'http://kube.example.com/MCP',
      'http://kube.example.com:443/MCP',
      'https:kube.example.com/MCP',
      'https:/kube.example.com/MCP',
      'https:\\\\kube.example.com\\MCP',
      '//kube.example.com/MCP',
      'kube.example.com/MCP',
      'https://kube.example.com',
      'https://kube.example.com/',
      'https://kube.example.com/MCP/x',
      'https://kube.example.com.evil.example/MCP',
      'https://evil.example/https://kube.example.com/MCP',
      // IDNA folds these to the same host; an audience is compared as it was written.
      'https://\u212Aube.example.com/MCP',
      'https://\uFF4Bube.example.com/MCP',
      'https://kube\u3002example.com/MCP',
      'https://kube.example.c\u00BAm/MCP',
      ' https://kube.example.com/MCP',
      'https://kube.example.com/MCP ',
      'https://kube.example.com/MCP\t',
      'https://kube.exam\tple.com/MCP',
    ];
    const before = await mark(scene);
    const passed: string[] = [];
    for (const aud of refused) {
      const answer = await scene.ask({ token: scene.token({ claims: { aud } }), target: '/public' });
      if (answer.status !== 401) passed.push(aud);
    }
    expect(passed).toEqual([]);
    await before.hold({ forwarded: 0, reasons: ['token_audience'] });
  });

  it('A-019: a query is part of the resource, and listed audiences are compared byte for byte', async () => {
    await expectServed(
      [scene.token({ claims: { aud: 'https://kube.example.com/tenants?tenant=x' } })],
      '/query',
    );
    await expectServed([scene.token({ claims: { aud: 'https://api.example.com/' } })], '/listed');
    const before = await mark(scene);
    for (const aud of [
      'https://kube.example.com/tenants',
      'https://kube.example.com/tenants?tenant=y',
      'https://kube.example.com/tenants?tenant=X',
    ])
      expect((await scene.ask({ token: scene.token({ claims: { aud } }), target: '/query' })).status).toBe(
        401,
      );
    for (const aud of [
      'https://api.example.com',
      'https://API.example.com/',
      'https://api.example.com:443/',
      'API://x',
      scene.resource('/listed'),
    ])
      expect((await scene.ask({ token: scene.token({ claims: { aud } }), target: '/listed' })).status).toBe(
        401,
      );
    await before.hold({ forwarded: 0, reasons: ['token_audience'] });
  });

  it('A-021: no other claim stands in for a missing audience', async () => {
    const resource = scene.resource();
    const lookalikes: readonly Readonly<Record<string, unknown>>[] = [
      {},
      { azp: resource },
      { client_id: resource },
      { resource },
      { appid: resource },
      { audience: resource },
      { Aud: resource },
      { scope: `${resource} mcp:use` },
    ];
    await expectRefused(
      lookalikes.map((claims) => scene.token({ claims: { aud: undefined, ...claims } })),
      'token_audience',
    );
  });
});

describe('a token of another issuer', () => {
  function second(): Issuer {
    const issuer = scene.issuers[1];
    if (issuer === undefined) throw new Error('two issuers are started');
    return issuer;
  }

  it('A-022: a key speaks only for the issuer that publishes it, also where the kid is the same', async () => {
    const [a, b] = [scene.issuer, second()];
    const kid = a.key('RS256').kid;
    const borrowed = { ...b.key('RS256'), kid };
    await expectRefused([scene.token({ key: borrowed })], 'token_signature');
    await expectRefused([scene.token({ key: borrowed, header: { kid: undefined } })], 'token_signature');
    await expectRefused(
      [scene.token({ key: { ...a.key('ES256'), kid: b.key('ES256').kid } }, b)],
      'token_signature',
    );
    await expectServed([scene.token(), scene.token({}, b)]);
  });

  it('A-024: iss is one text and equal to the configured one, letter for letter', async () => {
    const { url } = scene.issuer;
    const asked = scene.issuers.map((issuer) => issuer.hits());
    const isses: readonly unknown[] = [
      [url],
      [url, second().url],
      { url },
      7,
      null,
      undefined,
      '',
      `${url}/`,
      url.toUpperCase(),
      url.replace('localhost', 'LOCALHOST'),
      url.replace('localhost', '127.0.0.1'),
      ` ${url}`,
      `${url} `,
      `${url}.evil.example`,
      `${url}@evil.example`,
      `${url}#`,
      `${url}?`,
      `${url}\u0000`,
      'https://evil.example',
    ];
    await expectRefused(
      isses.map((iss) => scene.token({ claims: { iss } })),
      'issuer_not_trusted',
    );
    expect(scene.issuers.map((issuer) => issuer.hits())).toEqual(asked);
  });

  it("A-026: a route takes no token of an authorization server that isn't its own, and names only its own", async () => {
    const outcomes: Record<string, number> = {};
    const before = await mark(scene);
    for (const [name, issuer] of [
      ['as0', scene.issuer],
      ['as1', second()],
    ] as const) {
      for (const target of ['/first', '/second']) {
        const token = scene.token({ claims: { aud: scene.resource(target) } }, issuer);
        outcomes[`${name} ${target}`] = (await scene.ask({ token, target })).status;
      }
    }
    expect(outcomes).toEqual({
      'as0 /first': 200,
      'as0 /second': 401,
      'as1 /first': 401,
      'as1 /second': 200,
    });
    await before.hold({ forwarded: 2, reasons: ['ok', 'issuer_not_trusted', 'issuer_not_trusted', 'ok'] });
    const metadata = await scene.ask({
      method: 'GET',
      target: '/.well-known/oauth-protected-resource/first',
    });
    expect(JSON.parse(metadata.body.toString())).toMatchObject({ authorization_servers: [scene.issuer.url] });
  });
});

describe('a token that parsers read differently', () => {
  it('A-027: a claim that occurs twice is refused, in whatever spelling', async () => {
    const claims = claimsText({}).slice(0, -1);
    const seconds = [
      '"sub":"admin"',
      '"\\u0073ub":"admin"',
      `"aud":${JSON.stringify(scene.resource())}`,
      `"iss":${JSON.stringify(scene.issuer.url)}`,
      `"exp":${now() + 9999}`,
      '"scope":"mcp:use admin"',
      '"deep":{"a":1,"a":2}',
      '"deep":[[{"a":1,"\\u0061":2}]]',
      '"__proto__":1,"__proto__":2',
    ];
    await expectRefused(
      seconds.map((member) => tokenOf(`${claims},${member}}`)),
      'token_duplicate_member',
    );
    await expectServed([tokenOf(`${claims},"deep":{"sub":"x"}}`)]);
  });

  it('A-027: a header member that occurs twice is refused', async () => {
    const key = scene.issuer.key('ES256');
    const headers = [
      `{"alg":"none","alg":"ES256","kid":"${key.kid}"}`,
      `{"alg":"ES256","\\u0061lg":"ES256","kid":"${key.kid}"}`,
      `{"alg":"ES256","kid":"x","kid":"${key.kid}"}`,
      `{"alg":"ES256","kid":"${key.kid}","typ":"dpop+jwt","typ":"at+jwt"}`,
    ];
    const tokens = headers.map((header) => signCompact({ header, payload: claimsText({}) }, key));
    for (const token of tokens) scene.secrets.add(token);
    await expectRefused(tokens, 'token_duplicate_member');
  });
});

describe("times that aren't any", () => {
  it('A-028: a token without exp is refused', async () => {
    await expectRefused([scene.token({ claims: { exp: undefined } })], 'token_lifetime');
  });

  it.each([
    '"soon"',
    '-1',
    '9e15',
    '1e308',
    '1e400',
    'null',
    'true',
    '[1]',
    '{}',
    `"${now() + 300}"`,
    '253402300800',
  ])('A-029: exp %s is refused', async (exp) =>
    expectRefused([tokenOf(claimsText({ exp }))], 'token_lifetime'),
  );

  it('A-029: exp 0 has expired, a fraction is a number', async () => {
    const before = await mark(scene);
    const answer = await scene.ask({ token: tokenOf(claimsText({ exp: '0' })) });
    expect(answer.header('www-authenticate').join()).toContain('The access token expired');
    await before.hold({ forwarded: 0, reasons: ['token_expired'] });
    await expectServed([tokenOf(claimsText({ exp: `${now() + 300}.5` }))]);
  });

  it("A-029: the last moment that is taken doesn't overflow the timer of a stream", async () => {
    const token = tokenOf(claimsText({ exp: '253402300799' }));
    scene.upstream.answerOnce((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      setTimeout(() => response.end('data: 2\n\n'), 200);
    });
    const before = await mark(scene);
    const answer = await scene.ask({ token, method: 'GET' });
    expect(answer.body.toString()).toBe('data: 1\n\ndata: 2\n\n');
    await before.hold({ forwarded: 1, reasons: ['ok'] });
  });
});

describe('subjects', () => {
  const hostile: readonly (string | undefined)[] = [
    undefined,
    '""',
    '" "',
    '"\\t"',
    '7',
    'true',
    'null',
    '{"a":"alice"}',
    '["alice"]',
    '{"toString":null}',
    '{"toString":"x","valueOf":7}',
    '"a\\u0000b"',
    '"a\\r\\nX-Auth-Subject: admin"',
    '"a\\u007fb"',
    '"\\ud800"',
  ];

  it.each(hostile)('A-031: sub %s is refused', async (sub) =>
    expectRefused([tokenOf(claimsText({ sub }))], 'token_subject'),
  );

  it('A-031: a subject of more than 1,024 characters is refused', () =>
    expectRefused([tokenOf(claimsText({ sub: `"${'x'.repeat(1025)}"` }))], 'token_subject'));

  it('A-031: a subject of 100 KB is more than a header may hold', async () => {
    const { answer, client } = await scene.unparsed(
      scene.request({ token: tokenOf(claimsText({ sub: `"${'x'.repeat(100_000)}"` })) }),
    );
    expect(answer.status).toBe(431);
    await client.close();
  });

  it('A-031: subjects that differ by a space, a sign or an encoding stay different at the upstream', async () => {
    const subjects = [
      'alice',
      'alice ',
      ' alice',
      'alice%20',
      'a:b',
      'a|b',
      'a/b',
      'jos\u00e9',
      'jose\u0301',
      'a\u2028b',
      'a\u0085b',
      '%',
      '\u{1F600}',
    ];
    const from = scene.upstream.requests.length;
    await expectServed(subjects.map((sub) => scene.token({ claims: { sub } })));
    const seen = scene.upstream.requests
      .slice(from)
      .map((request) => request.header('x-auth-subject')[0] ?? '');
    expect(new Set(seen).size).toBe(subjects.length);
    for (const value of seen) expect(value).toMatch(/^[\x21-\x7e]+$/);
    expect(seen.map((value) => decodeURIComponent(value))).toEqual(subjects);
  });
});

describe('scopes', () => {
  const without: readonly TokenParts['claims'][] = [
    { scope: undefined },
    { scope: null },
    { scope: '' },
    { scope: 7 },
    { scope: { 'mcp:use': true } },
    { scope: 'mcp:used' },
    { scope: 'xmcp:use' },
    { scope: 'MCP:USE' },
    { scope: 'mcp:*' },
    { scope: '*' },
    { scope: 'mcp:use,mcp:write' },
    { scope: 'mcp:use\tmcp:write' },
    { scope: 'mcp:use\u00a0mcp:write' },
    { scope: 'mcp:use\nmcp:write' },
    { scope: undefined, scp: ['mcp:use mcp:write'] },
    { scope: undefined, scp: [['mcp:use']] },
    { scope: undefined, scp: [{ scope: 'mcp:use' }, null, 7] },
    { scope: 'other', scp: ['mcp:use'] },
  ];

  it.each(without)("A-034: %j doesn't grant mcp:use", async (claims) => {
    const before = await mark(scene);
    expectInsufficientScope(await scene.ask({ token: scene.token({ claims: { ...claims } }) }), scene);
    await before.hold({ forwarded: 0, reasons: ['scope_insufficient'] });
  });

  it('A-034: repeated, spaced and many scopes are read, as text and as a list', async () => {
    const many = Array.from({ length: 400 }, (_, at) => `s${at}`).join(' ');
    await expectServed([
      scene.token({ claims: { scope: '  mcp:use   mcp:use ' } }),
      scene.token({ claims: { scope: `${many} mcp:use` } }),
      scene.token({ claims: { scope: undefined, scp: ['mcp:use', 'mcp:use', '', ' '] } }),
      scene.token({ claims: { scope: undefined, scp: 'mcp:use' } }),
      scene.token({ claims: { scope: 'a"b mcp:use c\\d \u00e9' } }),
    ]);
    const last = scene.upstream.requests.at(-1);
    expect(last?.header('x-auth-scopes')).toEqual(['mcp:use']);
  });
});
