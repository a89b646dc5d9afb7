/** Configurations that would leave something open: the gateway doesn't start with them (attack catalogue E-003). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { check } from '../../src/commands/check.ts';
import type { Configuration } from '../../src/config/configuration.ts';
import { loadConfiguration } from '../../src/config/load.ts';

type Environment = Readonly<Record<string, string>>;

function load(text: string, environment: Environment = {}): ReturnType<typeof loadConfiguration> {
  const readFile = (path: string): string => {
    if (path.endsWith('empty.txt')) return '';
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  };
  return loadConfiguration(text, { file: '/etc/portcullis/config.yaml', environment, readFile });
}

/** Where the faults are; none where the gateway would start. */
function faultyPlaces(text: string, environment: Environment = {}): readonly string[] {
  const loaded = load(text, environment);
  return loaded.ok ? [] : loaded.faults.map(({ path }) => path);
}

function configurationOf(text: string): Configuration {
  const loaded = load(text);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.configuration;
}

interface Change {
  readonly publicUrl?: string;
  readonly top?: string;
  readonly server?: string;
  readonly servers?: string;
  readonly route?: string;
  readonly upstream?: string;
}

/** A file without a fault, but for what is changed. */
function file(change: Change): string {
  const server = `{ name: corp, issuer: https://login.example.com, ${change.server ?? ''} }`;
  const upstream = `{ url: http://localhost:8000/mcp, ${change.upstream ?? ''} }`;
  return [
    change.publicUrl ?? 'publicUrl: https://mcp.example.com',
    change.servers ?? `authorizationServers: [${server}]`,
    `routes: [{ path: /mcp, upstream: ${upstream}, ${change.route ?? ''} }]`,
    change.top ?? '',
    '',
  ].join('\n');
}

const server = 'authorizationServers[0]';
const route = 'routes[0]';

const missing: readonly (readonly [string, string, string])[] = [
  ['nothing', '', ''],
  ['nothing but a comment', '# soon\n', ''],
  ['null', 'null\n', ''],
  ['no public URL', file({ publicUrl: '' }), 'publicUrl'],
  ['an empty public URL', file({ publicUrl: "publicUrl: ''" }), 'publicUrl'],
  ['no authorization server', file({ servers: '' }), 'authorizationServers'],
  ['an empty list of authorization servers', file({ servers: 'authorizationServers: []' }), ''],
  ['no issuer', file({ servers: 'authorizationServers: [{ name: corp }]' }), `${server}.issuer`],
  ['an empty issuer', file({ servers: "authorizationServers: [{ issuer: '' }]" }), `${server}.issuer`],
  [
    'an empty list of issuers',
    file({ servers: 'authorizationServers: [{ issuer: [] }]' }),
    `${server}.issuer`,
  ],
  ['no keys', file({ server: 'discovery: off' }), server],
  ['no algorithm', file({ server: 'algorithms: []' }), `${server}.algorithms`],
  ['no type of token', file({ server: 'tokenTypes: []' }), `${server}.tokenTypes`],
  ['an audience of nothing', file({ server: "audiences: ['']" }), `${server}.audiences[0]`],
  ['an audience of nothing for a route', file({ route: "audiences: ['']" }), `${route}.audiences[0]`],
  ['no server for a route', file({ route: 'authorizationServers: []' }), `${route}.authorizationServers`],
  [
    'an unknown server for a route',
    file({ route: 'authorizationServers: [other]' }),
    `${route}.authorizationServers[0]`,
  ],
  [
    'a rule that names no tool',
    file({ route: 'policy: [{ name: a, tools: [] }]' }),
    `${route}.policy[0].tools`,
  ],
  ['a scope of nothing', file({ route: "scopes: ['']" }), `${route}.scopes[0]`],
  ['access of nothing', file({ route: 'access: ' }), `${route}.access`],
];

