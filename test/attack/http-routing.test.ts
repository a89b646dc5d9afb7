/** Targets, hosts and headers that would change which route decides (attack catalogue B-015, B-031 to B-041). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mark } from '../support/invariants.ts';
import { expectError, expectNoCredentials } from './answers.ts';
import { startScene, type Scene } from './scene.ts';

let scene: Scene;
let token: string;

beforeAll(async () => {
  scene = await startScene({
    routes: `routes:
  - { name: tools, path: /mcp, scopes: [mcp:use], default: true, upstream: '$upstream/base?key=1' }
  - { name: admin, path: /mcp-admin, scopes: [mcp:admin], upstream: '$upstream' }
  - { name: nested, path: /team/a/mcp, upstream: '$upstream' }
  - { name: public, path: /open, access: open, upstream: '$upstream' }`,
  });
  token = scene.token({ key: 'ES256' });
});

afterAll(() => scene.close());

describe('methods', () => {
  it.each(['TRACE', 'PUT', 'PATCH', 'PROPFIND', 'QUERY', 'HEAD', 'OPTIONS', 'LOCK', 'M-SEARCH', 'PURGE'])(
    'B-015: %s with a token gets 405 with Allow, and nothing of the request back',
    async (method) => {
      const before = await mark(scene);
      const answer = await scene.ask({ method, token, body: null });
      expect(answer.status).toBe(405);
      expect(answer.header('allow')).toEqual(['GET, POST, DELETE']);
      if (method !== 'HEAD') expectError(answer, { code: -32600, message: 'Method not allowed' });
      await before.hold({ forwarded: 0, reasons: ['method_not_served'] });
    },
  );

  it("B-015: a header or query that names another method changes nothing and doesn't travel", async () => {
    const before = await mark(scene);
    const lines = ['X-HTTP-Method-Override: DELETE', 'X-HTTP-Method: DELETE', 'X-Method-Override: DELETE'];
    expect((await scene.ask({ token, target: '/mcp?_method=DELETE', lines })).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
    const seen = scene.upstream.requests.at(-1);
    expect(seen?.method).toBe('POST');
    expect(seen?.headerLines.filter(([name]) => /method/i.test(name))).toEqual([]);
  });
});

describe('targets', () => {
  /** With a good token: what isn't exactly a route is nobody's. */
  async function expectNowhere(
    targets: readonly string[],
    statuses: readonly number[] = [404],
  ): Promise<void> {
    const before = await mark(scene);
    for (const target of targets) {
      const answer = await scene.ask({ target, token });
      if (!statuses.includes(answer.status)) expect.fail(`${answer.status} for ${target}`);
      expect(answer.header('www-authenticate')).toEqual([]);
    }
    const events = await before.hold({ forwarded: 0 });
    for (const { reason } of events) expect(['no_such_route', 'target_form']).toContain(reason);
  }

  it('B-031: only the origin form is served', async () => {
    await expectNowhere(
      [
        `http://localhost:${scene.gateway.port}/mcp`,
        'http://evil.example/mcp',
        `http://127.0.0.1:${scene.upstream.port}/admin`,
        `http://localhost:${scene.gateway.port}@evil.example/mcp`,
        'https://localhost/mcp',
        '//evil.example/mcp',
        '///mcp',
        `//localhost:${scene.gateway.port}/mcp`,
      ],
      [400, 404],
    );
    for (const target of ['https:mcp', 'mcp', 'localhost/mcp', '*']) {
      const before = await mark(scene);
      await using client = await scene.connect();
      client.send(scene.request({ target, token }));
      const answer = await client.response();
      expect(answer.status).toBe(400);
      await before.hold({ forwarded: 0, requests: answer.body.length > 0 ? 1 : 0 });
    }
  });

  it('B-036: no way round through dots, slashes, backslashes and their encodings', async () => {
    await expectNowhere(
      [
        '/open/../mcp',
        '/mcp/../mcp-admin',
        '/mcp/..',
        '/mcp/.',
        '/./mcp',
        '/mcp/%2e%2e/mcp-admin',
        '/mcp/%2E%2E/',
        '/mcp/..%2fmcp-admin',
        '/mcp/..%2F..%2Fadmin',
        '/mcp/..;/admin',
        '/mcp/..\\admin',
        '/mcp\\..\\admin',
        '/mcp/%5c..%5cadmin',
        '/mcp/%5C',
        '/mcp/%252e%252e/admin',
        '/mcp/%c0%ae%c0%ae/admin',
        '/mcp/%2e',
        '/open/%2e%2e/mcp',
        '/open/..%2fmcp',
        '/open/%252e%252e/mcp',
        '/.well-known/../mcp',
        '/.well-known/%2e%2e/mcp',
        '/healthz/../mcp',
        '/mcp/%00',
        '/mcp%00',
        '/mcp/%zz',
        '/mcp%',
      ],
      [400, 404],
    );
  });

  it('B-037: a route is its whole path, with one slash more at the most', async () => {
    await expectNowhere([
      '/mcpx',
      '/mcp-',
      '/mcp/x',
      '/mcp//',
      '/mcp//x',
      '//mcp',
      '/MCP',
      '/Mcp',
      '/mcp;v=1',
      '/mcp;',
      '/mcp,',
      '/mcp.json',
      '/mc',
      '/',
      '/team',
      '/team/a',
      '/team//a/mcp',
      '/team/a/mcp/x',
      '/team/a/',
    ]);
    const before = await mark(scene);
    expect((await scene.ask({ target: '/mcp/', token })).status).toBe(200);
    expect((await scene.ask({ target: '/mcp-admin', token })).status).toBe(401);
    expectNoCredentials(await scene.ask({ target: '/mcp/' }), scene);
    await before.hold({ forwarded: 1, reasons: ['ok', 'token_audience', 'no_credentials'] });
  });

  it("B-038: another spelling of a route's letters is another path", async () => {
    await expectNowhere(
      [
        '/%6dcp',
        '/mc%70',
        '/%6D%63%70',
        '/mcp%2F',
        '/mcp%2f',
        '/%2Fmcp',
        '/mcp%3F',
        '/mcp%23',
        '/mcp%20',
        '/%2emcp',
        '/team%2Fa%2Fmcp',
      ],
      [400, 404],
    );
  });

  it("B-036: the upstream's path is the configured one, whatever the query says", async () => {
    const from = scene.upstream.requests.length;
    const before = await mark(scene);
    const targets = ['/mcp', '/mcp?', '/mcp?a=1&b=../..', '/mcp/?x', '/mcp?/../admin', '/mcp?a?b'];
    for (const target of targets) expect((await scene.ask({ target, token })).status).toBe(200);
    await before.hold({ forwarded: targets.length, reasons: ['ok'] });
    const seen = new Set(scene.upstream.requests.slice(from).map(({ target }) => target));
    expect(seen).toEqual(new Set(['/mcp/base?key=1']));
  });
});

