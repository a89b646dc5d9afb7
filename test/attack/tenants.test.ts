/** Issuers and paths that a client puts together from tenants (attack catalogue A-025; rows W02, W04, W11). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RunningGateway } from '../support/gateway.ts';
import { mark } from '../support/invariants.ts';
import { startTenantIssuers, type TenantIssuers } from '../support/tenant-issuers.ts';
import { startScene, type Scene } from './scene.ts';

const first = '01234567-89ab-cdef-0123-456789abcdef';
const second = 'fedcba98-7654-3210-fedc-ba9876543210';
const invented = '00000000-0000-0000-0000-000000000000';
const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

/** Each as a client may write it where a tenant belongs. */
const crafted = [
  '../x',
  '..',
  '.',
  'x/y',
  `${first}/..`,
  `x/../${first}`,
  '',
  '*',
  second,
  `${first}%2f..`,
  `%2e%2e%2f${first}`,
  '{tid}',
  '{tenant}',
  first.toUpperCase(),
  `${first}\0`,
  `${first}?x=`,
  `${first}#`,
  `${first}@evil.example`,
  `\\${first}`,
  ` ${first}`,
  `${first}\n`,
];

let issuers: TenantIssuers;
let scene: Scene;
/** Every address that the gateway asked for, wherever it is. */
let fetched: string[] = [];
const startedAt = Date.now();
/** The gateway's clock stands still but for this. */
let aheadMs = 0;

beforeAll(async () => {
  issuers = await startTenantIssuers({ tenants: [first, second], path: '/{tenant}/v2.0', keys: 'shared' });
  scene = await startScene({
    issuers: [],
    clock: () => startedAt + aheadMs,
    fetch: (url, init) => {
      fetched.push(url);
      return fetch(url, init);
    },
    servers: `authorizationServers: [{ name: entra, issuer: '${issuers.origin}' }]`,
    routes: `routes:
  - name: apps
    path: /{tenant}/mcp
    tenant: { pattern: '${uuid}', issuer: '${issuers.template}', claim: tid }
    upstream: $upstream
  - name: fixed
    path: /fixed/{tenant}
    tenant: { fixed: ${first}, issuer: '${issuers.template}' }
    upstream: $upstream
`,
  });
});

afterAll(async () => {
  await scene.close();
  await issuers.close();
});

function tokenFor(path: string, claims: Readonly<Record<string, unknown>>): string {
  const iat = Math.floor(startedAt / 1000);
  const token = issuers.token(first, {
    claims: { aud: scene.resource(path), iat, exp: iat + 3000, ...claims },
  });
  scene.secrets.add(token);
  return token;
}

const template = (tenant: string): string => issuers.template.replace('{tenant}', () => tenant);

describe('A-025 an issuer made of a tenant that the client wrote', () => {
  it.each(crafted)('as %j is 401, and no one is asked for anything', async (tid) => {
    fetched = [];
    const before = await mark(scene);
    const token = tokenFor(`/${first}/mcp`, { iss: template(tid), tid });
    const { status } = await scene.ask({ target: `/${first}/mcp`, token });
    expect(status).toBe(401);
    await before.hold({ forwarded: 0, reasons: ['issuer_not_trusted'] });
    expect(fetched).toEqual([]);
  });

  it.each(crafted.filter((tid) => /^[!-~]*$/.test(tid) && tid !== second))(
    'with the path of %j is no route at all',
    async (tid) => {
      fetched = [];
      const before = await mark(scene);
      const target = `/${tid}/mcp`;
      for (const asked of [target, `/.well-known/oauth-protected-resource${target}`]) {
        const token = tokenFor(target, { iss: template(tid), tid });
        const { status } = await scene.ask({ target: asked, method: 'GET', token });
        expect([400, 404]).toContain(status);
      }
      await before.hold({ forwarded: 0 });
      expect(fetched).toEqual([]);
    },
  );

  it('lets in whose path, issuer and claim are one tenant; keys are shared, tenants are not', async () => {
    const before = await mark(scene);
    const target = `/${first}/mcp`;
    const good = tokenFor(target, { iss: template(first), tid: first });
    expect((await scene.ask({ target, token: good })).status).toBe(200);
    const both = [scene.resource(`/${first}/mcp`), scene.resource(`/${second}/mcp`)];
    const everywhere = tokenFor(target, { iss: template(first), tid: first, aud: both });
    expect((await scene.ask({ target: `/${second}/mcp`, token: everywhere })).status).toBe(401);
    await before.hold({ forwarded: 1, reasons: ['ok', 'issuer_not_trusted'] });
    expect(fetched.every((url) => url.includes(first))).toBe(true);
  });

  it.each(crafted.filter((tid) => tid !== first).concat('absent'))(
    'is 401 where the claim says %j and the issuer the tenant, remembered or not',
    async (tid) => {
      const before = await mark(scene);
      const target = `/${first}/mcp`;
      const token = tokenFor(target, { iss: template(first), ...(tid === 'absent' ? {} : { tid }) });
      expect((await scene.ask({ target, token })).status).toBe(401);
      expect((await scene.ask({ target, token })).status).toBe(401);
      await before.hold({ forwarded: 0, reasons: ['token_tenant'] });
    },
  );
});

