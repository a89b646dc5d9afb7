/** What the gateway learns from its authorization servers: metadata and keys, and where it may go for them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import type { Behaviour } from '../support/scripted-answer.ts';
import { makeCertificate } from './certificates.ts';
import { metric, only, startWorld, type World, type WorldOptions } from './world.ts';

const directory = mkdtempSync(join(tmpdir(), 'portcullis-'));
afterAll(() => rmSync(directory, { recursive: true }));

interface Prepared extends WorldOptions {
  /** Before the gateway asks for the first time. */
  readonly prepare: (issuer: Issuer) => void;
}

function startPrepared({ prepare, server, ...options }: Prepared): Promise<World> {
  const also = server === undefined ? '' : `, ${server}`;
  return startWorld({
    ...options,
    yaml: ({ issuer, upstream }) => {
      prepare(issuer);
      return `
authorizationServers: [{ name: corp, issuer: '${issuer.url}'${also} }]
routes: [{ name: tools, path: /mcp, upstream: '${upstream.url}' }]
`;
    },
  });
}

async function statusOf(world: World, token = world.issuer.token()): Promise<number> {
  return (await world.ask({ token })).status;
}

function fetchesThatEnded(world: World, outcome: string): Promise<number | undefined> {
  return metric(
    world.gateway,
    `portcullis_key_fetches_total{authorization_server="corp",outcome="${outcome}"}`,
  );
}

function warningsOf(world: World): string {
  const lines = world.gateway.log.filter(({ level }) => level === 'warn');
  return lines.map(({ msg }) => String(msg)).join('\n');
}

const addresses = ['oauth', 'openid', 'openidAppended'] as const;

describe('metadata (W06)', () => {
  const issuerOptions = { path: '/realms/corp' };

  it.each(addresses)('at one address (%s) is enough for a token to be verified (W06)', async (there) => {
    const prepare = (issuer: Issuer): void => {
      for (const address of addresses)
        if (address !== there) issuer.behave(issuer.paths[address], { status: 404 });
      issuer.describe({ extra: { anything: ['at all'] }, jwks_uri_2: 'https://evil.example' });
    };
    await using world = await startPrepared({ prepare, issuerOptions });
    expect(await statusOf(world)).toBe(200);
  });

  it('is looked for behind an error page, and behind JSON that is no metadata (W06)', async () => {
    const prepare = (issuer: Issuer): void => {
      const page = { headers: { 'content-type': 'text/html' }, body: '<html>' };
      issuer.behave(issuer.paths.oauth, page);
      issuer.behave(issuer.paths.openid, { body: { error: 'not_found' } });
    };
    await using world = await startPrepared({ prepare, issuerOptions });
    expect(await statusOf(world)).toBe(200);
  });

  it('of another issuer is refused, and its keys are never asked for (W06, A-066)', async () => {
    await using world = await startPrepared({
      prepare: (issuer) => issuer.describe({ issuer: `${issuer.url}/` }),
      issuerOptions,
    });
    const answer = await world.ask({ token: world.issuer.token() });
    expect([answer.status, only(answer, 'retry-after')]).toEqual([503, '30']);
    expect(world.issuer.hits(world.issuer.paths.jwks)).toBe(0);
    expect(warningsOf(world)).toContain(`says issuer "${world.issuer.url}/"`);
  });

  it('and keys may be a redirect away at the same origin (W06)', async () => {
    const moved = (path: string): Behaviour => ({ status: 307, headers: { location: `${path}?moved` } });
    await using world = await startPrepared({
      prepare(issuer) {
        const { oauth, openid, jwks } = issuer.paths;
        issuer.behave(oauth, moved(openid));
        issuer.describe({ jwks_uri: `${issuer.origin}/old-keys` });
        issuer.behave('/old-keys', moved(jwks));
      },
      issuerOptions,
    });
    expect(await statusOf(world)).toBe(200);
  });

  it.each(['oauth', 'jwks'] as const)(
    'and keys are not fetched from another origin by a redirect (%s) (W06, A-067)',
    async (path) => {
      await using other = await startIssuer({ algorithms: ['ES256'] });
      await using world = await startPrepared({
        prepare(issuer) {
          const location = `${other.origin}${other.paths[path]}`;
          issuer.behave(issuer.paths[path], { status: 302, headers: { location } });
          for (const address of ['openid', 'openidAppended'] as const)
            issuer.behave(issuer.paths[address], { status: 404 });
        },
      });
      expect(await statusOf(world)).toBe(503);
      expect(await fetchesThatEnded(world, 'bad_status')).toBe(1);
      expect(other.hits()).toBe(0);
    },
  );

  it('is fetched once for all users, without anything of theirs (S07)', async () => {
    await using world = await startWorld({ issuerOptions });
    for (const sub of ['alice', 'bob'])
      expect(await statusOf(world, world.issuer.token({ claims: { sub } }))).toBe(200);
    expect(world.issuer.requests.map(({ path }) => path)).toEqual([
      world.issuer.paths.oauth,
      world.issuer.paths.jwks,
    ]);
    for (const { headers } of world.issuer.requests) {
      expect(headers.authorization).toBeUndefined();
      expect(headers.cookie).toBeUndefined();
    }
  });
});

