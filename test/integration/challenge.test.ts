/** What a refused client reads: challenges, CORS, bodies. */
import { describe, expect, it } from 'vitest';
import { EventStream } from '../support/event-stream.ts';
import type { RawResponse } from '../support/raw-response.ts';
import { json, only, startWorld, toolCall, type Ask } from './world.ts';

const scopes = 'scopes: [mcp:use]';

describe('A02 no credentials', () => {
  it.each([
    ['none', []],
    ['another scheme', [['Authorization', 'Basic dXNlcjpwYXNz']]],
    ['an empty token', [['Authorization', 'Bearer ']]],
    ['the scheme alone', [['Authorization', 'Bearer']]],
    ['two tokens', [['Authorization', 'Bearer abc def']]],
    ['characters outside the token grammar', [['Authorization', 'Bearer ab"c']]],
  ] as const)(
    'is answered 401 with one Bearer challenge and no error code: %s (A02)',
    async (_name, headers) => {
      await using world = await startWorld({ route: scopes });
      const response = await world.ask({ headers });
      expect(response.status).toBe(401);
      expect(response.header('www-authenticate')).toEqual([
        `Bearer scope="mcp:use", resource_metadata="${world.gateway.url}/.well-known/oauth-protected-resource/mcp"`,
      ]);
      expect(only(response, 'cache-control')).toBe('no-store');
      expect(world.passed).toBe('');
    },
  );

  it('accepts the scheme in any case (A02)', async () => {
    await using world = await startWorld({ route: scopes });
    for (const scheme of ['bearer', 'BEARER', 'bEaReR']) {
      const headers = [['Authorization', `${scheme} ${world.issuer.token()}`]] as const;
      expect((await world.ask({ headers })).status).toBe(200);
    }
    expect(world.upstream.requests).toHaveLength(3);
  });

  it('challenges every method alike, known to MCP or not, before anything else is said of it (A02)', async () => {
    await using world = await startWorld({ route: scopes });
    const challenge = only(await world.ask(), 'www-authenticate');
    for (const method of ['GET', 'POST', 'DELETE', 'HEAD', 'PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      const response = await world.ask({ method });
      expect([method, response.status, only(response, 'www-authenticate')]).toEqual([method, 401, challenge]);
    }
    const token = world.issuer.token();
    const unserved = await world.ask({ method: 'PUT', token });
    expect([unserved.status, only(unserved, 'allow')]).toEqual([405, 'GET, POST, DELETE']);
    expect(world.passed).toBe('');
  });
});

describe('A03 a bad token', () => {
  it('is answered invalid_token, and only expired is told from invalid (A03)', async () => {
    await using world = await startWorld({ route: scopes });
    const { issuer } = world;
    const expired = await world.ask({ token: issuer.token({ claims: { exp: 1_000_000 } }) });
    const elsewhere = await world.ask({
      token: issuer.token({ claims: { aud: 'https://other.example/mcp' } }),
    });
    const challenge = (description: string) =>
      `Bearer error="invalid_token", error_description="${description}", scope="mcp:use", resource_metadata="${world.gateway.url}/.well-known/oauth-protected-resource/mcp"`;
    expect([expired.status, expired.header('www-authenticate')]).toEqual([
      401,
      [challenge('The access token expired')],
    ]);
    expect([elsewhere.status, elsewhere.header('www-authenticate')]).toEqual([
      401,
      [challenge('The access token is invalid')],
    ]);
    for (const response of [expired, elsewhere]) {
      const whole = `${JSON.stringify(response.headerLines)}${response.body.toString()}`;
      expect(whole).not.toContain(issuer.url);
      expect(whole).not.toContain('other.example');
    }
    expect(world.passed).toBe('');
  });

  it('is one answer for every reason but expiry (A03)', async () => {
    await using world = await startWorld({ route: scopes });
    const { issuer } = world;
    const [header = '', payload = '', signature = ''] = issuer.token().split('.');
    const bad = [
      'opaque',
      `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      issuer.token({ key: 'none' }),
      issuer.token({ claims: { iss: 'https://stranger.example' } }),
      issuer.token({ claims: { sub: undefined } }),
      issuer.token({ claims: { nbf: 9_999_999_999 } }),
      issuer.token({ header: { typ: 'logout+jwt' } }),
      issuer.token({ claims: { cnf: { jkt: 'x' } } }),
    ];
    const answers = await Promise.all(
      bad.map(async (token) => {
        const { status, headerLines, body } = await world.ask({ token });
        const headers = headerLines.filter(([name]) => !/^(?:date|x-request-id)$/i.test(name));
        return JSON.stringify([status, headers, body.toString()]);
      }),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain('The access token is invalid');
    expect(world.passed).toBe('');
  });

  it('in two Authorization lines is 400 and never a choice between them (A02)', async () => {
    await using world = await startWorld({ route: scopes });
    const line = ['Authorization', `Bearer ${world.issuer.token()}`] as const;
    for (const headers of [
      [line, line],
      [line, ['authorization', 'Bearer other']],
    ] as const) {
      const response = await world.ask({ headers });
      expect(response.status).toBe(400);
      expect(only(response, 'www-authenticate')).toMatch(/^Bearer error="invalid_request"/);
    }
    expect(world.passed).toBe('');
  });
});

it('hostile words of the authorization server reach no header of a challenge (A19)', async () => {
  await using world = await startWorld({ route: `${scopes}, scopesSupported: [mcp:use]` });
  world.issuer.describe({
    scopes_supported: ['a"b', 'c\r\nX-Evil: 1', 'é', ''],
    issuer_name: 'x"\r\nX-Evil: 1',
  });
  const challenges = [
    await world.ask(),
    await world.ask({ token: 'x.y.z' }),
    await world.ask({ token: world.issuer.token({ claims: { scope: 'a "b\r\nX-Evil: 1' } }) }),
    await world.ask({ token: world.issuer.token({ header: { kid: 'k"\r\nX-Evil: 1' } }) }),
  ];
  // RFC 6750 §3: the characters of scope, error and error_description.
  const form = /^Bearer (?:[a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"(?:, |$))+$/;
  for (const response of challenges) {
    expect([401, 403, 503]).toContain(response.status);
    expect(JSON.stringify(response.headerLines)).not.toMatch(/evil/i);
    if (response.status !== 503) expect(only(response, 'www-authenticate')).toMatch(form);
  }
  expect(challenges[2]?.status).toBe(403);
  expect(only(challenges[2] as RawResponse, 'www-authenticate')).toContain('scope="mcp:use"');
});

describe('A21 pages in browsers', () => {
  const origin = 'https://inspector.example';
  const route = `origins: ['${origin}', 'https://second.example'], scopes: [mcp:use], limits: { body: 2KiB }`;
  const page: readonly [string, string] = ['Origin', origin];

  function expectCors(response: RawResponse): void {
    expect(response.header('access-control-allow-origin')).toEqual([origin]);
    expect(only(response, 'vary')).toMatch(/\bOrigin\b/);
    const exposed = (only(response, 'access-control-expose-headers') ?? '').toLowerCase().split(/, */);
    expect(exposed).toEqual(
      expect.arrayContaining(['www-authenticate', 'mcp-session-id', 'mcp-protocol-version']),
    );
    expect(response.header('access-control-allow-credentials')).toEqual([]);
  }

  it('get a preflight answered 204 without a token, for a day, with the headers they ask for (A21)', async () => {
    await using world = await startWorld({ route });
    const asked =
      'authorization, content-type, mcp-protocol-version, mcp-session-id, mcp-param-x, last-event-id';
    const response = await world.ask({
      method: 'OPTIONS',
      headers: [page, ['Access-Control-Request-Method', 'POST'], ['Access-Control-Request-Headers', asked]],
    });
    expect([response.status, response.body.length]).toEqual([204, 0]);
    expectCors(response);
    expect(only(response, 'access-control-max-age')).toBe('86400');
    expect(only(response, 'access-control-allow-headers')).toBe(asked);
    expect(only(response, 'access-control-allow-methods')?.split(', ')).toEqual(['GET', 'POST', 'DELETE']);
    expect(world.passed).toBe('');
  });

  it('can read every answer: 200, streams, 400, 401, 403, 405, 413, 415, 502 (A21)', async () => {
    await using world = await startWorld({ route });
    const { issuer, upstream } = world;
    const token = issuer.token();
    const stream = new EventStream({ 'access-control-allow-origin': '*', 'mcp-session-id': 's1' });
    upstream.answerOnce({ body: {}, headers: { 'access-control-allow-origin': '*', vary: 'Cookie' } });
    upstream.answerOnce(stream);
    upstream.answerOnce('reset');
    const requests: readonly (readonly [number, Ask])[] = [
      [200, { token }],
      [200, { token }],
      [502, { token }],
      [401, {}],
      [403, { token: issuer.token({ claims: { scope: 'other' } }) }],
      [400, { token, body: '{' }],
      [405, { token, method: 'PUT' }],
      [413, { token, body: toolCall(1, 'x'.repeat(4_000)) }],
      [413, { token, headers: [['Content-Length', '900000']] }],
      [415, { token, headers: [['Content-Type', 'text/plain']] }],
    ];
    for (const [index, [status, request]] of requests.entries()) {
      const asked = world.ask({ ...request, headers: [page, ...(request.headers ?? [])] });
      if (index === 1) await stream.opened().then(() => stream.end());
      const response = await asked;
      expect([index, response.status]).toEqual([index, status]);
      expectCors(response);
    }
  });

  it('of an origin that is not listed are refused with 403, even with a valid token (A21)', async () => {
    await using world = await startWorld({ route });
    const token = world.issuer.token();
    for (const other of [
      'https://evil.example',
      'null',
      'https://inspector.example.evil.example',
      'https://inspector.example:8443',
      'http://inspector.example',
      'https://INSPECTOR.example',
      '',
    ]) {
      const headers = [['Origin', other]] as const;
      for (const request of [{ token, headers }, { headers }, { method: 'GET', token, headers }]) {
        const response = await world.ask(request);
        expect([other, response.status]).toEqual([other, 403]);
        expect(response.header('access-control-allow-origin')).toEqual([]);
        expect(response.header('www-authenticate')).toEqual([]);
      }
      const preflight = await world.ask({
        method: 'OPTIONS',
        headers: [...headers, ['Access-Control-Request-Method', 'POST']],
      });
      expect([other, preflight.status]).toEqual([other, 403]);
    }
    const twice = await world.ask({ token, headers: [page, ['Origin', 'https://evil.example']] });
    expect(twice.status).toBe(403);
    expect(world.passed).toBe('');
  });
});

describe('A28 errors of the gateway', () => {
  const error = (id: unknown, code: number, message: string) => ({
    jsonrpc: '2.0',
    id,
    error: { code, message },
  });

  it('are JSON-RPC with the id of the request where one was read (A28)', async () => {
    await using world = await startWorld({ route: 'limits: { body: 2KiB }' });
    const { issuer, upstream } = world;
    const token = issuer.token();
    const cases: readonly (readonly [Ask, number, unknown])[] = [
      [{ token, body: '{"jsonrpc":' }, 400, error(null, -32700, 'Parse error')],
      [{ token, body: '' }, 400, error(null, -32700, 'Parse error')],
      [{ token, body: '{"jsonrpc":"2.0","id":7}' }, 400, error(7, -32600, 'Invalid request')],
      [{ token, body: '[]' }, 400, error(null, -32600, 'Invalid request')],
      [{ token, target: '/nowhere' }, 404, error(null, 40400, 'Not found')],
      [{ target: '/' }, 404, error(null, 40400, 'Not found')],
      [{}, 401, error(null, 40100, 'Authentication is required')],
      [{ token, body: toolCall(1, 'x'.repeat(3_000)) }, 413, error(null, 41300, 'The body is too large')],
    ];
    for (const [request, status, body] of cases) {
      const response = await world.ask(request);
      expect([response.status, json(response)]).toEqual([status, body]);
      expect(only(response, 'content-type')).toBe('application/json; charset=utf-8');
    }
    upstream.answer('reset');
    for (const id of [12, 'abc', 'é']) {
      const response = await world.ask({ token, body: toolCall(id) });
      expect([response.status, json(response)]).toEqual([502, error(id, 50200, 'The MCP server failed')]);
    }
  });

  it('never show a stack or what an upstream said in its crash (A28)', async () => {
    await using world = await startWorld();
    world.upstream.answer({ bytes: 'panic: secret-of-the-upstream at main.go:42\r\n\r\n' });
    const response = await world.ask({ token: world.issuer.token() });
    expect([response.status, json(response)]).toEqual([502, error(1, 50200, 'The MCP server failed')]);
    expect(JSON.stringify(response.headerLines)).not.toContain('secret-of-the-upstream');
  });
});
