import { describe, expect, it } from 'vitest';

import type { ProofParts } from './prove-person.ts';
import { beginProof, finishProof } from './prove-person.ts';

const issuer = 'https://login.example.com';
const redirectUri = 'https://gate.example.com/back';
const client = {
  authorizationServer: 'corp',
  clientId: 'gate',
  clientSecret: 'a secret',
  idTokenClaim: 'sub',
  accessTokenClaim: 'sub',
};
const now = Math.floor(Date.now() / 1000);

interface Answered {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly status?: number;
  readonly back?: Readonly<Record<string, string>>;
}

/** A whole proof against a server that answers so. */
async function prove({ claims = {}, body, status = 200, back = {} }: Answered) {
  const sent: RequestInit[] = [];
  let nonce = '';
  const members = {
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    authorization_response_iss_parameter_supported: true,
  };
  const parts = {
    client,
    redirectUri,
    authority: {
      server: { issuers: [issuer] },
      metadata: { get: () => Promise.resolve({ ok: true, metadata: { url: issuer, text: '', members } }) },
      fetch: (_url: string, init: RequestInit) => {
        sent.push(init);
        const told = { iss: issuer, sub: 'alice', aud: 'gate', exp: now + 60, iat: now, nonce, ...claims };
        const token = `${coded({ alg: 'RS256' })}.${coded(told)}.${'A'.repeat(342)}`;
        const usual = { access_token: 'x', token_type: 'Bearer', id_token: token };
        return Promise.resolve(Response.json(body ?? usual, { status }));
      },
    },
  } as unknown as ProofParts;
  const begun = await beginProof(parts);
  if (!begun.ok) throw new Error(begun.detail);
  nonce = begun.secrets.nonce;
  const parameters = new URLSearchParams({ code: 'c', state: begun.secrets.state, iss: issuer, ...back });
  return { proved: await finishProof(begun.secrets, parameters, parts), sent };
}

function coded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('who sits behind a browser', () => {
  it('is told by an ID token for this client and this login', async () => {
    const { proved, sent } = await prove({ claims: { name: 'Alice A.' } });
    expect(proved).toEqual({
      ok: true,
      visitor: { issuer, subject: 'alice', proof: 'alice', name: 'Alice A.' },
    });
    const [{ headers, body } = {}] = sent;
    expect(new Headers(headers).get('authorization')).toMatch(/^Basic /);
    expect(String(body as URLSearchParams)).toContain('code_verifier=');
  });

  it.each<[string, Answered]>([
    ['another login', { claims: { nonce: 'another' } }],
    ['no login', { claims: { nonce: undefined } }],
    ['another client', { claims: { aud: 'other' } }],
    ['other clients besides', { claims: { aud: ['gate', 'other'] } }],
    ['another issuer', { claims: { iss: 'https://evil.example' } }],
    ['a time that has passed', { claims: { exp: now - 60 } }],
    ['nobody', { claims: { sub: undefined } }],
  ])('isn’t told by one for %s', async (_what, answered) => {
    expect((await prove(answered)).proved).toMatchObject({ ok: false, why: 'failed' });
  });

  it.each<[string, Answered, string]>([
    ['without an ID token', { body: { access_token: 'x', token_type: 'Bearer' } }, 'failed'],
    ['that its code isn’t taken', { body: { error: 'invalid_grant' }, status: 400 }, 'answer'],
    ['that the gateway isn’t known', { body: { error: 'invalid_client' }, status: 401 }, 'failed'],
    ['that is garbage', { body: {}, status: 500 }, 'failed'],
    ['of another server (RFC 9207)', { back: { iss: 'https://evil.example' } }, 'answer'],
    ['to another login', { back: { state: 'another' } }, 'answer'],
    ['that says no', { back: { error: 'access_denied' } }, 'declined'],
  ])('isn’t told by an answer %s', async (_what, answered, why) => {
    expect((await prove(answered)).proved).toMatchObject({ ok: false, why });
  });
});