describe('keys (A12)', () => {
  const failures: readonly (readonly [string, string, Behaviour])[] = [
    ['bad_status', 'an error', { status: 500 }],
    ['invalid', 'a page', { headers: { 'content-type': 'text/html' }, body: '{"keys":[]}' }],
    ['invalid', 'half a document', { body: '{"keys":[' }],
    ['invalid', 'too much', { body: `{"keys":[],"x":"${'x'.repeat(300_000)}"}` }],
    ['unreachable', 'a reset', 'reset'],
    ['timeout', 'silence', 'hang'],
  ];

  it.each(failures)(
    'that do not come are counted as %s: %s (A12, A13)',
    async (outcome, _name, behaviour) => {
      await using world = await startPrepared({
        prepare: (issuer) => issuer.behave(issuer.paths.jwks, behaviour),
        server: 'keys: { timeout: 300ms }',
      });
      expect(await fetchesThatEnded(world, outcome)).toBe(1);
      expect(await fetchesThatEnded(world, 'success')).toBeUndefined();
      expect(await statusOf(world)).toBe(503);
      expect(world.gateway.log).toContainEqual(
        expect.objectContaining({ level: 'warn', authorizationServer: 'corp', outcome }),
      );
    },
  );

  it('are refreshed before they are old, though no request comes, until the gateway ends (A12)', async () => {
    const world = await startWorld({ server: 'keys: { ttl: 1s, cooldown: 100ms }' });
    const { issuer, gateway } = world;
    try {
      const before = issuer.hits(issuer.paths.jwks);
      const fresh = issuer.rotate('ES256');
      await expect
        .poll(() => issuer.hits(issuer.paths.jwks), { timeout: 10_000 })
        .toBeGreaterThanOrEqual(before + 2);
      // Nobody had to wait for the new key, or ask for it.
      const hits = issuer.hits(issuer.paths.jwks);
      expect(await statusOf(world, issuer.token({ key: fresh }))).toBe(200);
      expect(issuer.hits(issuer.paths.jwks) - hits).toBeLessThanOrEqual(1);
      expect(await metric(gateway, 'portcullis_keys_held{authorization_server="corp"}')).toBe(1);
      expect(await metric(gateway, 'portcullis_key_age_seconds{authorization_server="corp"}')).toBeLessThan(
        5,
      );
      await gateway.close();
      const atTheEnd = issuer.hits();
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      expect(issuer.hits()).toBe(atTheEnd);
    } finally {
      await world[Symbol.asyncDispose]();
    }
  });

  it('come once a server is back that was down at the start, though no request asks for them (A13)', async () => {
    await using world = await startPrepared({
      prepare: (issuer) => issuer.behave(issuer.paths.oauth, 'reset'),
      server: 'keys: { cooldown: 200ms }',
      issuerOptions: { path: '/realms/corp' },
    });
    const { issuer } = world;
    for (const address of addresses) issuer.behave(issuer.paths[address], { status: 503 });
    expect(await statusOf(world)).not.toBe(401);
    for (const address of addresses) issuer.behave(issuer.paths[address], 'normal');
    const held = (): Promise<number | undefined> =>
      metric(world.gateway, 'portcullis_keys_held{authorization_server="corp"}');
    await expect.poll(held, { timeout: 10_000 }).toBe(1);
    expect(await statusOf(world)).toBe(200);
  });
});

