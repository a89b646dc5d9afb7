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