describe('W11 a fixed tenant under attack', () => {
  it.each(crafted)('takes no token of %j, and asks no one', async (tid) => {
    fetched = [];
    const before = await mark(scene);
    const target = `/fixed/${first}`;
    const { status } = await scene.ask({ target, token: tokenFor(target, { iss: template(tid), tid }) });
    expect(status).toBe(401);
    await before.hold({ forwarded: 0, reasons: ['issuer_not_trusted'] });
    expect(fetched).toEqual([]);
  });
});

describe('W04 a flood of tenants', () => {
  const tenantAt = (index: number): string => `${index.toString(16).padStart(8, '0')}${invented.slice(8)}`;

  /** What the n-th of the flood asks: an invented tenant, one outside the pattern, or a real one's path with a foreign issuer. */
  function floodRequest(index: number): string {
    const tenant = index % 3 === 1 ? `t${index}` : tenantAt(index);
    const target = index % 3 === 2 ? `/${first}/mcp` : `/${tenant}/mcp`;
    const token = unsigned({ iss: template(tenant), tid: tenant, aud: scene.resource(target) });
    return `GET ${target} HTTP/1.1\r\nHost: localhost:${scene.gateway.port}\r\nAuthorization: Bearer ${token}\r\n`;
  }

  it('of 10,000 asks for ten that might exist and no other, holds few, and the real ones go on (W04)', async () => {
    const target = `/${first}/mcp`;
    const good = { target, token: tokenFor(target, { iss: template(first), tid: first }) };
    expect((await scene.ask(good)).status).toBe(200);
    fetched = [];
    aheadMs += 60_000;
    const before = await mark(scene);
    const statuses = await flood(10_000);
    expect(Object.keys(statuses).toSorted()).toEqual(['401', '404', '503']);
    expect([statuses[404], statuses[401]]).toEqual([3333, 3333]);
    const tenants = fetched.map((url) => new RegExp(uuid).exec(url)?.[0] ?? url);
    expect(new Set(tenants).size).toBeLessThanOrEqual(10);
    expect(fetched.length).toBeLessThanOrEqual(10);
    expect(tenants.filter((tenant) => !/^[0-9a-f]{8}-0000-/.test(tenant))).toEqual([]);
    const held = await tenantsHeld(scene.gateway);
    expect(held.routes).toBe(1000);
    expect(held.authorizationServers).toBeLessThanOrEqual(2100);
    const asked = fetched.length;
    expect((await scene.ask(good)).status).toBe(200);
    expect(fetched.length).toBe(asked);
    await before.hold({ forwarded: 1, requests: 10_001 });
  }, 60_000);

  /** How many answers had which status. */
  async function flood(count: number): Promise<Record<string, number>> {
    const clients = await Promise.all(Array.from({ length: 20 }, () => scene.connect()));
    const share = count / clients.length;
    for (const [at, client] of clients.entries()) {
      const requests = Array.from({ length: share }, (_, nth) => floodRequest(at * share + nth));
      client.send(`${requests.join('\r\n')}Connection: close\r\n\r\n`);
    }
    const counted: Record<string, number> = {};
    for (const client of clients) {
      await client.closedByPeer(50_000);
      for (const [, status = ''] of client.pending.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3}) /g))
        counted[status] = (counted[status] ?? 0) + 1;
      await client.close();
    }
    return counted;
  }
});

/** A token in form; who checks its signature has asked for keys before. */
function unsigned(claims: Readonly<Record<string, unknown>>): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const payload = { sub: 'mallory', iat: now, exp: now + 3000, ...claims };
  return `${encode({ typ: 'at+jwt', alg: 'ES256', kid: 'k' })}.${encode(payload)}.${Buffer.alloc(64, 7).toString('base64url')}`;
}

async function tenantsHeld(
  gateway: RunningGateway,
): Promise<{ routes: number; authorizationServers: number }> {
  const text = await (await fetch(`${gateway.opsUrl}/metrics`)).text();
  const of = (part: string): number =>
    Number(new RegExp(`^portcullis_tenants_held\\{part="${part}"\\} (\\d+)$`, 'm').exec(text)?.[1]);
  return { routes: of('routes'), authorizationServers: of('authorization_servers') };
}