const ofAnotherType: readonly (readonly [string, string, string])[] = [
  ['a scope list as a text', file({ route: 'scopes: mcp:use' }), `${route}.scopes`],
  ['a switch as a text', file({ server: "verify: { exp: 'true' }" }), `${server}.verify.exp`],
  ['a switch as a number', file({ server: 'requireExp: 1' }), `${server}.requireExp`],
  ['a switch as null', file({ server: 'verify: { exp: null }' }), `${server}.verify.exp`],
  ['access as false', file({ route: 'access: false' }), `${route}.access`],
  ['a mapping as a list', file({ server: 'verify: [exp]' }), `${server}.verify`],
  ['rules as a mapping', file({ route: 'policy: { name: a }' }), `${route}.policy`],
  ['a route as a text', `${file({}).split('routes')[0]}routes: [/mcp]\n`, 'routes[0]'],
  ['a condition as a truth', file({ route: 'policy: [{ name: a, when: true }]' }), `${route}.policy[0].when`],
];

const outOfRange: readonly (readonly [string, string, string])[] = [
  ['a leeway below zero', file({ server: 'leeway: -1s' }), `${server}.leeway`],
  ['a leeway without a unit', file({ server: 'leeway: 0' }), `${server}.leeway`],
  ['a leeway of years', file({ server: 'leeway: 3650d' }), `${server}.leeway`],
  ['a cool-down of nothing', file({ server: 'keys: { cooldown: 0s }' }), `${server}.keys.cooldown`],
  ['a time-out of nothing', file({ server: 'keys: { timeout: 0s }' }), `${server}.keys.timeout`],
  ['bodies without a limit', file({ route: 'limits: { body: 0B }' }), `${route}.limits.body`],
  ['streams without a limit', file({ route: 'limits: { streams: 0 }' }), `${route}.limits.streams`],
  ['streams below zero', file({ route: 'limits: { streams: -1 }' }), `${route}.limits.streams`],
  [
    'calls without a limit',
    file({ route: 'limits: { perPrincipal: { calls: 0 } }' }),
    `${route}.limits.perPrincipal.calls`,
  ],
  [
    'a rate of nothing',
    file({ route: 'rateLimit: { requests: 0, per: 1m }' }),
    `${route}.rateLimit.requests`,
  ],
  ['a rate in no time', file({ route: 'rateLimit: { requests: 1, per: 0s }' }), `${route}.rateLimit.per`],
  [
    'an address without a limit',
    file({ top: 'limits: { perAddress: { requests: 0, per: 1m } }' }),
    'limits.perAddress.requests',
  ],
  ['a proof for ever', file({ route: 'dpop: { mode: required, window: 1d }' }), `${route}.dpop.window`],
  [
    'no connecting time',
    file({ upstream: 'timeouts: { connect: 0s }' }),
    `${route}.upstream.timeouts.connect`,
  ],
  ['infinity', file({ route: 'limits: { streams: .inf }' }), `${route}.limits.streams`],
];

