import { describe, expect, it } from 'vitest';

import type { AuthorizationServer, LoginClient, Route } from '../../config/configuration.ts';
import type { Principal } from '../../vocabulary/principal.ts';
import { LoginLinks, proverOf } from './login-links.ts';
import { LoginSeal } from './login-seal.ts';

const client: LoginClient = {
  authorizationServer: 'corp',
  clientId: 'gate',
  idTokenClaim: 'sub',
  accessTokenClaim: 'sub',
};
const issuer = 'https://login.example.com';
const server = { name: 'corp', issuers: [issuer] } as unknown as AuthorizationServer;
const route = {
  name: 'tools',
  authorizationServers: [server],
  upstream: { url: 'https://mcp.example.com/mcp' },
} as unknown as Route;
const alice = {
  issuer,
  subject: 'alice',
  claims: { sub: 'alice', uid: 'u1', mail: '', groups: ['a'] },
} as unknown as Principal;

let now = 1_000_000;
const key = 'k'.repeat(32);
const seal = new LoginSeal({ key, previous: [] }, () => now);

function urlFor(changed: Partial<LoginClient> = {}, on = route, principal = alice): string | undefined {
  const login = [{ ...client, ...changed }];
  const links = new LoginLinks({ login, publicUrl: 'https://gate.example.com/base' }, seal, () => now);
  return links.urlFor(on, principal);
}

function ticketIn(url: string | undefined): string {
  return new URL(url ?? '').searchParams.get('ticket') ?? '';
}

describe('a link', () => {
  it('is at the origin of the gateway, beside the metadata', () => {
    expect(urlFor()).toMatch(
      /^https:\/\/gate\.example\.com\/\.well-known\/portcullis\/login\?ticket=[\w-]+$/,
    );
  });

  it('says whose login it is, where, and by which value of a token that is shown', () => {
    expect(seal.open('link', ticketIn(urlFor({ accessTokenClaim: 'uid' })))).toMatchObject({
      route: 'tools',
      upstream: 'https://mcp.example.com/mcp',
      person: { issuer, subject: 'alice' },
      proof: 'u1',
    });
  });

  it('is another one each time', () => {
    expect(urlFor()).not.toBe(urlFor());
  });

  it.each<[string, string | undefined]>([
    ['whose server has no client', urlFor({ authorizationServer: 'other' })],
    ['of an issuer that isn’t the route’s', urlFor({}, route, { ...alice, issuer: 'https://evil.example' })],
    [
      'of a tenant with an issuer of its own',
      urlFor({}, { ...route, authorizationServers: [{ ...server, tenant: 'acme' }] }),
    ],
    ['whose token lacks the claim', urlFor({ accessTokenClaim: 'oid' })],
    ['whose claim is empty', urlFor({ accessTokenClaim: 'mail' })],
    ['whose claim is no text', urlFor({ accessTokenClaim: 'groups' })],
  ])('isn’t given to a user %s', (_who, url) => expect(url).toBe(undefined));

  it('can be opened for ten minutes, with the key of before as well, and with no other', () => {
    const ticket = ticketIn(urlFor());
    const opened = (keys: { key: string; previous: readonly string[] }): unknown =>
      new LoginSeal(keys, () => now).open('link', ticket);
    expect(opened({ key: 'n'.repeat(32), previous: [key] })).toMatchObject({ route: 'tools' });
    expect(opened({ key: 'n'.repeat(32), previous: [] })).toBe(undefined);
    now += 599_999;
    expect(opened({ key, previous: [] })).toMatchObject({ route: 'tools' });
    now += 1;
    expect(opened({ key, previous: [] })).toBe('ended');
  });

  it('is no other step of a login', () => {
    const ticket = ticketIn(urlFor());
    for (const step of ['proving', 'asking', 'leaving'] as const)
      expect(seal.open(step, ticket)).toBe(undefined);
  });
});

it('whoever proves a person is found by the issuer of their token', () => {
  expect(proverOf({ login: [client] }, route, issuer)).toEqual({ server, client });
  expect(proverOf({ login: [] }, route, issuer)).toBe(undefined);
});
