import { describe, expect, it } from 'vitest';

import type { AuthorizationServer, Route } from '../config/configuration.ts';
import {
  checkAudience,
  checkConfirmation,
  checkLifetime,
  checkSubject,
  checkTokenType,
  isResource,
  keyOf,
} from './check-claims.ts';
import { grantedScopes, principalOf } from './principal.ts';

const server: AuthorizationServer = {
  name: 'as',
  issuers: ['https://as.example'],
  discovery: 'auto',
  algorithms: ['RS256'],
  audiences: [],
  tokenTypes: ['at+jwt', 'jwt', 'none'],
  leeway: 0,
  requireExp: true,
  verify: { exp: true, nbf: true, iat: true, iss: true },
  claims: { clientId: ['client_id', 'azp'], scopes: ['scope', 'scp'], email: 'email' },
  allowHosts: [],
  keys: { ttl: 1, cooldown: 1, maxStale: 1, timeout: 1 },
};
const now = 1_800_000_000;
const hour = 3600;

describe('times (A08, A09, A-029)', () => {
  it.each([
    ['a token that expires later', { exp: now + 1 }, {}, undefined],
    ['a token that expires now', { exp: now }, {}, 'token_expired'],
    ['30 s after its end, with a leeway of 60 s', { exp: now - 30 }, { leeway: 60 }, undefined],
    [
      '30 s after its end, with exp off',
      { exp: now - 30 },
      { verify: { ...server.verify, exp: false } },
      undefined,
    ],
    ['no exp', {}, {}, 'token_lifetime'],
    ['no exp, allowed', {}, { requireExp: false }, undefined],
    ['exp as text', { exp: String(now + hour) }, {}, 'token_lifetime'],
    [
      'exp as text, with exp off',
      { exp: 'x' },
      { verify: { ...server.verify, exp: false } },
      'token_lifetime',
    ],
    ['exp beyond all timers', { exp: 1e308 }, {}, 'token_lifetime'],
    ['exp of infinity', { exp: Number.POSITIVE_INFINITY }, {}, 'token_lifetime'],
    ['a negative exp', { exp: -1 }, {}, 'token_lifetime'],
    ['exp null', { exp: null }, {}, 'token_lifetime'],
    ['nbf an hour ahead', { exp: now + 2 * hour, nbf: now + hour }, {}, 'token_not_yet_valid'],
    [
      'nbf an hour ahead, with nbf off',
      { exp: now + 2 * hour, nbf: now + hour },
      { verify: { ...server.verify, nbf: false } },
      undefined,
    ],
    ['nbf within the leeway', { exp: now + hour, nbf: now + 30 }, { leeway: 60 }, undefined],
    ['nbf as text', { exp: now + hour, nbf: 'x' }, {}, 'token_lifetime'],
    ['iat an hour ahead', { exp: now + 2 * hour, iat: now + hour }, {}, 'token_not_yet_valid'],
    [
      'iat an hour ahead, with iat off',
      { exp: now + 2 * hour, iat: now + hour },
      { verify: { ...server.verify, iat: false } },
      undefined,
    ],
    ['iat as text', { exp: now + hour, iat: 'x' }, {}, 'token_lifetime'],
  ])('judges %s', (_title, claims, over, expected) => {
    expect(checkLifetime(claims, { ...server, ...over }, now)?.reason).toBe(expected);
  });
});