/** Checks that nobody can switch off, and words that would do it elsewhere. */
const opened: readonly (readonly [string, string, string])[] = [
  ['no check of the audience', file({ server: 'verify: { aud: false }' }), `${server}.verify.aud`],
  ['no check of signatures', file({ server: 'verify: { signature: false }' }), `${server}.verify.signature`],
  ['tokens without a signature', file({ server: 'algorithms: [none]' }), `${server}.algorithms[0]`],
  ['a shared secret', file({ server: 'algorithms: [RS256, HS256]' }), `${server}.algorithms[1]`],
  ['ID tokens', file({ server: 'tokenTypes: [logout+jwt]' }), `${server}.tokenTypes[0]`],
  ['every issuer', file({ servers: "authorizationServers: [{ issuer: '*' }]" }), `${server}.issuer`],
  [
    'issuers of whoever asks',
    file({ servers: "authorizationServers: [{ issuer: 'https://{tenant}/x' }]" }),
    `${server}.issuer`,
  ],
  [
    'no issuer on a route of two servers',
    file({
      servers:
        'authorizationServers: [{ name: a, issuer: https://a.example, verify: { iss: false } }, { issuer: https://b.example }]',
    }),
    `${server}.verify.iss`,
  ],
  [
    'plain http to an issuer',
    file({ servers: 'authorizationServers: [{ issuer: http://login.example.com }]' }),
    `${server}.issuer`,
  ],
  ['plain http for clients', file({ publicUrl: 'publicUrl: http://mcp.example.com' }), 'publicUrl'],
  ['unchecked TLS', file({ upstream: 'tls: { insecure: true }' }), `${route}.upstream.tls`],
  ['unchecked TLS to the issuer', file({ server: 'tls: { verify: false }' }), `${server}.tls.verify`],
  ['every host', file({ top: "hosts: ['*']" }), 'hosts[0]'],
  ['every origin', file({ route: "origins: ['*']" }), `${route}.origins[0]`],
  ['origins by a pattern', file({ route: "origins: ['https://*.example.com']" }), `${route}.origins[0]`],
  ['the origin of no page', file({ route: "origins: ['null']" }), `${route}.origins[0]`],
  ['every proxy', file({ top: 'listen: { trustProxy: true }' }), 'listen.trustProxy'],
  ['every address as a proxy', file({ top: 'listen: { trustProxy: [0.0.0.0/0] }' }), 'listen.trustProxy[0]'],
  ['proxies by number', file({ top: 'listen: { trustProxy: 1 }' }), 'listen.trustProxy'],
  ['proxies by name', file({ top: 'listen: { trustProxy: [proxy] }' }), 'listen.trustProxy[0]'],
  ['another word for open', file({ route: 'access: none' }), `${route}.access`],
  ['open, beside scopes', file({ route: 'access: open, scopes: [a]' }), `${route}.scopes`],
  ['optional without rules', file({ route: 'access: optional' }), `${route}.policy`],
  ['a token passed on to anyone', file({ upstream: 'token: passthrough' }), `${route}.upstream.token`],
  [
    'the token as one more header',
    file({ upstream: 'requestHeaders: [Authorization]' }),
    `${route}.upstream.requestHeaders[0]`,
  ],
  [
    'identity headers of the client',
    file({ upstream: 'requestHeaders: [x_auth_subject]' }),
    `${route}.upstream.requestHeaders[0]`,
  ],
  [
    'challenges of the upstream',
    file({ upstream: 'responseHeaders: [WWW-Authenticate]' }),
    `${route}.upstream.responseHeaders[0]`,
  ],
  ['a process that people share unsaid', file({ upstream: 'transport: sse' }), `${route}.upstream`],
  ['the operators’ pages on the public port', file({ top: 'ops: { port: 8080 }' }), 'ops.port'],
];

describe('a configuration that would leave something open', () => {
  it('is none without a change: the file of these tests is good (E-003)', () => {
    expect(configurationOf(file({})).routes[0]).toMatchObject({ access: 'required' });
  });

  it.each([...missing, ...ofAnotherType, ...outOfRange, ...opened])(
    'starts nothing, and the place is told: %s (E-003)',
    (_what, text, path) => {
      const places = faultyPlaces(text);
      expect(places.length).toBeGreaterThan(0);
      expect(places.filter((place) => !place.startsWith(path))).toEqual([]);
    },
  );

  it.each([
    ['a secret of an unset variable', { top: 'sessions: { key: { env: KEY } }' }, {}],
    ['a secret of an empty variable', { top: 'sessions: { key: { env: KEY } }' }, { KEY: '' }],
    ['a secret of a blank variable', { top: 'sessions: { key: { env: KEY } }' }, { KEY: ' ' }],
    ['a secret of a missing file', { top: 'sessions: { key: { file: gone.txt } }' }, {}],
    ['a secret of an empty file', { top: 'sessions: { key: { file: empty.txt } }' }, {}],
    [
      'the address of Redis of an empty variable',
      { top: 'state: { redis: { url: { env: R } } }' },
      { R: '' },
    ],
    ['authorities of an empty file', { server: 'tls: { caFile: empty.txt }' }, {}],
    ['authorities of a missing file', { server: 'tls: { caFile: gone.pem }' }, {}],
  ] as const)('starts nothing with %s (E-003)', (_what, change, environment) => {
    expect(faultyPlaces(file(change), environment)).toHaveLength(1);
  });

  it('is not made by a misspelt key: each key of the complete example is refused with one letter more (E-003)', () => {
    const text = readFileSync(new URL('../../config.example.yaml', import.meta.url), 'utf8');
    expect(load(text).ok).toBe(true);
    const keys = keysOf(parse(text));
    const leaves = keys.filter(({ isLeaf }) => isLeaf).map(({ path }) => path);
    expect(leaves.length).toBeGreaterThan(60);
    const told = faultyPlaces(stringify(leaves.reduce(misspell, parse(text))));
    expect(leaves.filter((path) => !told.includes(`${written(path)}s`))).toEqual([]);
    for (const { path, isLeaf } of keys)
      if (!isLeaf)
        expect(faultyPlaces(stringify(misspell(parse(text), path)))).toContain(`${written(path)}s`);
  });

  it('is not made by what the defaults leave out: a route asks everyone for a token unless it says open (E-003)', () => {
    const { routes } = configurationOf(file({}));
    expect(routes.map(({ access }) => access)).toEqual(['required']);
    expect(configurationOf(file({ servers: '', route: 'access: open' })).routes[0]).toMatchObject({
      access: 'open',
    });
  });
});

