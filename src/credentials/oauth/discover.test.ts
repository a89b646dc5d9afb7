import { describe, expect, it } from 'vitest';

import type { OauthSettings, Route } from '../../config/configuration.ts';
import { deadlineIn } from '../../authorization-servers/outbound/fetch-document.ts';
import { discoverUpstream } from './discover.ts';
import type { Discovered } from './discover.ts';

const url = 'https://mcp.example.com/team/mcp';
const wellKnown = 'https://mcp.example.com/.well-known/oauth-protected-resource';
const settings: OauthSettings = {
  scope: 'shared',
  redirectPort: 0,
  authorizationServers: [],
  allowHosts: [],
};

interface World {
  readonly challenge?: string;
  readonly status?: number;
  readonly documents?: Readonly<Record<string, object>>;
  readonly changed?: Partial<OauthSettings>;
  readonly transport?: 'streamable-http' | 'sse';
}

async function discover({
  challenge,
  status = 401,
  documents = {},
  changed = {},
  transport = 'streamable-http',
}: World): Promise<{ readonly found: Discovered; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const route = { name: 'team', upstream: { url, transport } } as Route;
  const found = await discoverUpstream(route, {
    settings: { ...settings, ...changed },
    deadline: deadlineIn(5000),
    fetch(address, init) {
      asked.push(`${init.method ?? 'GET'} ${address}`);
      expect(new Headers(init.headers).has('authorization')).toBe(false);
      if (address === url)
        return Promise.resolve(
          new Response('', {
            status,
            headers: challenge === undefined ? {} : { 'www-authenticate': challenge },
          }),
        );
      const document = documents[address];
      return Promise.resolve(
        document === undefined ? new Response('', { status: 404 }) : Response.json(document),
      );
    },
  });
  return { found, asked };
}

const own = { resource: url, authorization_servers: ['https://mcp.example.com'] };

describe('an upstream that wants a login', () => {
  it('says where its metadata is, and its scopes win over those of the metadata (H11)', async () => {
    const at = 'https://mcp.example.com/about';
    const { found, asked } = await discover({
      challenge: `Bearer resource_metadata="${at}", scope="use"`,
      documents: { [at]: { ...own, scopes_supported: ['use', 'admin'] } },
    });
    expect(found).toEqual({
      ok: true,
      upstream: { resource: url, issuer: 'https://mcp.example.com', scopes: ['use'] },
    });
    expect(asked).toEqual([`POST ${url}`, `GET ${at}`]);
  });

  it.each([
    [`${wellKnown}/team/mcp`, [`GET ${wellKnown}/team/mcp`]],
    [wellKnown, [`GET ${wellKnown}/team/mcp`, `GET ${wellKnown}`]],
  ])('is described at %s where the challenge says nothing', async (at, path) => {
    for (const world of [{ challenge: 'Bearer' }, {}, { status: 200 }, { status: 405 }]) {
      const { found, asked } = await discover({
        ...world,
        documents: { [at]: { ...own, scopes_supported: ['use', 'bad scope', 7] } },
      });
      expect(found).toMatchObject({ upstream: { issuer: 'https://mcp.example.com', scopes: ['use'] } });
      expect(asked.slice(1)).toEqual(path);
    }
  });

  it('without any metadata has its authorization server at its own origin, as in MCP 2025-03-26', async () => {
    expect((await discover({})).found).toEqual({
      ok: true,
      upstream: { resource: url, issuer: 'https://mcp.example.com', scopes: undefined },
    });
    const { found } = await discover({ changed: { authorizationServers: ['https://login.example.com'] } });
    expect(found).toMatchObject({ upstream: { issuer: 'https://login.example.com' } });
  });

  it('of the older transport is asked for its stream', async () => {
    const { asked } = await discover({ transport: 'sse' });
    expect(asked[0]).toBe(`GET ${url}`);
  });

  it('may name several authorization servers: the first that is listed counts, in the file’s spelling', async () => {
    const servers = ['https://evil.example', 'https://login.example.com/', 'https://mcp.example.com'];
    const { found } = await discover({
      documents: { [wellKnown]: { ...own, authorization_servers: servers } },
      changed: { authorizationServers: ['https://login.example.com'] },
    });
    expect(found).toMatchObject({ upstream: { issuer: 'https://login.example.com' } });
  });

  it.each(['https://mcp.example.com', 'https://mcp.example.com/', 'https://mcp.example.com/team', url])(
    'may call its resource %s',
    async (resource) => {
      const { found } = await discover({ documents: { [wellKnown]: { ...own, resource } } });
      expect(found).toMatchObject({ ok: true, upstream: { resource } });
    },
  );

  it.each([
    'https://mcp.example.com/other',
    'https://mcp.example.com/tea',
    'https://mcp.example.com/team/mcp/more',
    'https://mcp.example.com.evil.example/team/mcp',
    'http://mcp.example.com/team/mcp',
    'team/mcp',
    7,
    undefined,
  ])('isn’t what metadata of %j speaks of', async (resource) => {
    const { found } = await discover({ documents: { [wellKnown]: { ...own, resource } } });
    expect(found).toMatchObject({ ok: false, detail: expect.stringContaining('is of another resource') });
  });

  it('whose named metadata is missing isn’t looked for elsewhere', async () => {
    const at = 'https://mcp.example.com/about';
    const { found, asked } = await discover({
      challenge: `Bearer resource_metadata="${at}"`,
      documents: { [wellKnown]: own },
    });
    expect(found).toMatchObject({ ok: false, detail: `${at} answered 404` });
    expect(asked).toHaveLength(2);
  });
});
