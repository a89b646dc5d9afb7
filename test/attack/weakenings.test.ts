/** Settings that weaken a default: told at every start, counted, and no wider than they say (attack catalogue E-004). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningGateway } from '../support/gateway.ts';
import { startGateway } from '../support/gateway.ts';
import { mark } from '../support/invariants.ts';
import { startIssuer } from '../support/issuer.ts';
import { startScene } from './scene.ts';

interface Settings {
  readonly top?: string;
  readonly server?: string;
  readonly issuer?: string;
  readonly route?: string;
  readonly upstream?: string;
}

/** Two servers and two routes; the settings are the second one's. */
function text({ top = '', server = '', issuer = 'https://b.example', route = '', upstream = '' }: Settings) {
  const introspection = 'introspection: { clientId: gate, clientSecret: { env: SECRET } }';
  return `${top}
authorizationServers:
  - { name: a, issuer: https://a.example, ${introspection} }
  - { name: b, issuer: ${issuer}, ${server} }
routes:
  - { name: first, path: /first, authorizationServers: [a], upstream: 'http://localhost:9/first' }
  - { name: second, path: /second, upstream: { url: 'http://localhost:9/second', ${upstream} }, ${route} }
`;
}

const weak: readonly (readonly [setting: string, settings: Settings, says: RegExp])[] = [
  [
    'listen.trustProxy[0]',
    { top: 'listen: { host: 127.0.0.1, port: 0, trustProxy: [0.0.0.0/1] }' },
    /0\.0\.0\.0\/1/,
  ],
  [
    'listen.trustProxy[1]',
    { top: "listen: { host: 127.0.0.1, port: 0, trustProxy: [10.0.0.0/8, '::/1'] }" },
    /X-Forwarded-For/,
  ],
  ['authorizationServers[1].verify.exp', { server: 'verify: { exp: false }' }, /expired tokens of b/],
  ['authorizationServers[1].verify.nbf', { server: 'verify: { nbf: false }' }, /before they are valid/],
  ['authorizationServers[1].verify.iat', { server: 'verify: { iat: false }' }, /issued in the future/],
  [
    'authorizationServers[1].verify.iss',
    { server: 'verify: { iss: false }', route: 'authorizationServers: [b]' },
    /whatever issuer/,
  ],
  ['authorizationServers[1].requireExp', { server: 'requireExp: false' }, /never expire/],
  ['authorizationServers[1].leeway', { server: 'leeway: 1h' }, /3600 s/],
  ['authorizationServers[1].keys.ttl', { server: 'keys: { ttl: 2d }' }, /withdrawn/],
  ['authorizationServers[1].keys.maxStale', { server: 'keys: { maxStale: 24d }' }, /can't be asked/],
  ['authorizationServers[1].allowHosts', { server: 'allowHosts: [keys.internal]' }, /keys\.internal/],
  [
    'authorizationServers[1].dangerouslyAllowHttp',
    { issuer: 'http://b.example', server: 'dangerouslyAllowHttp: true' },
    /plain http/,
  ],
  [
    'authorizationServers[1].introspection.cache',
    {
      server: 'introspection: { clientId: gate, clientSecret: { env: SECRET }, cache: 1h }',
      route: 'authorizationServers: [b]',
    },
    /revoked/,
  ],
  [
    'routes[1].authorizationServers',
    { server: 'introspection: { clientId: gate, clientSecret: { env: SECRET } }' },
    /a, b in this order/,
  ],
  ['routes[1].access', { route: 'access: open' }, /anyone may use it/],
  [
    'routes[1].access',
    { route: 'access: optional, policy: [{ name: all, tools: [public_*] }]' },
    /without a token/,
  ],
  ['routes[1].streams.closeOnExpiry', { route: 'streams: { closeOnExpiry: never }' }, /after the token/],
  ['routes[1].streams.closeOnExpiry', { route: 'streams: { closeOnExpiry: 1h }' }, /after the token/],
  [
    'routes[1].upstream.sharedProcess',
    { upstream: 'transport: sse, sharedProcess: accept-risk' },
    /each other/,
  ],
  [
    'routes[1].upstream.token',
    { upstream: 'token: passthrough, resource: https://mcp.internal/mcp' },
    /sees the tokens/,
  ],
];

const environment = { SECRET: 'a secret of the tests, long enough for everyone' };

async function start(settings: Settings): Promise<RunningGateway> {
  return startGateway(text(settings), {
    environment,
    when: 'listening',
    // Nothing leaves this machine: whom the text names isn't there.
    fetch: () => Promise.reject(new TypeError('nobody is there')),
  });
}

/** What the log warned of, by setting. */
function warned({ log }: RunningGateway): readonly (readonly [unknown, unknown])[] {
  return log
    .filter((line) => line['level'] === 'warn' && 'setting' in line)
    .map((line) => [line['setting'], line['msg']]);
}

async function counted({ opsUrl }: RunningGateway): Promise<readonly string[]> {
  const exposed = await (await fetch(`${opsUrl}/metrics`)).text();
  return [...exposed.matchAll(/^portcullis_weakened_setting\{setting="([^"]*)"\} 1$/gm)].map(
    ([, setting = '']) => setting,
  );
}

describe('a setting that weakens a default', () => {
  it('is none of the others: without one nothing is warned of and nothing counted (E-004)', async () => {
    await using gateway = await start({});
    expect([warned(gateway), await counted(gateway)]).toEqual([[], []]);
  });

  it.each(weak)(
    'is warned of at the start, and counted, by its own place alone: %s (E-004)',
    async (setting, settings, says) => {
      await using gateway = await start(settings);
      expect(warned(gateway)).toEqual([[setting, expect.stringMatching(says)]]);
      expect(await counted(gateway)).toEqual([setting]);
    },
  );

  it('is warned of again by a configuration that takes another’s place, and counted no more when it is gone (E-004)', async () => {
    await using gateway = await start({});
    await gateway.reload(text({ route: 'access: open' }));
    expect(warned(gateway)).toEqual([['routes[1].access', expect.any(String)]]);
    expect(await counted(gateway)).toEqual(['routes[1].access']);
    await gateway.reload(text({}));
    expect(await counted(gateway)).toEqual([]);
  });
});

describe('what a weakened server or route allows', () => {
  let scene: Awaited<ReturnType<typeof startScene>>;
  beforeEach(async () => {
    const issuers = [
      await startIssuer({ algorithms: ['ES256'] }),
      await startIssuer({ algorithms: ['ES256'] }),
    ];
    scene = await startScene({
      issuers,
      servers: `authorizationServers:
  - { name: strict, issuer: '${issuers[0]?.url}' }
  - { name: lax, issuer: '${issuers[1]?.url}', verify: { exp: false } }
`,
      routes: `routes:
  - { name: tools, path: /mcp, upstream: '$upstream' }
  - { name: anyone, path: /anyone, access: open, upstream: '$upstream' }`,
    });
  });
  afterEach(() => scene.close());

  it('is allowed there alone: the other server’s expired tokens and the other route stay refused (E-004)', async () => {
    const [strict, lax] = scene.issuers;
    const past = Math.floor(Date.now() / 1000) - 60;
    const expired = { claims: { iat: past - 60, exp: past } };
    const before = await mark(scene);
    const statuses = [
      await scene.ask({ token: scene.token(expired, strict) }),
      await scene.ask({ token: scene.token(expired, lax) }),
      await scene.ask(),
      await scene.ask({
        token: scene.token({ claims: { ...expired.claims, aud: 'https://other.example' } }, lax),
      }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([401, 200, 401, 401]);
    await before.hold({
      forwarded: 1,
      reasons: ['token_expired', 'ok', 'no_credentials', 'token_audience'],
    });
    const open = await mark(scene);
    expect((await scene.ask({ target: '/anyone' })).status).toBe(200);
    await open.hold({ forwarded: 1, reasons: ['ok'], identity: 'none' });
  });
});