describe('addresses that metadata names (A-067)', () => {
  const certificate = makeCertificate('localhost');
  const caFile = join(directory, 'authority.pem');
  writeFileSync(caFile, certificate.cert);

  /** An issuer whose metadata names keys at another host of this machine. */
  async function startWithKeysElsewhere(server = ''): Promise<World & { readonly keys: Issuer }> {
    const keys = await startIssuer({
      algorithms: ['ES256'],
      tls: { key: certificate.key, cert: certificate.cert },
    });
    const world = await startWorld({
      yaml: ({ issuer, upstream }) => {
        const url = issuer.url.replace('localhost', '127.0.0.1');
        issuer.describe({ issuer: url, jwks_uri: keys.jwksUri });
        return `
authorizationServers: [{ name: corp, issuer: '${url}', tls: { caFile: ${caFile} } ${server} }]
routes: [{ name: tools, path: /mcp, upstream: '${upstream.url}' }]
`;
      },
    });
    return {
      ...world,
      keys,
      async [Symbol.asyncDispose]() {
        await Promise.all([world[Symbol.asyncDispose](), keys.close()]);
      },
    };
  }

  const tokenOf = ({ issuer, keys, resource }: World & { readonly keys: Issuer }): string =>
    keys.token({ claims: { iss: issuer.url.replace('localhost', '127.0.0.1'), aud: resource } });

  it('are not gone to where they are inside: 503, and the log says what to do (A-067)', async () => {
    await using world = await startWithKeysElsewhere();
    expect(await statusOf(world, tokenOf(world))).toBe(503);
    expect(await fetchesThatEnded(world, 'address_refused')).toBe(1);
    expect(world.keys.hits()).toBe(0);
    expect(warningsOf(world)).toMatch(/localhost leads to (127\.0\.0\.1|::1), .*allowHosts/);
  });

  it('are gone to where the file lists the host (A-067)', async () => {
    await using world = await startWithKeysElsewhere(', allowHosts: [localhost]');
    expect(await statusOf(world, tokenOf(world))).toBe(200);
    expect(world.keys.hits(world.keys.paths.jwks)).toBe(1);
  });

  it.each([
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f.1',
    '169.254.169.254',
    '10.0.0.1',
  ])('are not gone to as %s (A-067)', async (host) => {
    await using world = await startPrepared({
      prepare(issuer) {
        const { port } = new URL(issuer.url);
        issuer.describe({ jwks_uri: `https://${host}:${port}/jwks` });
      },
    });
    expect(await statusOf(world)).toBe(503);
    expect(await fetchesThatEnded(world, 'address_refused')).toBe(1);
  });

  it('may be written into the file instead (A-067)', async () => {
    await using keys = await startIssuer({ algorithms: ['ES256'] });
    await using world = await startPrepared({
      prepare: (issuer) => issuer.publish(keys.keys),
      server: `jwksUri: '${keys.jwksUri.replace('localhost', '127.0.0.1')}'`,
    });
    expect(await statusOf(world)).toBe(200);
    expect(keys.hits(keys.paths.jwks)).toBe(1);
  });
});