describe('hosts', () => {
  it('B-032: a foreign Host is refused everywhere, before credentials', async () => {
    const hosts = [
      'evil.example',
      `evil.example:${scene.gateway.port}`,
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'localhost.',
      '[::2]',
      'xn--localhost-',
    ];
    const before = await mark(scene);
    for (const host of hosts) {
      for (const target of ['/mcp', '/open', '/nowhere', '/.well-known/oauth-protected-resource/mcp']) {
        const answer = await scene.ask({
          host,
          target,
          token,
          method: target.startsWith('/.') ? 'GET' : 'POST',
        });
        expect(answer.status).toBe(403);
        expect(`${JSON.stringify(answer.headerLines)}${answer.body.toString()}`).not.toContain('evil');
        expect(answer.header('www-authenticate')).toEqual([]);
      }
    }
    await before.hold({ forwarded: 0, reasons: ['host_not_listed'] });
  });

  it('B-032 and B-034: no header changes a byte of metadata, challenge or upstream target', async () => {
    const lies = [
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Port: 444',
      'X-Forwarded-Prefix: /evil',
      'X-Forwarded-For: 8.8.8.8, 9.9.9.9',
      'X-Real-IP: 8.8.8.8',
      'Forwarded: for=8.8.8.8;host=evil.example;proto=https',
      'X-Host: evil.example',
      'X-Forwarded-Server: evil.example',
      'X-Original-Host: evil.example',
    ];
    const stable = (answer: Awaited<ReturnType<Scene['ask']>>): unknown => [
      answer.status,
      answer.headerLines.filter(([name]) => !['x-request-id', 'date'].includes(name.toLowerCase())),
      answer.body.toString(),
    ];
    const before = await mark(scene);
    for (const ask of [
      { method: 'GET', target: '/.well-known/oauth-protected-resource/mcp' },
      { target: '/mcp' },
      { target: '/mcp', token: 'bad.bad.bad' },
      { target: '/nowhere' },
    ]) {
      const plain = stable(await scene.ask(ask));
      for (const line of lies) expect(stable(await scene.ask({ ...ask, lines: [line] }))).toEqual(plain);
      expect(stable(await scene.ask({ ...ask, lines: lies }))).toEqual(plain);
    }
    const events = await before.hold({ forwarded: 0 });
    expect(new Set(events.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']));
  });

  it('B-034: a long chain from an untrusted peer is passed over', async () => {
    const before = await mark(scene);
    const chain = Array.from({ length: 1200 }, (_, at) => `10.0.${at >> 8}.${at & 255}`).join(',');
    for (const line of [
      `X-Forwarded-For: ${chain}`,
      'X-Forwarded-For: ::ffff:127.0.0.1',
      'X-Forwarded-For: \x22;--',
    ])
      expect((await scene.ask({ token, lines: [line] })).status).toBe(200);
    const events = await before.hold({ forwarded: 3, reasons: ['ok'] });
    for (const { address } of events) expect(address).toBe('127.0.0.1');
    expect(scene.upstream.requests.at(-1)?.header('x-forwarded-for')).toEqual([]);
  });

  it("B-034: behind a trusted proxy the right-most hop that isn't trusted counts, and nothing else", async () => {
    await using behind = await startScene({
      routes: `listen: { host: 127.0.0.1, port: $port, trustProxy: [127.0.0.1/32, 10.0.0.0/8] }
routes: [{ name: tools, path: /mcp, scopes: [mcp:use], upstream: '$upstream' }]`,
    });
    const before = await mark(behind);
    const chains = [
      '8.8.8.8, 9.9.9.9, 10.1.2.3',
      '9.9.9.9',
      '127.0.0.1, 9.9.9.9',
      '8.8.8.8,9.9.9.9,127.0.0.1',
    ];
    const lies = ['X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: https'];
    for (const chain of chains)
      expectNoCredentials(await behind.ask({ lines: [`X-Forwarded-For: ${chain}`, ...lies] }), behind);
    const events = await before.hold({ forwarded: 0, reasons: ['no_credentials'] });
    expect(events.map(({ address }) => address)).toEqual(chains.map(() => '9.9.9.9'));
  });
});

describe('headers that name another path', () => {
  it("B-035: change nothing about who must show a token, and don't travel", async () => {
    const names = [
      'X-Forwarded-Uri',
      'X-Original-URI',
      'X-Original-URL',
      'X-Rewrite-URL',
      'X-Forwarded-Path',
      'X-Envoy-Original-Path',
      'X-Accel-Redirect',
      'X-Override-URL',
    ];
    const lines = names.flatMap((name) => [`${name}: /open`]);
    const before = await mark(scene);
    expectNoCredentials(await scene.ask({ lines }), scene);
    for (const line of lines) expectNoCredentials(await scene.ask({ lines: [line] }), scene);
    expect((await scene.ask({ lines, token })).status).toBe(200);
    await before.hold({ forwarded: 1 });
    const seen = scene.upstream.requests.at(-1)?.headerLines.map(([name]) => name.toLowerCase()) ?? [];
    for (const name of names) expect(seen).not.toContain(name.toLowerCase());
  });

  it("B-040: no probe's name opens a route", async () => {
    const agents = [
      'GoogleHC/1.0',
      'kube-probe/1.30',
      'ELB-HealthChecker/2.0',
      'Prometheus/3',
      'Go-http-client/1.1',
    ];
    const before = await mark(scene);
    for (const agent of agents) {
      for (const method of ['GET', 'HEAD', 'POST'])
        expectNoCredentials(
          await scene.ask({
            method,
            body: null,
            lines: [`User-Agent: ${agent}`, 'X-Health: 1', 'X-Health-Check: true'],
          }),
          scene,
        );
    }
    await before.hold({ forwarded: 0, reasons: ['no_credentials'] });
    for (const target of ['/healthz', '/readyz', '/metrics', '/livez', '/health', '/ping', '/oauth2/auth'])
      expect((await scene.ask({ method: 'GET', target })).status).toBe(404);
  });
});

describe('the well-known space', () => {
  const metadata = '/.well-known/oauth-protected-resource';

  it('B-041: only the configured documents are there', async () => {
    const before = await mark(scene);
    for (const target of [metadata, `${metadata}/mcp`, `${metadata}/mcp-admin`, `${metadata}/team/a/mcp`]) {
      const answer = await scene.ask({ method: 'GET', target });
      expect(answer.status).toBe(200);
      const path = target.slice(metadata.length) || '/mcp';
      expect(JSON.parse(answer.body.toString())).toMatchObject({ resource: scene.resource(path) });
      const head = await scene.ask({ method: 'HEAD', target });
      expect([head.status, head.body.length]).toEqual([200, 0]);
    }
    const nothing = [
      `${metadata}/`,
      `${metadata}/mcp/`,
      `${metadata}/mcp/x`,
      `${metadata}/mcpx`,
      `${metadata}/MCP`,
      `${metadata}/open`,
      `${metadata}/mcp/../mcp-admin`,
      `${metadata}/%2e%2e/x`,
      `${metadata}//mcp`,
      `${metadata}/team`,
      '/.well-known/',
      '/.well-known',
      '/.well-known/oauth-authorization-server',
      '/.well-known/oauth-authorization-server/mcp',
      '/.well-known/openid-configuration',
      '/mcp/.well-known/oauth-protected-resource',
      '/mcp/.well-known/openid-configuration',
      '/.WELL-KNOWN/oauth-protected-resource/mcp',
      '/authorize',
      '/token',
      '/register',
    ];
    for (const target of nothing) {
      const answer = await scene.ask({ method: 'GET', target, token });
      expect([target, answer.status]).toEqual([target, 404]);
      expectError(answer, { code: 40400, message: 'Not found' });
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE'])
      expect([404, 405]).toContain(
        (await scene.ask({ method, target: `${metadata}/mcp`, token, body: null })).status,
      );
    await before.hold({ forwarded: 0 });
  });
});
