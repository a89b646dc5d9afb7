import { decodeJwt } from 'jose';
import type { JWTPayload } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';

import type { Route } from '../config/configuration.ts';
import type { Principal } from '../vocabulary/principal.ts';
import { Assertions } from './assertions.ts';
import { passingHeaders, requestHeaderRules } from './request-headers.ts';

const ttlMs = 60_000;
const start = 1_800_000_000_000;

const ada: Principal = {
  issuer: 'https://as.example',
  subject: 'ada',
  clientId: 'editor',
  email: 'ada@example.com',
  scopes: ['a', 'b'],
  claims: { groups: ['eng'], realm: { roles: ['x'] }, aud: 'somewhere else' },
  authorizationServer: 'as',
  expiresAt: undefined,
};
const nobodyElse: Principal = { ...ada, clientId: undefined, email: undefined, scopes: [], claims: {} };

const route = {
  identity: {
    headers: {},
    claims: [
      { header: 'X-Groups', claim: 'groups' },
      { header: 'X-Roles', claim: '/realm/roles' },
      { header: 'X-Aud', claim: 'aud' },
      { header: 'X-None', claim: 'none' },
    ],
  },
  upstream: { url: 'http://bridge:8000/mcp?key=hidden' },
} as unknown as Route;

let now = start;
let signed: JWTPayload[] = [];
let assertions: Assertions;

beforeEach(() => {
  now = start;
  signed = [];
  const sign = async (claims: JWTPayload): Promise<string> => {
    signed.push(claims);
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ alg: 'none' })}.${part({ ...claims, n: signed.length })}.s`;
  };
  assertions = new Assertions({ issuer: 'https://mcp.example.com', keys: { sign }, clock: () => now });
});

const about = async (principal = ada, of = route): Promise<JWTPayload> =>
  decodeJwt((await assertions.about(principal, of, ttlMs)).text);

describe('an assertion (N3)', () => {
  it('says who asks, of whom, for whom and until when', async () => {
    expect(await about()).toEqual({
      iss: 'https://mcp.example.com',
      aud: 'http://bridge:8000/mcp',
      iat: start / 1000,
      exp: start / 1000 + 60,
      sub: 'ada',
      sub_id: { format: 'iss_sub', iss: 'https://as.example', sub: 'ada' },
      client_id: 'editor',
      scope: 'a b',
      email: 'ada@example.com',
      claims: { groups: ['eng'], '/realm/roles': ['x'], aud: 'somewhere else' },
      n: 1,
    });
  });

  it('says nothing of what the token doesn’t', async () => {
    const said = await about(nobodyElse);
    expect(Object.keys(said)).toEqual(['iss', 'aud', 'iat', 'exp', 'sub', 'sub_id', 'n']);
  });

  it('says nothing of claims that are null', async () => {
    const said = await about({ ...nobodyElse, claims: { groups: null, realm: { roles: null } } });
    expect(said).not.toHaveProperty('claims');
    expect(signed.map((claims) => Object.keys(claims))).toEqual([
      ['iss', 'aud', 'iat', 'exp', 'sub', 'sub_id'],
    ]);
  });

  it('is carried in _meta as it is', async () => {
    const { text, member } = await assertions.about(ada, route, ttlMs);
    expect(JSON.parse(`{${member}}`)).toEqual({ 'io.portcullis/assertion': text });
  });
});

it('an assertion is for the upstream’s own resource where it has one (N3)', async () => {
  const upstream = { ...route.upstream, resource: 'https://tools.example.com/mcp' };
  expect((await about(ada, { ...route, upstream })).aud).toBe('https://tools.example.com/mcp');
});

it('an assertion’s header is never the client’s, even where the route lets it pass (N1)', () => {
  const assertion = { header: 'X-Auth-Assertion', meta: false, ttl: ttlMs };
  const rules = requestHeaderRules({
    identity: { headers: {}, claims: [], assertion },
    upstream: { requestHeaders: ['x-auth-assertion'] },
  } as unknown as Route);
  expect(passingHeaders(['X-Auth-Assertion', 'mallory', 'x-auth-assertion', 'root'], rules)).toEqual([]);
});

describe('assertions in use (N3)', () => {
  it('are signed once until half of their time is over', async () => {
    const first = await assertions.about(ada, route, ttlMs);
    now = start + ttlMs / 2 - 1;
    expect(assertions.about(ada, route, ttlMs)).toBe(first);
    now = start + ttlMs / 2;
    expect((await about()).iat).toBe(now / 1000);
    expect(signed).toHaveLength(2);
  });

  it('are made anew when the clock was set back', async () => {
    await about();
    now = start - 3_600_000;
    expect((await about()).exp).toBe(now / 1000 + 60);
  });

  it('are signed once for all who come at the same moment', async () => {
    const [first, second] = await Promise.all([about(), about()]);
    expect(first).toEqual(second);
    expect(signed).toHaveLength(1);
  });

  it('are kept for each of several who take turns', async () => {
    for (const principal of [ada, nobodyElse, ada, nobodyElse]) await about(principal);
    expect(signed).toHaveLength(2);
  });

  it('are another for each principal, route and tenant', async () => {
    const tenant = { ...route, tenant: { name: 'acme' } } as unknown as Route;
    const other = { ...tenant, tenant: { name: 'globex' } } as unknown as Route;
    const said = [await about(), await about({ ...ada }), await about(ada, tenant), await about(ada, other)];
    expect(said.map((claims) => claims['tenant'])).toEqual([undefined, undefined, 'acme', 'globex']);
    expect(signed).toHaveLength(4);
    await about(ada, tenant);
    expect(signed).toHaveLength(4);
  });

  it('are tried again after one couldn’t be signed', async () => {
    let isBroken = true;
    const sign = async (): Promise<string> => {
      if (isBroken) throw new Error('no entropy');
      return 'h.p.s';
    };
    const broken = new Assertions({ issuer: 'https://a.example', keys: { sign }, clock: () => now });
    await expect(broken.about(ada, route, ttlMs)).rejects.toThrow('no entropy');
    isBroken = false;
    expect(await broken.about(ada, route, ttlMs)).toMatchObject({ text: 'h.p.s' });
  });
});