describe('audience (A06, A-017 to A-021)', () => {
  const resource = 'https://mcp.example.com/a/mcp';
  const route = { resource } as Route;
  const judge = (
    aud: unknown,
    over: Partial<AuthorizationServer> = {},
    ofRoute: Partial<Route> = {},
  ): string =>
    checkAudience({ aud }, { ...server, ...over }, { ...route, ...ofRoute } as Route)?.reason ?? 'ok';

  it.each([
    resource,
    'HTTPS://MCP.Example.com/a/mcp',
    'https://mcp.example.com:443/a/mcp',
    'https://mcp.example.com/a/mcp/',
  ])('takes %s for the route’s resource', (aud) => {
    expect(judge(aud)).toBe('ok');
    expect(judge(['x', aud])).toBe('ok');
  });

  it.each([
    'https://mcp.example.com/a',
    'https://mcp.example.com/a/mcpx',
    'https://mcp.example.com/a/MCP',
    'https://mcp.example.com/a/mcp//',
    'https://mcp.example.com/a/%6dcp',
    'https://mcp.example.com/x/../a/mcp',
    'https://mcp.example.com/a/mcp?x=1',
    'https://mcp.example.com/a/mcp#x',
    'https://mcp.example.com:8443/a/mcp',
    'http://mcp.example.com/a/mcp',
    'https://user@mcp.example.com/a/mcp',
    'https://mcp.e\u212Aample.com/a/mcp',
    'https://mcp.example.com.evil/a/mcp',
    `${resource} other`,
    `${resource},other`,
    ` ${resource}`,
    '',
    undefined,
    null,
    7,
    { resource },
    [],
    [[resource]],
    ['https://mcp.example.com/b/mcp'],
  ])('refuses %j', (aud) => {
    expect(judge(aud)).toBe('token_audience');
  });

  it('folds the case of ASCII letters alone', () => {
    expect(isResource('https://\u212Aube.example/mcp', 'https://kube.example/mcp')).toBe(false);
    expect(isResource('https://KUBE.example/mcp', 'https://kube.example/mcp')).toBe(true);
  });

  it('keeps a query as part of the resource', () => {
    expect(isResource('https://a.example/mcp?t=x', 'https://a.example/mcp?t=x')).toBe(true);
    expect(isResource('https://a.example/mcp/?t=x', 'https://a.example/mcp?t=x')).toBe(true);
    expect(isResource('https://a.example/mcp', 'https://a.example/mcp?t=x')).toBe(false);
  });

  it('compares configured audiences byte for byte, the route’s own before the server’s', () => {
    const audiences = ['a', 'b'];
    expect(['b', ['x', 'a'], resource, 'B', 'b/'].map((aud) => judge(aud, { audiences }))).toEqual([
      'ok',
      'ok',
      'token_audience',
      'token_audience',
      'token_audience',
    ]);
    expect(judge('a', { audiences }, { audiences: ['c'] })).toBe('token_audience');
    expect(judge('c', { audiences }, { audiences: ['c'] })).toBe('ok');
  });
});

