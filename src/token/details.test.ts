/** What the operator's log says of a token that isn't accepted: the claim as it is, and what was expected. */
import { describe, expect, it } from 'vitest';

import type { Authority } from '../authorization-servers/authority.ts';
import type { AuthorizationServer, Route } from '../config/configuration.ts';
import {
  checkAudience,
  checkConfirmation,
  checkLifetime,
  checkPassedOn,
  checkSubject,
  checkTenant,
  checkTokenType,
  keyOf,
} from './check-claims.ts';
import { checkScopes } from './check-scopes.ts';
import { readCredentials } from './credentials.ts';
import { quoted, type TokenFault } from './fault.ts';
import { judgeAnswer } from './judge-answer.ts';
import { parseJwt } from './parse-jwt.ts';
import { principalOf, statedScopes } from './principal.ts';
import type { VerifiedSignature } from './remembered-signatures.ts';

const now = 1_800_000_000;
const resource = 'https://mcp.example.com/mcp';
const server = {
  name: 'as',
  issuers: ['https://as.example', 'https://as2.example'],
  audiences: [],
  tokenTypes: ['at+jwt', 'none'],
  leeway: 30,
  requireExp: true,
  verify: { exp: true, nbf: true, iat: true, iss: true },
  claims: { clientId: ['client_id', 'azp'], scopes: ['scope', 'scp'], email: 'email' },
} as unknown as AuthorizationServer;
const route = { resource, upstream: { token: 'strip' } } as unknown as Route;

describe('a value', () => {
  it('is quoted in one line, up to 120 characters', () => {
    expect(quoted(undefined)).toBe('nothing');
    expect(quoted('a\nb')).toBe('"a\\nb"');
    expect(quoted('x'.repeat(118))).toBe(`"${'x'.repeat(118)}"`);
    expect(quoted('x'.repeat(119))).toBe(`"${'x'.repeat(118)}…`);
  });
});

describe('the type of a token', () => {
  it.each<[string | undefined, Readonly<Record<string, unknown>>, string | undefined]>([
    ['jwt', {}, 'typ "jwt", accepted: at+jwt, none'],
    ['none', {}, undefined],
    [undefined, {}, undefined],
    [undefined, { nonce: 'n' }, 'an ID or refresh token: it carries nonce'],
    ['none', { at_hash: 1 }, 'an ID or refresh token: it carries at_hash'],
    ['none', { c_hash: 1 }, 'an ID or refresh token: it carries c_hash'],
    ['none', { typ: 'ID' }, 'an ID or refresh token: it carries typ "ID"'],
    ['none', { typ: 'Offline' }, 'an ID or refresh token: it carries typ "Offline"'],
    ['none', { token_use: 'refresh_token' }, 'an ID or refresh token: it carries token_use "refresh_token"'],
    ['none', { token_use: 'idtoken' }, 'an ID or refresh token: it carries token_use "idtoken"'],
    ['none', { typ: 'identity', token_use: 'xid' }, undefined],
    ['none', { typ: ['ID'] }, undefined],
  ])('%s %j: %s', (type, claims, detail) => {
    expect(checkTokenType(type, claims, server)).toEqual(
      detail === undefined ? undefined : { reason: 'token_type', detail },
    );
  });
});

describe('the times of a token', () => {
  it.each<[Readonly<Record<string, unknown>>, TokenFault | undefined]>([
    [{}, { reason: 'token_lifetime', detail: 'no exp' }],
    [{ exp: '1' }, { reason: 'token_lifetime', detail: 'exp "1"' }],
    [{ exp: 253_402_300_799 }, undefined],
    [{ exp: 253_402_300_800 }, { reason: 'token_lifetime', detail: 'exp 253402300800' }],
    [{ exp: 0 }, { reason: 'token_expired', detail: `expired ${now} s ago` }],
    [{ exp: now - 29 }, undefined],
    [{ exp: now - 30.5 }, { reason: 'token_expired', detail: 'expired 30 s ago' }],
    [
      { exp: now + 9, nbf: 'x' },
      { reason: 'token_lifetime', detail: 'nbf "x"' },
    ],
    [
      { exp: now + 9, iat: -1 },
      { reason: 'token_lifetime', detail: 'iat -1' },
    ],
    [{ exp: now + 9, nbf: now + 30, iat: now + 30 }, undefined],
    [
      { exp: now + 9, nbf: now + 31.5 },
      { reason: 'token_not_yet_valid', detail: 'nbf is 2 s ahead' },
    ],
    [
      { exp: now + 9, iat: now + 31 },
      { reason: 'token_not_yet_valid', detail: 'iat is 1 s ahead' },
    ],
  ])('%j: %j', (claims, fault) => {
    expect(checkLifetime(claims, server, now)).toEqual(fault);
  });
});

