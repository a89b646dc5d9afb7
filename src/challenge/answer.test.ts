/** What goes over the wire for each refusal: status, code, sentence, and the headers of its own. */
import { describe, expect, it } from 'vitest';

import type { Refusal } from '../vocabulary/refusal.ts';
import { knownRevisions } from '../vocabulary/revision.ts';
import { type Answer, answerFor } from './answer.ts';
import type { Challenges } from './www-authenticate.ts';

const challenges: Challenges = {
  missing: 'missing',
  ambiguous: 'ambiguous',
  expired: 'expired',
  invalid: 'invalid',
  invalidProof: ['invalid', 'proof'],
  nonceNeeded: 'nonce',
  insufficientScope: (scopes) => `more: ${scopes.join()}`,
  loginNeeded: (scopes) => `login: ${scopes.join()}`,
};

type Wire = readonly [
  status: number,
  code: number,
  message: string,
  headers?: Readonly<Record<string, unknown>>,
];

const denied = (shownAs: Extract<Refusal, { readonly kind: 'call-denied' }>['shownAs']): Refusal => ({
  kind: 'call-denied',
  reason: 'call_denied',
  shownAs,
  detail: 'no rule admits it',
});
const credentials = (
  reason: Extract<Refusal, { readonly kind: 'upstream-credentials-missing' }>['reason'],
): Refusal => ({ kind: 'upstream-credentials-missing', reason });
const soon = { retryAfterSeconds: 7 } as const;
const soonHeader = { 'retry-after': '7' };
const nextSecond = { 'retry-after': '1' };

const answers: readonly (readonly [Refusal, Wire])[] = [
  [
    { kind: 'credentials-missing', reason: 'no_credentials' },
    [401, 40100, 'Authentication is required', { 'www-authenticate': 'missing' }],
  ],
  [
    { kind: 'credentials-ambiguous', reason: 'several_authorization_headers' },
    [400, -32600, 'More than one Authorization header', { 'www-authenticate': 'ambiguous' }],
  ],
  [
    { kind: 'token-invalid', reason: 'token_expired' },
    [401, 40100, 'The access token expired', { 'www-authenticate': 'expired' }],
  ],
  [
    { kind: 'token-invalid', reason: 'token_signature' },
    [401, 40100, 'The access token is invalid', { 'www-authenticate': 'invalid' }],
  ],
  [
    { kind: 'proof-invalid', reason: 'proof_time' },
    [401, 40100, 'The DPoP proof is invalid', { 'www-authenticate': ['invalid', 'proof'] }],
  ],
  [
    { kind: 'proof-nonce-needed', reason: 'proof_nonce', nonce: 'n-1' },
    [401, 40100, 'The DPoP proof needs this nonce', { 'www-authenticate': 'nonce', 'dpop-nonce': 'n-1' }],
  ],
  [
    { kind: 'replay-unknown', reason: 'replay_store_full', ...soon },
    [503, 50300, 'Used proofs cannot be looked up', soonHeader],
  ],
  [
    { kind: 'authorization-server-unavailable', reason: 'keys_unavailable', ...soon },
    [503, 50300, 'The authorization server is unavailable', soonHeader],
  ],
  [
    { kind: 'scope-insufficient', reason: 'scope_insufficient', scopes: ['a', 'b'] },
    [403, 40301, 'More scopes are required', { 'www-authenticate': 'more: a,b' }],
  ],
  [
    { kind: 'login-needed', reason: 'login_needed', scopes: ['c'], detail: '' },
    [401, 40100, 'Authentication is required', { 'www-authenticate': 'login: c' }],
  ],
  [denied('not-allowed'), [403, 40300, 'This call is not allowed']],
  [denied('unknown-tool'), [200, -32602, 'Unknown tool']],
  [denied('unknown-prompt'), [200, -32602, 'Unknown prompt']],
  [denied('unknown-resource'), [200, -32602, 'Unknown resource']],
  [denied('unknown-method'), [200, -32601, 'Method not found']],
  [denied('unknown-method-modern'), [404, -32601, 'Method not found']],
  [{ kind: 'host-refused', reason: 'host_not_listed' }, [403, 40300, 'This host is not served here']],
  [{ kind: 'origin-refused', reason: 'origin_not_listed' }, [403, 40300, 'This origin is not allowed']],
  [{ kind: 'route-unknown', reason: 'no_such_route' }, [404, 40400, 'Not found']],
  [
    { kind: 'method-not-served', reason: 'method_not_served', allow: 'GET, POST' },
    [405, -32600, 'Method not allowed', { allow: 'GET, POST' }],
  ],
  [{ kind: 'request-malformed', reason: 'target_form' }, [400, -32600, 'Bad request']],
  [
    { kind: 'headers-too-many', reason: 'header_lines' },
    [431, -32600, 'Too many header lines', { connection: 'close' }],
  ],
  [
    { kind: 'expectation-refused', reason: 'expectation' },
    [417, -32600, 'Only 100-continue can be expected'],
  ],
  [
    { kind: 'media-type-refused', reason: 'charset', detail: 'latin1' },
    [
      415,
      -32600,
      'The body must be application/json in UTF-8, without content encoding',
      { 'accept-encoding': 'identity' },
    ],
  ],
  [{ kind: 'message-refused', reason: 'not_json', code: -32700 }, [400, -32700, 'Parse error']],
  [{ kind: 'message-refused', reason: 'shape', code: -32600 }, [400, -32600, 'Invalid request']],
  [{ kind: 'header-mismatch', reason: 'name_header' }, [400, -32020, 'Header mismatch']],
  [{ kind: 'body-too-large', reason: 'body_too_large' }, [413, 41300, 'The body is too large']],
  [
    { kind: 'identity-unusable', reason: 'identity_unusable', detail: 'x' },
    [403, 40300, 'The identity cannot be passed on'],
  ],
  [credentials('upstream_credentials_missing'), [403, 40310, 'Credentials for the MCP server are missing']],
  [credentials('upstream_credentials_invalid'), [403, 40310, 'Credentials for the MCP server are invalid']],
  [credentials('upstream_credentials_refused'), [403, 40310, 'Credentials for the MCP server are refused']],
  [
    { kind: 'upstream-credentials-unavailable', reason: 'exchange_busy', ...soon },
    [503, 50300, 'Credentials for the MCP server are unavailable', soonHeader],
  ],
  [{ kind: 'session-unknown', reason: 'session_unknown' }, [404, 40400, 'No such session']],
  [{ kind: 'session-lost', reason: 'session_lost', detail: 'x' }, [404, 40400, 'No such session']],
  [{ kind: 'not-ready', reason: 'starting' }, [503, 50300, 'Starting', nextSecond]],
  [{ kind: 'not-ready', reason: 'stopping' }, [503, 50300, 'Stopping', nextSecond]],
  [
    { kind: 'not-ready', reason: 'config_superseded' },
    [503, 50300, 'The configuration has changed', nextSecond],
  ],
  [{ kind: 'route-full', reason: 'streams_limit' }, [503, 50300, 'Too many open streams', nextSecond]],
  [
    { kind: 'principal-full', reason: 'principal_calls' },
    [429, 42900, 'Too many requests under way', nextSecond],
  ],
  [{ kind: 'rate-exceeded', reason: 'tool_rate', ...soon }, [429, 42900, 'Too many requests', soonHeader]],
  [{ kind: 'upstream-failed', reason: 'reset', detail: 'x' }, [502, 50200, 'The MCP server failed']],
  [
    { kind: 'upstream-silent', reason: 'connect_timeout' },
    [504, 50400, 'The MCP server did not answer in time'],
  ],
  [{ kind: 'defect', reason: 'defect' }, [500, -32603, 'Internal error']],
];

