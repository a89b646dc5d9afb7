import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Route } from '../config/configuration.ts';
import { answerFor } from './answer.ts';
import { challengesOf } from './www-authenticate.ts';

const route = {
  name: 'github',
  discovery: 'on',
  challengeScopes: ['a', 'b'],
  resourceMetadataUrl: 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp',
} as unknown as Route;
const metadata = 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"';

describe('challenges', () => {
  it('name scope and metadata, and an error only where credentials were presented (A02, A03, A17)', () => {
    const { missing, expired, invalid, ambiguous } = challengesOf(route);
    expect(missing).toBe(`Bearer scope="a b", ${metadata}`);
    expect(expired).toBe(
      `Bearer error="invalid_token", error_description="The access token expired", scope="a b", ${metadata}`,
    );
    expect(invalid).toBe(
      `Bearer error="invalid_token", error_description="The access token is invalid", scope="a b", ${metadata}`,
    );
    expect(ambiguous).toBe(`Bearer error="invalid_request", scope="a b", ${metadata}`);
    expect(challengesOf({ ...route, challengeScopes: [] }).missing).toBe(`Bearer ${metadata}`);
  });

  it('are bare where a route has no discovery (A05)', () => {
    const { missing, invalid } = challengesOf({ ...route, discovery: 'off' });
    expect(missing).toBe('Bearer realm="github"');
    expect(invalid).toBe(
      'Bearer realm="github", error="invalid_token", error_description="The access token is invalid"',
    );
  });

  it('show what the authorization servers advertise where a route says so (A04)', () => {
    const live: Route = { ...route, challengeScopes: 'from-authorization-server' };
    expect(challengesOf(live, ['x', 'y']).missing).toBe(`Bearer scope="x y", ${metadata}`);
    expect(challengesOf(live).missing).toBe(`Bearer ${metadata}`);
    expect(challengesOf(route, ['x']).missing).toBe(`Bearer scope="a b", ${metadata}`);
  });

  it('name the scopes of a step-up, and those of a login after the route’s own (A17)', () => {
    const { insufficientScope, loginNeeded } = challengesOf(route);
    expect(insufficientScope(['c'])).toBe(`Bearer error="insufficient_scope", scope="c", ${metadata}`);
    expect(loginNeeded(['b', 'c'])).toBe(`Bearer scope="a b c", ${metadata}`);
  });

  it('offer DPoP beside Bearer, with the error in each, or alone (I2)', () => {
    const dpop = { mode: 'optional', nonce: false, algorithms: ['ES256', 'EdDSA'], window: 60_000 } as const;
    const algorithms = 'DPoP algs="ES256 Ed25519 EdDSA"';
    const invalidToken = 'error="invalid_token", error_description="The access token is invalid"';
    const bearer = `Bearer scope="a b", ${metadata}`;
    expect(challengesOf({ ...route, dpop })).toMatchObject({
      missing: [bearer, algorithms],
      ambiguous: [
        `Bearer error="invalid_request", scope="a b", ${metadata}`,
        `${algorithms}, error="invalid_request"`,
      ],
      invalid: [`Bearer ${invalidToken}, scope="a b", ${metadata}`, `${algorithms}, ${invalidToken}`],
      invalidProof: [bearer, `${algorithms}, error="invalid_dpop_proof"`],
      nonceNeeded: [bearer, `${algorithms}, error="use_dpop_nonce"`],
    });
    const rest = `scope="a b", ${metadata}`;
    expect(challengesOf({ ...route, dpop: { ...dpop, mode: 'required' } })).toMatchObject({
      missing: `${algorithms}, ${rest}`,
      ambiguous: `${algorithms}, error="invalid_request", ${rest}`,
      invalid: `${algorithms}, ${invalidToken}, ${rest}`,
      invalidProof: `${algorithms}, error="invalid_dpop_proof", ${rest}`,
      nonceNeeded: `${algorithms}, error="use_dpop_nonce", ${rest}`,
    });
    expect(challengesOf(route)).toMatchObject({ invalidProof: bearer, nonceNeeded: bearer });
  });

  it('leave out of a route’s name what can’t be told (A19)', () => {
    const named: Route = { ...route, name: 'a"b\\c\r\né!', discovery: 'off' };
    expect(challengesOf(named).missing).toBe('Bearer realm="abc!"');
  });

  it('can’t be broken by a route’s name (A19, B-045)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        expect(challengesOf({ ...route, name, discovery: 'off' }).missing).toMatch(
          /^Bearer realm="[\x20\x21\x23-\x5b\x5d-\x7e]*"$/,
        );
      }),
    );
  });
});

describe('answers', () => {
  it('say little: no reason and no detail goes over the wire', () => {
    const context = { challenges: challengesOf(route), id: null };
    const audience = answerFor(
      { kind: 'token-invalid', reason: 'token_audience', detail: 'aud "secret"' },
      context,
    );
    const signature = answerFor({ kind: 'token-invalid', reason: 'token_signature' }, context);
    expect(audience).toEqual(signature);
    expect(audience.status).toBe(401);
    expect(audience.headers['cache-control']).toBe('no-store');
    const expired = answerFor({ kind: 'token-invalid', reason: 'token_expired' }, context);
    expect(expired.headers['www-authenticate']).toContain('The access token expired');
  });

  it('echo the id of the request as it was written (A28)', () => {
    const answer = answerFor(
      { kind: 'upstream-failed', reason: 'reset', detail: 'ECONNRESET' },
      { challenges: undefined, id: '"é\\u0031"' },
    );
    expect(answer.body).toBe(
      '{"jsonrpc":"2.0","id":"é\\u0031","error":{"code":50200,"message":"The MCP server failed"}}',
    );
  });

  it('blame a dependency with 503 and say when to come back (A13)', () => {
    const answer = answerFor(
      { kind: 'authorization-server-unavailable', reason: 'keys_unavailable', retryAfterSeconds: 17 },
      { challenges: undefined, id: null },
    );
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '17']);
  });
});