describe('the audience of a token', () => {
  it('is told with what was expected', () => {
    expect(checkAudience({ aud: 'x' }, server, route)).toEqual({
      reason: 'token_audience',
      detail: `aud "x", expected ${resource}`,
    });
    expect(checkAudience({ aud: [7] }, { ...server, audiences: ['a', 'b'] }, route)).toEqual({
      reason: 'token_audience',
      detail: 'aud [7], expected a or b',
    });
    expect(checkAudience({ aud: [['a'], 7] }, { ...server, audiences: ['a'] }, route)).toBeDefined();
  });

  it.each(['http://mcp.example.com:80/mcp', 'HTTP://mcp.example.com/mcp/'])(
    '%s is that of the same resource without TLS',
    (aud) => {
      const plain = { ...route, resource: 'http://mcp.example.com/mcp' } as Route;
      expect(checkAudience({ aud }, server, plain)).toBeUndefined();
      expect(checkAudience({ aud }, server, route)).toBeDefined();
    },
  );

  it.each([
    ['urn:x', 'urn:x', true],
    ['urn:x', 'URN:x', false],
    ['https://a.example', 'https://a.example/', true],
    ['https://a.example:443', 'https://a.example', true],
    ['https://a.example:80', 'https://a.example', false],
    ['https://a.example:8443/', 'https://a.example:8443', true],
    ['https://a.example/x/y', 'https://a.example/xy', false],
    ['xhttps://A.example', 'xhttps://a.example', false],
    ['https://A.example/é', 'https://a.example/é', false],
    ['https://A.example/?a', 'https://a.example?a', true],
    ['https://A.example/?a', 'https://a.example/?b', false],
  ])('%s for %s: %s', (aud, of, holds) => {
    const judged = checkAudience({ aud }, server, { ...route, resource: of } as Route);
    expect(judged === undefined).toBe(holds);
  });

  it('is the upstream as well where the token is passed on to it', () => {
    const upstream = { token: 'passthrough', resource: 'https://up.example/mcp' };
    const passing = { ...route, upstream } as unknown as Route;
    expect(checkPassedOn({ aud: 'x' }, route)).toBeUndefined();
    expect(checkPassedOn({ aud: 'https://UP.example/mcp' }, passing)).toBeUndefined();
    expect(checkPassedOn({ aud: [7, 'https://up.example/mcp'] }, passing)).toBeUndefined();
    expect(checkPassedOn({ aud: [['https://up.example/mcp']] }, passing)).toMatchObject({
      reason: 'token_audience',
    });
    for (const aud of [resource, [resource], [7], undefined, ''])
      expect(checkPassedOn({ aud }, passing)).toEqual({
        reason: 'token_audience',
        detail: `aud ${quoted(aud)}, expected https://up.example/mcp too: the token is passed on to it`,
      });
    const unnamed = { ...route, upstream: { token: 'passthrough' } } as unknown as Route;
    expect(checkPassedOn({ aud: 'https://up.example/mcp' }, unnamed)).toMatchObject({
      detail: 'aud "https://up.example/mcp", expected  too: the token is passed on to it',
    });
  });
});