const plainHeaders = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };

function errorOf({ body }: Answer): unknown {
  return (JSON.parse(body) as { readonly error: unknown }).error;
}

describe('the answer to a refusal', () => {
  it.each(answers)('is the one that the table says: %o', (refusal, [status, code, message, headers]) => {
    const answer = answerFor(refusal, { challenges, id: '"7"' });
    expect({ ...answer, body: JSON.parse(answer.body) as unknown }).toEqual({
      status,
      headers: { ...plainHeaders, ...headers },
      body: { jsonrpc: '2.0', id: '7', error: { code, message } },
    });
  });

  it('challenges nobody outside the configured routes', () => {
    const answer = answerFor(
      { kind: 'credentials-missing', reason: 'no_credentials' },
      { challenges: undefined, id: null },
    );
    expect(answer.headers).toStrictEqual(plainHeaders);
    expect(JSON.parse(answer.body)).toMatchObject({ id: null });
  });

  it('names the revisions that are known to whoever asks for another', () => {
    const answer = answerFor(
      { kind: 'revision-unknown', reason: 'revision_unknown', requested: '2099-01-01' },
      { challenges, id: '1' },
    );
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toEqual({
      code: -32022,
      message: 'Unsupported protocol version',
      data: { supported: knownRevisions, requested: '2099-01-01' },
    });
  });

  it('tells a program who has to log in where, and the address only where there is one', () => {
    const refusal = {
      kind: 'upstream-login-needed',
      reason: 'upstream_login_needed',
      server: 'github',
      login: 'portcullis login github',
      detail: '',
    } as const;
    const data = { needs_reauth: true, server: 'github', login: 'portcullis login github' };
    const url = 'https://gate.example/l/1';
    const answer = answerFor(refusal, { challenges, id: '1' });
    expect(answer.status).toBe(502);
    expect(errorOf(answer)).toStrictEqual({ code: 50210, message: 'The MCP server needs a new login', data });
    expect(answer.body).not.toContain('url');
    expect(errorOf(answerFor({ ...refusal, url }, { challenges, id: '1' }))).toMatchObject({
      data: { ...data, url },
    });
    expect(answerFor({ ...refusal, url, opensUrls: true }, { challenges, id: '1' })).toMatchObject({
      status: 200,
      body: expect.stringContaining(url) as string,
    });
  });

  it('is a page for a person in front of a browser', () => {
    const answer = answerFor({ kind: 'user-login-refused', reason: 'login_link' }, { challenges, id: null });
    expect([answer.status, answer.headers['content-type']]).toEqual([400, 'text/html; charset=utf-8']);
  });

  it('is none for what no one knows: that is a defect', () => {
    const unknown = { kind: 'invented' } as unknown as Refusal;
    expect(() => answerFor(unknown, { challenges, id: null })).toThrow('no answer for {"kind":"invented"}');
  });
});
