import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Identity, Route } from '../config/configuration.ts';
import type { Principal } from '../vocabulary/principal.ts';
import { encodeItem, encodeValue } from './encode.ts';
import { identityHeaders } from './identity-headers.ts';
import { passingHeaders, requestHeaderRules } from './request-headers.ts';

const identity: Identity = {
  headers: {
    subject: 'X-Auth-Subject',
    issuer: 'X-Auth-Issuer',
    client: 'X-Auth-Client-Id',
    scopes: 'X-Auth-Scopes',
    email: 'X-Auth-Email',
  },
  claims: [{ header: 'X-Auth-Groups', claim: 'groups' }],
};

const principal = (over: Partial<Principal> = {}): Principal => ({
  issuer: 'https://as.example',
  subject: 'bob',
  clientId: undefined,
  email: undefined,
  scopes: [],
  claims: {},
  authorizationServer: 'as',
  expiresAt: undefined,
  ...over,
});

describe('identity values (N2)', () => {
  it.each([
    ['bob', 'bob'],
    ['Jo Doe', 'Jo Doe'],
    ['a,b', 'a,b'],
    ['a', 'a'],
    ['a  b c', 'a  b c'],
    ['  é  ü  ', '%20%20%C3%A9  %C3%BC%20%20'],
    ['100%', '100%25'],
    ['josé', 'jos%C3%A9'],
    ['用户', '%E7%94%A8%E6%88%B7'],
    ['İ', '%C4%B0'],
    ['😀', '%F0%9F%98%80'],
    [' bob ', '%20bob%20'],
    ['a\u2028b', 'a%E2%80%A8b'],
    ['a\u0085b', 'a%C2%85b'],
    ['a\r\nX: y', undefined],
    ['a\0', undefined],
    ['a\u007f', undefined],
    ['\ud800', undefined],
  ])('encodes %j as %s (B-025, B-026)', (value, expected) => {
    expect(encodeValue(value)).toBe(expected);
  });

  it('never lets two values meet in one header, nor one be read as two', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
        const encoded = encodeValue(one);
        if (encoded === undefined) return;
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeURIComponent(encoded)).toBe(one);
        if (one !== other) expect(encodeValue(other)).not.toBe(encoded);
        expect(encodeItem(one, ',')).not.toContain(',');
      }),
      { numRuns: 2000 },
    );
  });
});

it('an item of a list has what separates items encoded, and is none where a value isn’t', () => {
  expect(encodeItem('a b,c', ' ')).toBe('a%20b,c');
  expect(encodeItem('a b,c', ',')).toBe('a b%2Cc');
  expect(encodeItem('a\n', ',')).toBeUndefined();
});

describe('identity headers', () => {
  it('carry all that the token says, and nothing that is empty or null', () => {
    const whole = principal({ clientId: 'editor', email: 'bob@example.com', claims: { groups: true } });
    expect(identityHeaders(whole, identity)).toEqual({
      ok: true,
      headers: [
        'X-Auth-Subject',
        'bob',
        'X-Auth-Issuer',
        'https://as.example',
        'X-Auth-Client-Id',
        'editor',
        'X-Auth-Email',
        'bob@example.com',
        'X-Auth-Groups',
        'true',
      ],
    });
    for (const groups of [null, '', []])
      expect(
        identityHeaders(principal({ claims: { groups } }), { headers: {}, claims: identity.claims }),
      ).toEqual({
        ok: true,
        headers: [],
      });
  });

  it.each<[Partial<Principal>, string]>([
    [{ subject: 'a\n' }, 'sub'],
    [{ issuer: 'a\n' }, 'iss'],
    [{ clientId: 'a\n' }, 'client'],
    [{ scopes: ['a\n'] }, 'scope'],
    [{ email: 'a\n' }, 'email'],
    [{ claims: { groups: ['a', ''] } }, 'groups'],
    [{ claims: { groups: Number.NaN, more: {} } }, ''],
  ])('name what can’t be carried: %j', (over, claim) => {
    expect(identityHeaders(principal(over), identity)).toMatchObject(
      claim === '' ? { ok: true } : { ok: false, claim },
    );
  });

  it('need no subject where none is passed on', () => {
    expect(identityHeaders(principal(), { headers: {}, claims: [], subject: 'uid' })).toEqual({
      ok: true,
      headers: [],
    });
  });

  it('sets one header for each thing the token says and none for what it does not (A14)', () => {
    expect(identityHeaders(principal({ scopes: ['a', 'b'] }), identity)).toEqual({
      ok: true,
      headers: ['X-Auth-Subject', 'bob', 'X-Auth-Issuer', 'https://as.example', 'X-Auth-Scopes', 'a b'],
    });
  });

  it('carries a list so that no item is read as two, and refuses what has no one reading', () => {
    const groups = (value: unknown): unknown => {
      const result = identityHeaders(principal({ claims: { groups: value } }), {
        headers: {},
        claims: identity.claims,
      });
      return result.ok ? result.headers[1] : `refused ${result.claim}`;
    };
    expect(groups(['admin', 'a,b', 'Domain Users'])).toBe('admin,a%2Cb,Domain Users');
    expect(groups('admin,ops')).toBe('admin,ops');
    expect(groups(7)).toBe('7');
    expect(groups([])).toBeUndefined();
    expect(groups(['a', null])).toBe('refused groups');
    expect(groups([['a']])).toBe('refused groups');
    expect(groups({ 0: 'admin' })).toBe('refused groups');
    expect(groups('a\nb')).toBe('refused groups');
  });

  it('does not take a claim from the prototype', () => {
    const result = identityHeaders(principal(), {
      headers: {},
      claims: [{ header: 'X-A', claim: 'constructor' }],
    });
    expect(result).toEqual({ ok: true, headers: [] });
  });
});

