/** What log, audit, metrics, health and answers give away (attack catalogue E-001, E-002, E-006, E-011). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventStream } from '../support/event-stream.ts';
import { mark } from '../support/invariants.ts';
import { startIssuer } from '../support/issuer.ts';
import { eventually } from '../support/loopback.ts';
import type { RawResponse } from '../support/raw-response.ts';
import { Secrets } from '../support/secrets.ts';
import { startScene, type Ask, type Scene } from './scene.ts';

const secrets = new Secrets();
const canaries = {
  redis: secrets.mint('password of Redis'),
  client: secrets.mint('client secret'),
  session: secrets.mint('session key'),
  upstream: secrets.mint('key in the URL of the upstream'),
  cookie: secrets.mint('cookie'),
  proof: secrets.mint('DPoP proof'),
  key: secrets.mint('key of an API'),
  query: secrets.mint('token in the query'),
};

let scene: Scene;
let token: string;

beforeAll(async () => {
  const issuer = await startIssuer({ algorithms: ['ES256'] });
  scene = await startScene({
    issuers: [issuer],
    environment: {
      REDIS_URL: `redis://:${canaries.redis}@localhost:1`,
      CLIENT_SECRET: canaries.client,
      SESSION_KEY: canaries.session,
    },
    // Opaque tokens are asked about where nobody answers.
    servers: `log: { level: trace }
state: { redis: { url: { env: REDIS_URL } } }
sessions: { key: { env: SESSION_KEY } }
authorizationServers:
  - name: as0
    issuer: '${issuer.url}'
    introspection: { for: opaque, endpoint: 'http://localhost:1/introspect', clientId: gateway, clientSecret: { env: CLIENT_SECRET } }
`,
    routes: `routes:
  - { name: tools, path: /mcp, scopes: [mcp:use], limits: { body: 2MiB }, upstream: '$upstream?key=${canaries.upstream}' }
  - name: ruled
    path: /ruled
    policy: [{ name: readers, tools: ['get_*'] }, { name: writers, tools: ['put_*'] }, { name: listeners, prompts: ['*'] }]
    upstream: '$upstream'
  - { name: limited, path: /limited, rateLimit: { requests: 1, per: 1h }, upstream: '$upstream' }
  - { name: bound, path: /bound, dpop: required, upstream: '$upstream' }
  - { name: lost, path: /lost, upstream: 'http://localhost:1/mcp' }
  - { name: untrusted, path: /untrusted, upstream: '${issuer.url.replace('http:', 'https:')}' }`,
  });
  token = secrets.watch('token', tokenFor());
});
afterAll(() => scene.close());

const paths = ['/mcp', '/ruled', '/limited', '/bound', '/lost', '/untrusted'];

function tokenFor(claims: Readonly<Record<string, unknown>> = {}, header = {}): string {
  return scene.token({ header, claims: { aud: paths.map((path) => scene.resource(path)), ...claims } });
}

async function metricsOf({ gateway }: Scene): Promise<string> {
  return (await fetch(`${gateway.opsUrl}/metrics`)).text();
}

function tool(name: string, id = 1): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name } });
}

interface Fault {
  readonly ask: Ask;
  readonly status: number;
  /** What the upstream does about it. */
  readonly upstream?: Parameters<Scene['upstream']['answerOnce']>[0];
}

