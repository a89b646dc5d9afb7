import { describe, expect, it } from 'vitest';

import type { Authority } from '../authorization-servers/authority.ts';
import type { AuthorizationServer, Route } from '../config/configuration.ts';
import { judgeAnswer } from './judge-answer.ts';
import { principalOf } from './principal.ts';
import type { VerifiedSignature } from './remembered-signatures.ts';

const server = {
  name: 'corp',
  issuers: ['https://login.example.com'],
  audiences: [],
  tokenTypes: ['at+jwt'],
  leeway: 0,
  requireExp: true,
  verify: { exp: true, nbf: true, iat: true, iss: true },
  claims: { clientId: ['client_id', 'azp'], scopes: ['scope', 'scp'], email: 'email' },
} as unknown as AuthorizationServer;
const route = { resource: 'https://mcp.example.com/mcp', upstream: { token: 'strip' } } as Route;
const nowMs = 1_800_000_000_000;
const exp = nowMs / 1000 + 300;
const said = {
  iss: 'https://login.example.com',
  sub: 'ada',
  azp: 'editor',
  aud: 'https://mcp.example.com/mcp',
  exp,
  scope: 'read write',
  groups: ['eng'],
};

function judge(answer: Readonly<Record<string, unknown>>, jwt: Readonly<Record<string, unknown>> = said) {
  const authority = { server } as Authority;
  const verified = { authority, type: 'at+jwt', claims: jwt, principal: principalOf(jwt, server) };
  return judgeAnswer(
    { authority, claims: answer, verified: verified as unknown as VerifiedSignature },
    { route, scheme: 'Bearer', nowMs },
  );
}

describe('a JWT whose server was asked about it (I1)', () => {
  it('says who it is where the answer leaves that out', () => {
    expect(judge({})).toMatchObject({
      issuer: 'https://login.example.com',
      subject: 'ada',
      clientId: 'editor',
      scopes: ['read', 'write'],
      expiresAt: exp,
    });
  });

  it.each([
    [{ scope: 'read' }, ['read']],
    [{ scope: '' }, []],
    [{ scope: 'write admin' }, ['write']],
    [{ scp: ['read'] }, ['read']],
    [{ scope: 7 }, ['read', 'write']],
  ])('has only the scopes that both grant: %j', (answer, scopes) => {
    expect(judge(answer)).toMatchObject({ scopes });
  });

  it('ends where the first of both ends', () => {
    expect(judge({ exp: exp - 100 })).toMatchObject({ expiresAt: exp - 100 });
    expect(judge({ exp: exp + 100 })).toMatchObject({ expiresAt: exp });
    const { exp: _, ...endless } = said;
    expect(judge({ exp: exp + 100 }, endless)).toMatchObject({ expiresAt: exp + 100 });
  });

  it('says what its server says of it now, and stays whose it was', () => {
    expect(judge({ groups: ['sales'], client_id: 'another', email: 'ada@example.com' })).toMatchObject({
      clientId: 'editor',
      email: 'ada@example.com',
      claims: { groups: ['sales'], sub: 'ada' },
    });
  });
});