describe('token type (A-015, A-016)', () => {
  it.each(['at+jwt', 'jwt', 'none'])('takes typ %s by default', (type) => {
    expect(checkTokenType(type, {}, server)).toBeUndefined();
  });

  it.each(['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'oauth-authz-req+jwt', 'id+jwt', ''])(
    'refuses typ %j even where it is listed',
    (type) => {
      const listed = {
        ...server,
        tokenTypes: type === 'id+jwt' || type === '' ? server.tokenTypes : [...server.tokenTypes, type],
      };
      expect(checkTokenType(type, {}, listed)?.reason).toBe('token_type');
    },
  );

  it.each([
    { nonce: 'n' },
    { at_hash: 'h' },
    { c_hash: 'h' },
    { typ: 'ID' },
    { typ: 'Refresh' },
    { token_use: 'id' },
  ])('refuses an ID or refresh token that carries %j', (claims) => {
    expect(checkTokenType('jwt', claims, server)?.reason).toBe('token_type');
  });

  it('takes access tokens that name their type in a claim', () => {
    expect(checkTokenType('jwt', { typ: 'Bearer' }, server)).toBeUndefined();
    expect(checkTokenType('jwt', { token_use: 'access' }, server)).toBeUndefined();
  });
});

describe('subject (A11, A-031)', () => {
  it.each([undefined, '', ' ', 7, null, {}, ['a'], 'a\0b', 'a\r\nb', 'x'.repeat(1025), '\ud800'])(
    'refuses sub %j',
    (sub) => {
      expect(checkSubject({ sub })?.reason).toBe('token_subject');
    },
  );

  it.each(['bob', 'a:b|c', 'josé', 'bob '])('takes sub %j', (sub) => {
    expect(checkSubject({ sub })).toBeUndefined();
  });
});

describe('a token that is bound to a key (I3)', () => {
  const cnf = { jkt: 'A'.repeat(43) };
  const off = {} as Route;
  const [optional, required] = (['optional', 'required'] as const).map(
    (mode) => ({ dpop: { mode } }) as unknown as Route,
  ) as [Route, Route];

  it('is good under DPoP alone, and only where its one binding can be proved (A-070)', () => {
    expect(checkConfirmation({ cnf }, 'DPoP', optional)).toBeUndefined();
    expect(checkConfirmation({ cnf }, 'DPoP', required)).toBeUndefined();
    for (const route of [off, optional, required])
      expect(checkConfirmation({ cnf }, 'Bearer', route)?.reason).toBe('token_confirmation');
  });

  it.each([
    { jkt: 'x' },
    { jkt: 'A'.repeat(44) },
    { jkt: `${'A'.repeat(42)}=` },
    { jkt: 7 },
    { jkt: ['A'.repeat(43)] },
    {},
    { 'x5t#S256': 'A'.repeat(43) },
    { jwk: {} },
    { ...cnf, 'x5t#S256': 'A'.repeat(43) },
    { ...cnf, unknown: 1 },
    [],
    [cnf],
    'A'.repeat(43),
    null,
    true,
  ])('is refused where cnf is %j', (binding) => {
    for (const scheme of ['Bearer', 'DPoP'] as const)
      expect(checkConfirmation({ cnf: binding }, scheme, optional)?.reason).toBe('token_confirmation');
    expect(keyOf({ cnf: binding })).toBeUndefined();
  });

  it('is what DPoP needs, and what a route may insist on', () => {
    expect(checkConfirmation({}, 'Bearer', off)).toBeUndefined();
    expect(checkConfirmation({}, 'Bearer', optional)).toBeUndefined();
    expect(checkConfirmation({}, 'Bearer', required)?.reason).toBe('token_confirmation');
    expect(checkConfirmation({}, 'DPoP', optional)?.reason).toBe('token_confirmation');
    expect(checkConfirmation({}, 'DPoP', required)?.reason).toBe('token_confirmation');
  });
});

describe('scopes (A15, A-034)', () => {
  it.each([
    [{ scope: 'a b' }, ['a', 'b']],
    [{ scp: ['a', 'b'] }, ['a', 'b']],
    [{ scope: 'a', scp: ['b'] }, ['a']],
    [{}, []],
    [{ scope: '  a   b ' }, ['a', 'b']],
    [{ scope: 7 }, []],
    [{ scp: 'a b' }, ['a', 'b']],
    [{ scope: 'a "b' }, ['a']],
    [{ scp: ['a', '', ' '] }, ['a']],
    [{ scope: 'a é' }, ['a']],
    [{ scope: 'a,b' }, ['a,b']],
    [{ scope: 'a\tb' }, []],
    [{ scope: 'a a' }, ['a']],
    [{ scope: null, scp: ['b'] }, ['b']],
  ])('reads %j', (claims, expected) => {
    expect(grantedScopes(claims, ['scope', 'scp'])).toEqual(expected);
  });
});

describe('principal (A14)', () => {
  it('names the client by the first claim that has one, and none otherwise', () => {
    const clientOf = (claims: Record<string, unknown>): string | undefined =>
      principalOf({ sub: 'bob', ...claims }, server).clientId;
    expect(clientOf({ client_id: 'a', azp: 'b' })).toBe('a');
    expect(clientOf({ azp: 'b' })).toBe('b');
    expect(clientOf({ client_id: '', azp: 7 })).toBeUndefined();
    expect(clientOf({})).toBeUndefined();
  });
});