/** Every way to be refused or to fail that one request can bring about. */
function faults(): readonly Fault[] {
  const refused: readonly (readonly [number, Ask])[] = [
    [401, {}],
    [401, { token: `${token}x` }],
    [401, { token: tokenFor({ exp: 1 }) }],
    [401, { token: tokenFor({ aud: 'https://other.example' }) }],
    [401, { token: tokenFor({ iss: 'https://evil.example' }) }],
    [401, { token: `${token.slice(0, 20)}\u00ff` }],
    [503, { token: `opaque${canaries.query}` }],
    [403, { token: tokenFor({ scope: 'other' }) }],
    [403, { token, host: 'evil.example' }],
    [403, { token, lines: ['Origin: https://evil.example'] }],
    [400, { token, lines: [`Authorization: Bearer ${token}`] }],
    [400, { token, body: '{"jsonrpc":' }],
    [400, { token, target: '/%zz' }],
    [404, { token, target: `/nowhere?access_token=${canaries.query}` }],
    [404, { token, target: `/;jsessionid=${canaries.query}` }],
    [404, { token, lines: [`Mcp-Session-Id: ${canaries.query}`] }],
    [405, { token, method: 'PUT', body: null }],
    [413, { token, body: tool('x'.repeat(2 * 1024 * 1024)) }],
    [415, { token, contentType: 'text/plain' }],
    [200, { token, target: '/ruled', body: tool(`delete_${canaries.query}`) }],
    [401, { token, target: '/bound', lines: [`DPoP: ${canaries.proof}`] }],
    [502, { token, target: '/lost' }],
    [502, { token, target: '/untrusted' }],
  ];
  const answered: readonly (readonly [number, NonNullable<Fault['upstream']>])[] = [
    [502, { bytes: `nonsense ${canaries.upstream}\r\n\r\n` }],
    [502, 'reset'],
    [502, { status: 302, headers: { location: `https://other.example/?key=${canaries.upstream}` } }],
    [502, { status: 401, headers: { 'www-authenticate': `Bearer realm="${canaries.upstream}"` } }],
    [502, { bytes: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}\r\n\r\n` }],
  ];
  return [
    ...refused.map(([status, ask]) => ({ status, ask })),
    ...answered.map(([status, upstream]) => ({ status, upstream, ask: { token } })),
    // The first of them is let in.
    ...[200, 429].map((status) => ({ status, ask: { token, target: '/limited' } })),
  ];
}

/** What every client may send besides, and a careless server writes down. */
const carried = [
  `Cookie: sid=${canaries.cookie}`,
  `X-Api-Key: ${canaries.key}`,
  `Referer: https://example.com/?token=${canaries.query}`,
];

describe('what goes wrong', () => {
  const answers: RawResponse[] = [];
  let tried: readonly Fault[];
  let before: { readonly audit: number };

  beforeAll(async () => {
    before = { audit: scene.gateway.audit.length };
    tried = faults();
    for (const { ask, upstream } of tried) {
      if (upstream !== undefined) scene.upstream.answerOnce(upstream);
      answers.push(await scene.ask({ ...ask, lines: [...(ask.lines ?? []), ...carried] }));
    }
    await eventually('all is written', () => scene.gateway.audit.length - before.audit >= answers.length);
  });

  it('E-002: gets the status that says who must act', () => {
    expect(answers.map(({ status }, index) => [index, status])).toEqual(
      tried.map(({ status }, index) => [index, status]),
    );
  });

  it('E-001: shows no secret in log, audit, metrics, health or answers, at the loudest level', async () => {
    for (const [index, { ask }] of tried.entries())
      if (ask.token !== undefined) secrets.watch(`token of request ${index}`, ask.token);
    const ops = async (path: string): Promise<string> =>
      (await fetch(`${scene.gateway.opsUrl}${path}`)).text();
    const places = {
      written: scene.gateway.written,
      metrics: await metricsOf(scene),
      readyz: await ops('/readyz'),
      healthz: await ops('/healthz'),
      answers: answers
        .map(({ headerLines, body }) => `${JSON.stringify(headerLines)}${body.toString('latin1')}`)
        .join('\n'),
    };
    // A name that a caller made up stands in the audit, where it is looked for; a client shouldn't hide a secret there.
    const { audit: named } = Object.groupBy(scene.gateway.audit, ({ target }) =>
      typeof target === 'string' && target.includes(canaries.query) ? 'audit' : 'rest',
    );
    expect(named).toHaveLength(1);
    expect(
      secrets.leaksIn({ ...places, written: places.written.replaceAll(`delete_${canaries.query}`, '') }),
    ).toEqual([]);
  });

  it('E-002: is answered in constant words: no library, host, port, stack or claim', () => {
    for (const { headerLines, body, status } of answers) {
      const names = headerLines.map(([name]) => name.toLowerCase());
      expect(names).not.toContain('server');
      expect(names).not.toContain('x-powered-by');
      const text = body.toString();
      for (const revealing of [
        /\b(?:E[A-Z]{5,}|UND_\w+|HPE_\w+)\b/,
        /localhost|127\.0\.0\.1|[\w\]]:\d{4,5}|undici|fastify|jose|node_modules|\.[jt]s\b|\n {4}at /i,
        /alice|evil\.example|\bkid\b|signature/i,
      ])
        expect(text).not.toMatch(revealing);
      if (status >= 400) expect(names).toContain('x-request-id');
    }
    const told = answers
      .map(({ headerLines }) => headerLines.find(([name]) => name.toLowerCase() === 'www-authenticate')?.[1])
      .flatMap((challenge) => /error_description="([^"]*)"/.exec(challenge ?? '')?.[1] ?? []);
    expect([...new Set(told)].toSorted()).toEqual([
      'The access token expired',
      'The access token is invalid',
    ]);
  });

  it("E-011: leaves exactly one event each, under the gateway's own id, the refused ones too", () => {
    const events = scene.gateway.audit.slice(before.audit);
    expect(events.map(({ status }) => status)).toEqual(answers.map(({ status }) => status));
    expect(new Set(events.map(({ requestId }) => requestId)).size).toBe(answers.length);
    for (const [index, { requestId }] of events.entries()) {
      const [told] = answers[index]?.header('x-request-id') ?? [];
      if (told !== undefined) expect(told).toBe(requestId);
    }
  });
});