describe('tenant, subject, scopes and confirmation of a token', () => {
  it('tell the tenant of the path from the token’s', () => {
    const ofTenant = (claim?: string): Route => ({ ...route, tenant: { name: 'acme', claim } }) as Route;
    expect(checkTenant({}, route)).toBeUndefined();
    expect(checkTenant({}, ofTenant())).toBeUndefined();
    expect(checkTenant({ org: 'acme' }, ofTenant('org'))).toBeUndefined();
    expect(checkTenant({ org: 'globex' }, ofTenant('org'))).toEqual({
      reason: 'token_tenant',
      detail: 'org "globex", expected acme',
    });
    expect(checkTenant({}, ofTenant('org'))?.detail).toBe('org nothing, expected acme');
  });

  it('tell what the subject is', () => {
    expect(checkSubject({ sub: 7 })).toEqual({ reason: 'token_subject', detail: 'sub 7' });
    expect(checkSubject({ sub: ' ' })).toEqual({ reason: 'token_subject', detail: 'sub " "' });
    expect(checkSubject({ sub: 'x'.repeat(1024) })).toBeUndefined();
    expect(checkSubject({ sub: 'x'.repeat(1025) })?.detail).toMatch(/^sub "x/);
    for (const sub of ['a\0', 'a\u001fb', '\u007f', '\ud800'])
      expect(checkSubject({ sub })).toEqual({
        reason: 'token_subject',
        detail: 'sub has control characters',
      });
  });

  it('name all scopes that are needed, granted or not', () => {
    const scoped = { ...route, scopes: ['a', 'b'] } as Route;
    const granted = (scope: string) => checkScopes(principalOf({ sub: 'x', scope }, server), scoped);
    expect(granted('b a')).toBeUndefined();
    for (const scope of ['', 'a', 'ab', 'c'])
      expect(granted(scope)).toEqual({
        kind: 'scope-insufficient',
        reason: 'scope_insufficient',
        scopes: ['a', 'b'],
      });
    expect(checkScopes(principalOf({ sub: 'x' }, server), { ...scoped, scopes: [] })).toBeUndefined();
  });

  it('tell why the binding to a key can’t be used', () => {
    const cnf = { jkt: 'A'.repeat(43) };
    const required = { ...route, dpop: { mode: 'required' } } as unknown as Route;
    const fault = (detail: string): TokenFault => ({ reason: 'token_confirmation', detail });
    expect(checkConfirmation({}, 'DPoP', route)).toEqual(fault('sent as DPoP, but bound to no key'));
    expect(checkConfirmation({}, 'Bearer', required)).toEqual(
      fault('the route takes only tokens bound to a key'),
    );
    expect(checkConfirmation({ cnf: { x5t: 'x' } }, 'Bearer', route)).toEqual(
      fault('cnf can\'t be proved: {"x5t":"x"}'),
    );
    expect(checkConfirmation({ cnf }, 'Bearer', route)).toEqual(
      fault('bound to a key by cnf.jkt, but sent as Bearer'),
    );
    for (const jkt of ['A'.repeat(42), `=${'A'.repeat(43)}`, `${'A'.repeat(43)}\n`])
      expect(keyOf({ cnf: { jkt } })).toBeUndefined();
    expect(keyOf({})).toBeUndefined();
  });
});

describe('a principal', () => {
  it('is what the claims say, and no more', () => {
    expect(
      principalOf({ iss: 'https://i.example', sub: 7, email: 'a@b', exp: 9, scope: 'a', azp: 'c' }, server),
    ).toMatchObject({
      issuer: 'https://i.example',
      subject: '',
      clientId: 'c',
      email: 'a@b',
      scopes: ['a'],
      authorizationServer: 'as',
      expiresAt: 9,
    });
    const plain = principalOf({ sub: 'x', email: '', exp: '9', client_id: '' }, server);
    expect(plain).toMatchObject({ issuer: 'https://as.example', scopes: [], claims: { sub: 'x' } });
    expect([plain.email, plain.expiresAt, plain.clientId]).toEqual([undefined, undefined, undefined]);
    expect(principalOf({ sub: 'x', email: 7 }, server).email).toBeUndefined();
    expect(Object.isFrozen(plain)).toBe(true);
  });

  it('has scopes by the grammar alone (RFC 6749 §3.3)', () => {
    expect(statedScopes({ scp: ['a', 7, 'b c', 'a'] }, ['scope', 'scp'])).toEqual(['a']);
    expect(statedScopes({ scope: 'a\\ b" ~ !' }, ['scope'])).toEqual(['~', '!']);
    expect(statedScopes({ scope: {} }, ['scope'])).toBeUndefined();
  });
});

describe('credentials', () => {
  it('are refused with what is the matter', () => {
    const refused = (rawHeaders: readonly string[]) => readCredentials(rawHeaders);
    expect(refused([])).toEqual({
      ok: false,
      refusal: { kind: 'credentials-missing', reason: 'no_credentials' },
    });
    expect(refused(['authorization', 'Bearer'])).toEqual({
      ok: false,
      refusal: {
        kind: 'credentials-missing',
        reason: 'malformed_credentials',
        detail: 'Authorization has no single token after its scheme',
      },
    });
    expect(refused(['AUTHORIZATION', 'xBearer a'])).toEqual({
      ok: false,
      refusal: {
        kind: 'credentials-missing',
        reason: 'other_scheme',
        detail: 'Authorization has a scheme that the route does not take',
      },
    });
    expect(refused(['Authorization', 'Bearer a', 'Authorization', 'Bearer a'])).toEqual({
      ok: false,
      refusal: { kind: 'credentials-ambiguous', reason: 'several_authorization_headers' },
    });
    expect(refused(['Authorization'])).toMatchObject({ refusal: { reason: 'other_scheme' } });
  });

  it('are those of one header alone, not of a value or a name that looks alike', () => {
    expect(readCredentials(['X-Anything', 'Authorization', 'x', 'Bearer a'])).toMatchObject({ ok: false });
    expect(readCredentials(['Authorizations', 'Bearer a'])).toMatchObject({ ok: false });
    expect(readCredentials(['authentication', 'Bearer a', 'Authorizatiox', 'Bearer a'])).toMatchObject({
      refusal: { reason: 'no_credentials' },
    });
  });
});

describe('a JWT that can’t be read', () => {
  const encode = (text: string): string => Buffer.from(text).toString('base64url');
  const token = (header: string, claims = '{}'): string => `${encode(header)}.${encode(claims)}.c2ln`;

  it.each<[string, TokenFault]>([
    ['x'.repeat(8193), { reason: 'token_too_long', detail: '8193 characters' }],
    ['x'.repeat(8192), { reason: 'token_malformed', detail: 'not a JWT of three segments' }],
    [`=${token('{"alg":"x"}')}`, { reason: 'token_malformed', detail: 'not a JWT of three segments' }],
    ['e30xx.e30.c2ln', { reason: 'token_malformed', detail: 'not canonical base64url' }],
    [`${encode('{}')}.e31.c2ln`, { reason: 'token_malformed', detail: 'not canonical base64url' }],
    [`${encode('{}')}.e30.x`, { reason: 'token_malformed', detail: 'signature encoding' }],
    [token('{'), { reason: 'token_malformed', detail: 'not_json' }],
    [token('null'), { reason: 'token_malformed', detail: 'not a JSON object' }],
    [token('7'), { reason: 'token_malformed', detail: 'not a JSON object' }],
    [token('{}', '[]'), { reason: 'token_malformed', detail: 'not a JSON object' }],
    [token('{"alg":7}'), { reason: 'alg_not_allowed', detail: 'alg 7' }],
    [token('{"alg":"x","crit":1}'), { reason: 'critical_header' }],
    [token('{"alg":"x","kid":7}'), { reason: 'key_unknown', detail: 'kid is not a string' }],
    [
      token(`{"alg":"x","kid":"${'k'.repeat(257)}"}`),
      { reason: 'key_unknown', detail: 'kid of 257 characters' },
    ],
    [token('{"alg":"x","typ":7}'), { reason: 'token_type', detail: 'typ is not a string' }],
    [token('{"alg":"x"}', '{"a":1,"a":2}'), { reason: 'token_duplicate_member' }],
  ])('%.30s: %j', (text, fault) => {
    expect(parseJwt(text)).toEqual(fault);
  });

  it('may have a kid of 256 characters', () => {
    const kid = 'k'.repeat(256);
    expect(parseJwt(token(`{"alg":"x","kid":"${kid}"}`))).toMatchObject({ header: { kid } });
    expect(parseJwt(token('{"alg":"x","typ":"x-application/y"}'))).toMatchObject({
      header: { type: 'x-application/y' },
    });
  });
});

describe('an answer about a token', () => {
  const said = { sub: 'ada', aud: resource, exp: now + 60 };
  const verified = (claims: Readonly<Record<string, unknown>>): VerifiedSignature =>
    ({
      authority: { server },
      claims,
      principal: principalOf(claims, server),
    }) as unknown as VerifiedSignature;
  const judge = (answer: Readonly<Record<string, unknown>>, of?: VerifiedSignature, over = {}) =>
    judgeAnswer(
      { authority: { server: { ...server, ...over } } as Authority, claims: answer, verified: of },
      { route, scheme: 'Bearer', nowMs: now * 1000 },
    );

  it.each<[Readonly<Record<string, unknown>>, TokenFault]>([
    [{ token_type: 'refresh_token' }, { reason: 'token_type', detail: 'token_type "refresh_token"' }],
    [{ token_type: 7 }, { reason: 'token_type', detail: 'token_type 7' }],
    [{ token_type: '' }, { reason: 'token_type', detail: 'token_type ""' }],
    [
      { token_type: 'DPoP' },
      { reason: 'token_confirmation', detail: 'token_type "DPoP", and the key isn\'t named' },
    ],
    [
      { token_type: 'dpop', cnf: { jkt: 'A'.repeat(43) } },
      { reason: 'token_confirmation', detail: 'bound to a key by cnf.jkt, but sent as Bearer' },
    ],
    [
      { iss: 'x' },
      {
        reason: 'issuer_not_trusted',
        detail: 'iss "x", expected https://as.example or https://as2.example',
      },
    ],
    [
      { iss: 7 },
      { reason: 'issuer_not_trusted', detail: 'iss 7, expected https://as.example or https://as2.example' },
    ],
  ])('%j: %j', (over, fault) => {
    expect(judge({ ...said, ...over })).toEqual(fault);
  });

  it.each([
    { token_type: 'bearer' },
    { token_type: 'Bearer' },
    { token_type: 'access_token' },
    { token_type: 'urn:ietf:params:oauth:token-type:access_token' },
    { iss: 'https://as2.example' },
    { exp: undefined },
  ])('may say %j', (over) => {
    expect(judge({ ...said, ...over })).toMatchObject({ subject: 'ada' });
  });

  it('isn’t held to an issuer where issuers aren’t checked', () => {
    const verify = { ...server.verify, iss: false };
    expect(judge({ ...said, iss: 'x' }, undefined, { verify })).toMatchObject({ issuer: 'x' });
  });

  it('is about the person and the key that the JWT names', () => {
    const cnf = { jkt: 'A'.repeat(43) };
    expect(judge({ sub: 'ada' }, verified(said))).toMatchObject({ subject: 'ada' });
    expect(judge({ sub: 'bob' }, verified(said))).toEqual({
      reason: 'token_subject',
      detail: 'the server says sub "bob", the token another',
    });
    expect(judge({ cnf: { jkt: 'B'.repeat(43) } }, verified({ ...said, cnf }))).toEqual({
      reason: 'token_confirmation',
      detail: 'the server says that it is bound to another key',
    });
    expect(judge({ cnf }, verified(said))).toEqual({
      reason: 'token_confirmation',
      detail: 'the server says that it is bound to another key',
    });
    for (const answer of [{ cnf }, {}])
      expect(judge(answer, verified({ ...said, cnf }))).toEqual({
        reason: 'token_confirmation',
        detail: 'bound to a key by cnf.jkt, but sent as Bearer',
      });
  });

  it('is read once for as long as it is remembered', () => {
    const answer = { ...said };
    expect(judge(answer)).toBe(judge(answer));
    expect(judge({ ...said })).not.toBe(judge(answer));
    const jwt = { ...said, exp: undefined };
    const both = judge({}, verified(jwt));
    expect(both).toHaveProperty('expiresAt', undefined);
    expect(Object.isFrozen(both) && 'scopes' in both && Object.isFrozen(both.claims)).toBe(true);
  });
});