describe('the subject by another claim (A24)', () => {
  const subjectBy = (claims: Record<string, unknown>, subject = 'uid'): unknown => {
    const result = identityHeaders(principal({ claims }), {
      headers: { subject: 'X-S' },
      claims: [],
      subject,
    });
    return result.ok ? result.headers[1] : `refused ${result.claim}`;
  };

  it('is that claim, a text or a whole number, wherever it lies', () => {
    expect(subjectBy({ uid: 'u-1', sub: 'no' })).toBe('u-1');
    expect(subjectBy({ uid: 4711 })).toBe('4711');
    expect(subjectBy({ ids: { person: 'é' } }, '/ids/person')).toBe('%C3%A9');
  });

  it.each([
    [undefined],
    [null],
    [''],
    [['u-1']],
    [{ id: 1 }],
    [true],
    [1.5],
    [2 ** 53],
    ['a\nb'],
    ['\ud800'],
  ])('is refused as %j, which is nobody, somebody else, or no header', (uid) => {
    expect(subjectBy({ uid })).toBe('refused uid');
  });

  it('is not taken from the prototype', () => {
    expect(subjectBy({}, 'constructor')).toBe('refused constructor');
  });
});

describe('request headers', () => {
  const route = {
    identity,
    upstream: { requestHeaders: ['x-tenant', 'x-auth-subject'] },
  } as unknown as Route;
  const pass = (...lines: string[]): string[] | undefined => passingHeaders(lines, requestHeaderRules(route));

  it('asks for answers without compression where lists are filtered, whatever the client asks for (C-047)', () => {
    const passing = (hide: boolean): string[] | undefined =>
      passingHeaders(
        ['Accept-Encoding', 'gzip', 'Accept', 'a', 'accept-encoding', 'br'],
        requestHeaderRules({ ...route, policy: { rules: [], hide } }),
      );
    expect(passing(true)).toEqual(['accept', 'a', 'accept-encoding', 'identity']);
    expect(passing(false)).toEqual(['accept-encoding', 'gzip', 'accept', 'a', 'accept-encoding', 'br']);
  });

  it('lets through what the allow-list names (B-022)', () => {
    expect(
      pass(
        'Accept',
        'a',
        'Content-Type',
        'b',
        'MCP-Protocol-Version',
        'c',
        'User-Agent',
        'd',
        'X-Tenant',
        'e',
      ),
    ).toEqual([
      'accept',
      'a',
      'content-type',
      'b',
      'mcp-protocol-version',
      'c',
      'user-agent',
      'd',
      'x-tenant',
      'e',
    ]);
  });

  it.each([
    'Authorization',
    'Cookie',
    'DPoP',
    'Proxy-Authorization',
    'X-Api-Key',
    'Connection',
    'Keep-Alive',
    'TE',
    'Upgrade',
    'Expect',
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'X-Forwarded-For',
    'Forwarded',
    'X-Real-IP',
    'X-Original-URL',
    'Remote-User',
    'baggage',
    'traceparent',
    'Origin',
    'X-HTTP-Method-Override',
    'Content_Type',
    'Mcp_Session_Id',
    'Acceptor',
  ])('keeps %s back (B-015, B-016, B-022, B-024)', (name) => {
    expect(pass(name, 'x')).toEqual([]);
  });

  it.each([
    'X-Auth-Subject',
    'x-auth-subject',
    'X_Auth_Subject',
    'X.Auth.Subject',
    'X-AUTH_SUBJECT',
    'HTTP_X_AUTH_SUBJECT',
    'X-Auth-Groups',
  ])('keeps the identity header %s back even where the route allows it (N1, B-019, B-020)', (name) => {
    expect(pass(name, 'evil')).toEqual([]);
  });

  it('refuses a second line of what must be said once', () => {
    expect(pass('Mcp-Session-Id', 'a', 'mcp-session-id', 'b')).toBeUndefined();
    expect(pass('User-Agent', 'mcp-session-id', 'Mcp-Session-Id', 'b')).toHaveLength(4);
    expect(pass('Accept', 'a', 'Accept', 'b')).toHaveLength(4);
  });
});
