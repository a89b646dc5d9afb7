/** Headers that forge an identity, frame a hop or carry a secret (attack catalogue B-016 to B-024). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identityHeaderNames, mark } from '../support/invariants.ts';
import { expectNoCredentials } from './answers.ts';
import { ping, startScene, type Scene } from './scene.ts';

let scene: Scene;
let token: string;

beforeAll(async () => {
  scene = await startScene({
    routes: `routes:
  - { name: tools, path: /mcp, scopes: [mcp:use], upstream: '$upstream' }
  - { name: public, path: /open, access: open, upstream: '$upstream' }
  - { name: other, path: /own, scopes: [mcp:use], upstream: '$upstream',
      identity: { headers: { subject: X-Forwarded-User }, claims: { X-Auth-Groups: groups } } }`,
  });
  token = scene.token({ key: 'ES256' });
});

afterAll(() => scene.close());

/** Lower-case names that the upstream saw last. */
function namesSeen(): readonly string[] {
  return scene.upstream.requests.at(-1)?.headerLines.map(([name]) => name.toLowerCase()) ?? [];
}

describe('headers of one hop', () => {
  it.each([
    'Keep-Alive: timeout=5',
    'TE: trailers',
    'Proxy-Connection: keep-alive',
    'Proxy-Authorization: Basic YTpi',
    'Trailer: X-Auth-Subject',
    'Upgrade: websocket',
    'HTTP2-Settings: AAMAAABk',
    'Connection: keep-alive, X-Auth-Subject',
    'Connection: Content-Type, Content-Length, Host',
  ])('B-016: %s is dropped, and the request is served', async (line) => {
    const before = await mark(scene);
    expect((await scene.ask({ token, lines: [line] })).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
    const name = line.slice(0, line.indexOf(':')).toLowerCase();
    if (name !== 'connection') expect(namesSeen()).not.toContain(name);
    expect(scene.upstream.requests.at(-1)?.header('connection')).toEqual(['keep-alive']);
    expect(scene.upstream.requests.at(-1)?.body.toString()).toBe(ping);
  });

  it("B-016: trailers behind a chunked body don't travel", async () => {
    const before = await mark(scene);
    await using client = await scene.connect();
    client.send(
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTrailer: X-Auth-Subject\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `${ping.length.toString(16)}\r\n${ping}\r\n0\r\nX-Auth-Subject: admin\r\nAuthorization: Bearer x\r\n\r\n`,
    );
    expect((await scene.answer(client)).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
    expect(Buffer.concat(scene.upstream.connections.map(({ bytes }) => bytes)).includes('admin')).toBe(false);
  });

  it.each([
    'close, X-Auth-Subject, X-Auth-Issuer, X-Auth-Client-Id',
    'X-Auth-Subject',
    'x-auth-subject, x-auth-subject',
    'Authorization, Mcp-Name, Host, Content-Length, Content-Type',
    'keep-alive, x-auth-issuer, transfer-encoding',
  ])('B-017: Connection: %s takes no identity away', async (value) => {
    const before = await mark(scene);
    const lines = [`Connection: ${value}`, 'X-Auth-Subject: admin', 'Mcp-Name: x'];
    expect((await scene.ask({ token, lines })).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
    const seen = scene.upstream.requests.at(-1);
    expect(seen?.header('x-auth-subject')).toEqual(['alice']);
    expect(seen?.header('x-auth-client-id')).toEqual(['test-client']);
    expect(seen?.header('content-type')).toEqual(['application/json']);
    expect(seen?.body.toString()).toBe(ping);
  });
});

describe('a forged identity', () => {
  const stem = identityHeaderNames;
  const spellings = [
    ...stem,
    ...stem.map((name) => name.toUpperCase()),
    ...stem.map((name) => name.replaceAll('-', '_')),
    ...stem.map((name) => name.replace('-', '_')),
    ...stem.map((name) => name.replaceAll('-', '.')),
    ...stem.map((name) => `HTTP_${name.replaceAll('-', '_').toUpperCase()}`),
    'X-Auth_Subject',
    'X-Auth-Subject_',
    'X-Auth--Subject',
    'X_Auth.Subject',
    'x-auth-subject~',
  ];

  it('B-019: no other spelling of an identity header reaches the upstream', async () => {
    const before = await mark(scene);
    for (const name of spellings)
      expect((await scene.ask({ token, lines: [`${name}: admin`] })).status).toBe(200);
    await before.hold({ forwarded: spellings.length, reasons: ['ok'] });
    for (const request of scene.upstream.requests) {
      for (const [name, value] of request.headerLines) if (value === 'admin') expect.fail(`${name} arrived`);
    }
  });

  it('B-019: a space before the colon is no header', async () => {
    const { answer, client } = await scene.unparsed(
      scene.request({ token, lines: ['X-Auth-Subject : admin'] }),
    );
    expect(answer.status).toBe(400);
    await client.close();
  });

  it("B-020: sent once, twice, empty or in every case, it is replaced by the gateway's own", async () => {
    const before = await mark(scene);
    const all = identityHeaderNames.map((name) => `${name}: admin`);
    const attempts = [
      all,
      [...all, ...all],
      identityHeaderNames.map((name) => `${name}:`),
      all.map((line) => line.toUpperCase()),
    ];
    for (const lines of attempts) {
      expect((await scene.ask({ token, lines })).status).toBe(200);
      const seen = scene.upstream.requests.at(-1);
      expect(seen?.header('x-auth-subject')).toEqual(['alice']);
      expect(seen?.header('x-auth-issuer')).toEqual([scene.issuer.url]);
      expect(seen?.header('x-auth-client-id')).toEqual(['test-client']);
      expect(seen?.header('x-auth-scopes')).toEqual(['mcp:use']);
      // The token has no email: nothing stands there, and not what the client wrote.
      expect(seen?.header('x-auth-email')).toEqual([]);
    }
    await before.hold({ forwarded: attempts.length, reasons: ['ok'] });
  });

  it('B-020: headers that a route renamed are guarded under their new names', async () => {
    const own = scene.token({ key: 'ES256', claims: { aud: scene.resource('/own'), groups: ['a', 'b,c'] } });
    const lines = [
      'X-Forwarded-User: admin',
      'X_Forwarded_User: admin',
      'X-Auth-Groups: admin',
      'X.Auth.Groups: admin',
    ];
    const answer = await scene.ask({ token: own, target: '/own', lines });
    expect(answer.status).toBe(200);
    const seen = scene.upstream.requests.at(-1);
    expect(seen?.header('x-forwarded-user')).toEqual(['alice']);
    expect(seen?.header('x-auth-groups')).toEqual(['a,b%2Cc']);
    expect(seen?.headerLines.filter(([, value]) => value === 'admin')).toEqual([]);
  });

  it('B-021: on an open route, by every method and in a stream, none arrives', async () => {
    const lines = [
      ...spellings.map((name) => `${name}: admin`),
      'Authorization: Bearer x',
      'X-Forwarded-User: admin',
    ];
    const before = await mark(scene);
    for (const method of ['POST', 'GET', 'DELETE']) await scene.ask({ method, target: '/open', lines });
    await scene.ask({ target: '/open', token, lines: spellings.map((name) => `${name}: admin`) });
    await before.hold({ forwarded: 4, reasons: ['ok'], identity: 'none' });
    for (const request of scene.upstream.requests.slice(-4))
      expect(request.headerLines.filter(([, value]) => value === 'admin')).toEqual([]);
  });

  it('B-021: after a refusal on the same connection none is left over', async () => {
    const before = await mark(scene);
    await using client = await scene.connect();
    client.send(scene.request({ lines: ['X-Auth-Subject: admin'] }));
    expectNoCredentials(await scene.answer(client), scene);
    client.send(scene.request({ token }));
    expect((await scene.answer(client)).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['no_credentials', 'ok'] });
  });
});

describe('what may travel', () => {
  it('B-022: only the list does', async () => {
    const known = [
      'Remote-User',
      'X-Auth-Request-User',
      'X-Auth-Request-Email',
      'X-Original-URL',
      'X-Original-URI',
      'X-Rewrite-URL',
      'X-Middleware-Subrequest',
      'X-Envoy-External-Address',
      'X-Envoy-Original-Path',
      'X-Amzn-Oidc-Data',
      'X-Amzn-Oidc-Identity',
      'Cf-Access-Jwt-Assertion',
      'Cf-Connecting-Ip',
      'X-Goog-Iap-Jwt-Assertion',
      'X-Goog-Authenticated-User-Email',
      'X-Ms-Client-Principal',
      'X-Ms-Client-Principal-Name',
      'Tailscale-User-Login',
      'X-SSL-Client-Cert',
      'X-SSL-Client-Verify',
      'X-Real-IP',
      'X-Forwarded-For',
      'X-Forwarded-User',
      'X-Forwarded-Groups',
      'Forwarded',
      'Via',
      'Baggage',
      'Traceparent',
      'Tracestate',
      'Origin-Agent-Cluster',
      'Referer',
      'Range',
      'If-None-Match',
      'Priority',
      'Sec-Fetch-Site',
      'X-Request-Id',
      'X-Content-Type',
      'XMcp-Name',
      'Mcp_Session_Id',
      'Mcp.Name',
      'Accept_Encoding',
      'Acceptx',
    ];
    const random = Array.from({ length: 300 }, (_, at) => `X-R${at.toString(36)}`);
    const before = await mark(scene);
    const seen = new Set<string>();
    for (const names of [known, random.slice(0, 150), random.slice(150)]) {
      expect((await scene.ask({ token, lines: names.map((name) => `${name}: v`) })).status).toBe(200);
      for (const name of namesSeen()) seen.add(name);
    }
    await before.hold({ forwarded: 3, reasons: ['ok'] });
    const ours = [
      'host',
      'connection',
      'content-type',
      'content-length',
      'x-auth-subject',
      'x-auth-issuer',
      'x-auth-client-id',
      'x-auth-scopes',
    ];
    expect([...seen].toSorted()).toEqual(ours.toSorted());
    expect(scene.upstream.requests.at(-1)?.header('host')).toEqual([`localhost:${scene.upstream.port}`]);
  });

  it('B-022: what MCP and HTTP need does', async () => {
    const lines = [
      'Accept: application/json',
      'Accept-Language: de',
      'User-Agent: x',
      'MCP-Protocol-Version: 2025-11-25',
      'Mcp-Param-A: 1',
    ];
    const before = await mark(scene);
    expect((await scene.ask({ token, lines })).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
    for (const line of lines) {
      const [name = '', value] = line.split(': ');
      expect(scene.upstream.requests.at(-1)?.header(name)).toEqual([value]);
    }
  });

  it("B-022: a line that must be the only one of its name is refused when it isn't", async () => {
    const before = await mark(scene);
    for (const name of [
      'Mcp-Session-Id',
      'MCP-Protocol-Version',
      'Mcp-Method',
      'Mcp-Name',
      'Last-Event-ID',
      'Content-Type',
    ])
      expect(
        (
          await scene.ask({
            token,
            lines: [`${name}: application/json`, `${name.toLowerCase()}: text/plain`],
          })
        ).status,
      ).toBe(400);
    await before.hold({ forwarded: 0, reasons: ['duplicate_header'] });
  });

  it('B-024: no credential of the client does', async () => {
    const canary = 'canary-0123456789abcdef0123456789';
    scene.secrets.add(canary);
    const names = [
      'DPoP',
      'Cookie',
      'Proxy-Authorization',
      'X-Api-Key',
      'Api-Key',
      'X-Access-Token',
      'X-Auth-Token',
      'X-Amz-Security-Token',
      'X-Goog-Api-Key',
      'Authentication',
      'X-Authorization',
    ];
    const before = await mark(scene);
    const answer = await scene.ask({ token, lines: names.map((name) => `${name}: ${canary}`) });
    expect(answer.status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
    const arrived = Buffer.concat(scene.upstream.connections.map(({ bytes }) => bytes)).toString('latin1');
    expect(arrived).not.toContain(canary);
    expect(arrived).not.toContain(token);
  });
});