interface Key {
  readonly path: readonly (string | number)[];
  /** Whether no other key is below it. */
  readonly isLeaf: boolean;
}

/** All keys of a document, but the names of headers below `identity.claims`, which are the operator's own words. */
function keysOf(value: unknown, path: Key['path'] = []): readonly Key[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => keysOf(item, [...path, index]));
  if (typeof value !== 'object' || value === null || path.join().endsWith('identity,claims')) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const below = keysOf(child, [...path, key]);
    return [{ path: [...path, key], isLeaf: below.length === 0 }, ...below];
  });
}

/** As a fault names it. */
function written(path: Key['path']): string {
  return path
    .map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`))
    .join('');
}

/** The document with one letter more in one key. */
function misspell(document: unknown, path: Key['path']): unknown {
  const [step, ...rest] = path;
  if (Array.isArray(document))
    return document.map((item: unknown, index) => (index === step ? misspell(item, rest) : item));
  return Object.fromEntries(
    Object.entries(document as Record<string, unknown>).map(([key, below]) => {
      if (key !== step) return [key, below];
      return rest.length === 0 ? [`${key}s`, below] : [key, misspell(below, rest)];
    }),
  );
}

describe('the command', () => {
  /** `portcullis check`, which reads what `serve` reads. */
  function checked(files: Readonly<Record<string, string>>, name?: string): { code: number; told: string } {
    let told = '';
    const code = check(name, {
      out: () => expect.fail('nothing is served'),
      err: (text) => (told += text),
      environment: {},
      readFile: (path) => {
        const text = files[path];
        if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
        return text;
      },
      readStandardInput: () => Promise.resolve(''),
    });
    return { code, told };
  }

  it('ends with another code than 0 without a configuration, and says what is missing (E-003)', () => {
    for (const [name, says] of [
      [undefined, 'PORTCULLIS_CONFIG'],
      ['gone.yaml', 'gone.yaml'],
    ] as const) {
      const { code, told } = checked({}, name);
      expect(code).toBeGreaterThan(0);
      expect(told).toContain(says);
    }
  });

  it('ends with 78, and tells all that is wrong at once (E-003)', () => {
    const text = file({
      server: 'verify: { aud: false }, leeway: -1s',
      route: 'acess: open, limits: { streams: 0 }',
    });
    const { code, told } = checked({ 'config.yaml': text }, 'config.yaml');
    expect(code).toBe(78);
    for (const place of [
      `${server}.verify.aud`,
      `${server}.leeway`,
      `${route}.acess`,
      `${route}.limits.streams`,
    ])
      expect(told).toContain(`${place}: found `);
  });
});