describe('the audit', () => {
  it('E-011: takes no id from a client, and has one event for a batch, a session and a stream', async () => {
    const before = await mark(scene);
    const forged = [
      'X-Request-Id: forged-1',
      'X-Correlation-Id: forged-2',
      'Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    ];
    const batch = `[${tool('get_a', 1)},${tool('delete_b', 2)}]`;
    const stream = new EventStream();
    const asks: readonly Ask[] = [
      { token, lines: forged },
      { lines: forged },
      { token, target: '/ruled', body: batch, lines: forged },
      { token, lines: [...forged, 'Mcp-Session-Id: forged-3'] },
    ];
    for (const ask of asks) await scene.ask(ask);
    scene.upstream.answerOnce(stream);
    const open = scene.ask({ token, method: 'GET', lines: ['Accept: text/event-stream', ...forged] });
    await stream.opened();
    await stream.end();
    await open;
    const events = await before.hold({
      forwarded: 2,
      requests: 5,
      reasons: ['ok', 'no_credentials', 'call_denied', 'session_unknown', 'ok'],
    });
    expect(events.map(({ decision }) => decision)).toEqual(['allow', 'deny', 'deny', 'deny', 'allow']);
    expect(JSON.stringify(events)).not.toMatch(/forged|0af7651916cd43dd/);
  });
});

describe('the ops listener', () => {
  const inside = ['metrics', 'healthz', 'readyz', 'admin', 'debug', 'config', 'version', 'debug/pprof/heap'];

  it('E-006: is not to be found on the public one, under any spelling, route or host', async () => {
    const opsHost = new URL(scene.gateway.opsUrl).host;
    const targets = inside.flatMap((name) => [
      `/${name}`,
      `//${name}`,
      `/mcp/${name}`,
      `/mcp/..%2f${name}`,
      `/%${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
    ]);
    for (const target of targets)
      for (const host of [undefined, opsHost]) {
        const answer = await scene.ask({
          method: 'GET',
          target,
          token,
          body: null,
          ...(host === undefined ? {} : { host }),
        });
        expect([target, answer.status >= 400]).toEqual([target, true]);
        expect(answer.body.toString()).not.toMatch(/portcullis_|"version"|"ready"/);
      }
  });

  it('E-006: tells whether it lives and is ready, changes nothing, and knows no other address', async () => {
    const { opsUrl } = scene.gateway;
    expect(new URL(opsUrl).hostname).toBe('127.0.0.1');
    for (const [path, status] of [
      ['healthz', 'ok'],
      ['readyz', 'ready'],
    ] as const)
      expect(await (await fetch(`${opsUrl}/${path}`)).json()).toEqual({
        status,
        version: expect.any(String) as string,
      });
    for (const path of inside)
      for (const method of ['POST', 'PUT', 'DELETE'])
        expect(
          (await fetch(`${opsUrl}/${path}`, { method, body: method === 'DELETE' ? null : '{}' })).status,
        ).toBe(404);
    for (const path of ['admin', 'debug', 'config', 'version', '../etc/passwd', 'metrics/..%2fconfig'])
      expect((await fetch(`${opsUrl}/${path}`)).status).toBe(404);
  });
});
