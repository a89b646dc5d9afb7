import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { AuthorizationServer, Route } from '../config/configuration.ts';
import { TenantRoutes, tenantRoutesOf } from './tenant-routes.ts';

const shared = { name: 'shared', issuers: ['https://shared.example'] } as unknown as AuthorizationServer;
const login = {
  name: 'login',
  tenant: '{tenant}',
  issuers: ['https://login.example/t/{tenant}'],
  leeway: 30,
} as unknown as AuthorizationServer;

function formAt(path: string, pattern = /^[A-Za-z0-9._-]{1,40}$/): Route {
  return {
    name: 'apps',
    path,
    resource: `https://mcp.example${path}`,
    resourceMetadataUrl: `https://mcp.example/.well-known/oauth-protected-resource${path}`,
    tenant: { name: '{tenant}', pattern },
    authorizationServers: [login, shared],
    scopes: ['use'],
  } as unknown as Route;
}

const tenants = new TenantRoutes(formAt('/gw/{tenant}/mcp'));

describe('the route of a tenant (W01)', () => {
  it('has its own path, resource, metadata and issuer, and the rest of its form', () => {
    expect(tenants.at('/gw/p1/mcp')).toMatchObject({
      name: 'apps',
      path: '/gw/p1/mcp',
      resource: 'https://mcp.example/gw/p1/mcp',
      resourceMetadataUrl: 'https://mcp.example/.well-known/oauth-protected-resource/gw/p1/mcp',
      tenant: { name: 'p1' },
      authorizationServers: [
        { name: 'login', tenant: 'p1', issuers: ['https://login.example/t/p1'], leeway: 30 },
        { name: 'shared', issuers: ['https://shared.example'] },
      ],
      scopes: ['use'],
    });
    expect(tenants.at('/gw/p1/mcp')?.authorizationServers[1]).toBe(shared);
  });

  it('is the same one as long as it is remembered, by both of its spellings', () => {
    const route = tenants.at('/gw/p1/mcp');
    for (const target of ['/gw/p1/mcp/', '/gw/p1/mcp?x=/gw/p2/mcp', '/gw/p1/mcp/?'])
      expect(tenants.at(target)).toBe(route);
    expect(tenants.describedAt('/.well-known/oauth-protected-resource/gw/p1/mcp')).toBe(route);
  });

  it.each([
    '/gw/mcp',
    '/gw//mcp',
    '/gw/./mcp',
    '/gw/../mcp',
    '/gw/a..b/mcp',
    '/gw/%701/mcp',
    '/gw/p1%2f/mcp',
    '/gw/p1/x/mcp',
    '/gw/p1/mcp//',
    '/gw/p1/mcp/x',
    '/gw/p1/MCP',
    '/GW/p1/mcp',
    '/gw/p1;v=1/mcp',
    '/gw/{tenant}/mcp',
    '/gw/p1?/mcp',
    '/xx/p1/mcp',
    '/gw',
    '',
  ])('is not at %j', (target) => {
    expect(tenants.at(target)).toBeUndefined();
  });

  it.each([
    '/.well-known/oauth-protected-resource/gw/p1/mcp/',
    '/.well-known/oauth-protected-resource/gw/../mcp',
    '/.well-known/oauth-protected-resource/gw/p1',
    '/.well-known/oauth-protected-resource/gw/%701/mcp',
    '/.well-known/oauth-protected-resource',
    '/gw/p1/mcp',
  ])('has no metadata at %j', (path) => {
    expect(tenants.describedAt(path)).toBeUndefined();
  });

  it('may stand at the end of the path, or be all of it', () => {
    const last = new TenantRoutes(formAt('/{tenant}'));
    expect(last.at('/p1/')?.path).toBe('/p1');
    expect(last.at('/p1?x')?.path).toBe('/p1');
    expect(last.at('/p1/x')).toBeUndefined();
    expect(last.at('/')).toBeUndefined();
    expect(last.describedAt('/.well-known/oauth-protected-resource/p1')?.path).toBe('/p1');
  });

  it('takes no tenant but those of the pattern', () => {
    const few = new TenantRoutes(formAt('/{tenant}/mcp', /^(?:p[12])$/));
    expect([few.at('/p1/mcp')?.path, few.at('/p3/mcp'), few.at('/p11/mcp')]).toEqual([
      '/p1/mcp',
      undefined,
      undefined,
    ]);
  });

  it('is found at a target only where the target is its own path, letter for letter', () => {
    const piece = fc.oneof(
      fc.constantFrom('gw', 'mcp', 'p1', '/', '//', '.', '..', '%2f', '%70', '?', '#', ';', '{tenant}', '$&'),
      fc.string({ maxLength: 3 }),
    );
    const targets = fc.oneof(
      fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join('')),
      piece.map((name) => `/gw/${name}/mcp`),
    );
    fc.assert(
      fc.property(targets, (target) => {
        const route = tenants.at(target);
        if (route === undefined) return;
        const [asked = ''] = target.split('?', 1);
        expect([route.path, `${route.path}/`]).toContain(asked);
        expect(new URL(route.resource).href).toBe(route.resource);
      }),
      { numRuns: 5000 },
    );
  });

  it('is forgotten when a thousand others were named since (W04)', () => {
    const named = new TenantRoutes(formAt('/{tenant}/mcp'));
    const first = named.at('/p0/mcp');
    for (let index = 1; index <= 3000; index += 1) named.at(`/p${index}/mcp`);
    expect(named.size).toBe(1000);
    expect(named.at('/p0/mcp')).toEqual(first);
    expect(named.at('/p0/mcp')).not.toBe(first);
  });
});

it('a route of one path alone has no tenants', () => {
  const form = formAt('/{tenant}/mcp');
  const plain = { name: 'plain', path: '/plain' } as Route;
  const all = tenantRoutesOf([plain, form]);
  expect([all.of(plain), all.of(form)?.at('/p1/mcp')?.path]).toEqual([undefined, '/p1/mcp']);
  expect(all.describedAt('/.well-known/oauth-protected-resource/p1/mcp')?.path).toBe('/p1/mcp');
  expect(all.describedAt('/.well-known/oauth-protected-resource/p1/other')).toBeUndefined();
});
