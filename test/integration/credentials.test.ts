/** What the upstream is shown besides the identity: static credentials, those of the client, an injected provider's, the client's token. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { CredentialProvider } from '../../src/vocabulary/credentials.ts';
import type { Refusal } from '../../src/vocabulary/refusal.ts';
import type { RecordedRequest } from '../support/recorded-request.ts';
import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { reserveFreePort } from '../support/loopback.ts';
import type { RawResponse } from '../support/raw-response.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { Secrets } from '../support/secrets.ts';
import { ask, json, only, startWorld, type Ask } from './world.ts';

const secrets = new Secrets();
let count = 0;
const key = secrets.mint('static key');
const upstreamResource = 'https://upstream.example/mcp';

let issuer: Issuer;
let upstream: RecordingUpstream;
let gateway: RunningGateway;
/** Calls of the injected provider. */
const asked: { readonly subject: string | undefined; readonly route: string }[] = [];

const vault: CredentialProvider = {
  credentialsFor({ principal, route, header }) {
    asked.push({ subject: principal?.subject, route: route.name });
    if (header('x-broken') !== undefined) return { ok: true, headers: ['X-Auth-Subject', 'root'] };
    if (header('x-late') !== undefined)
      return Promise.resolve({ ok: true, headers: ['X-Vault', `late for ${principal?.subject}`] });
    const refusal = header('x-refusal');
    if (refusal !== undefined) return Promise.resolve({ ok: false, refusal: JSON.parse(refusal) as Refusal });
    if (header('x-none') !== undefined)
      return {
        ok: false,
        refusal: { kind: 'upstream-credentials-missing', reason: 'upstream_credentials_missing' },
      };
    return { ok: true, headers: ['X-Vault', `for ${principal?.subject}`] };
  },
};

const withResource = (path: string, more: string): string =>
  `  - { name: ${path.slice(1)}, path: ${path}, ${more} }\n`;

beforeAll(async () => {
  const port = await reserveFreePort();
  const url = `http://localhost:${port}`;
  issuer = await startIssuer({ algorithms: ['ES256'] });
  upstream = await startRecordingUpstream();
  const to = (settings: string): string => `upstream: { url: '${upstream.url}', ${settings} }`;
  const passed = `token: passthrough, resource: '${upstreamResource}'`;
  const fixed = '{ header: Authorization, scheme: Bearer, value: { env: KEY } }';
  const yaml = `publicUrl: ${url}
authorizationServers: [{ name: corp, issuer: '${issuer.url}', audiences: ['${url}'] }]
routes:
${withResource('/plain', to('token: strip'))}${withResource('/static', to(`credentials: { static: ${fixed} }`))}${withResource(
    '/inbound',
    to(
      'requestHeaders: [X-Trace], credentials: { headers: [{ from: X-Api-Key, to: X-Api-Key }, { from: X-Account, to: X-Account-Id, pattern: "[0-9]{1,9}" }] }',
    ),
  )}${withResource('/open', `access: open, ${to('credentials: { headers: [{ from: Authorization, to: Authorization, pattern: "Bearer [a-z0-9]+" }] }')}`)}${withResource('/vault', to('credentials: { provider: vault }'))}${withResource('/passed', to(passed))}${withResource('/replaced', to(`${passed}, credentials: { static: ${fixed} }`))}`;
  gateway = await startGateway(yaml, { port, environment: { KEY: key }, credentials: { vault } });
});

afterAll(async () => {
  await Promise.all([gateway.close(), upstream.close(), issuer.close()]);
});

function token(claims: Readonly<Record<string, unknown>> = {}): string {
  count += 1;
  return secrets.watch(`token ${count}`, issuer.token({ claims: { aud: gateway.url, ...claims } }));
}

/** One request; with what reached the upstream of it. */
async function send(
  target: string,
  request: Ask = {},
): Promise<{ readonly response: RawResponse; readonly arrived: RecordedRequest | undefined }> {
  const before = upstream.requests.length;
  const response = await ask(gateway.port, { target, ...request });
  return { response, arrived: upstream.requests[before] };
}

function linesOf(request: RecordedRequest | undefined, name: string): readonly string[] {
  return (request?.headerLines ?? [])
    .filter(([found]) => found.toLowerCase().replaceAll('_', '-') === name)
    .map(([, value]) => value);
}

const code = (response: RawResponse): unknown => (json(response) as { error?: { code: number } }).error?.code;

describe('static credentials', () => {
  it('reach the upstream in place of whatever the client sends, and nobody else (S02, W08)', async () => {
    const { response, arrived } = await send('/static', {
      token: token(),
      headers: [['Proxy-Authorization', 'Basic bWFsbG9yeQ==']],
    });
    expect(response.status).toBe(200);
    expect(linesOf(arrived, 'authorization')).toEqual([`Bearer ${key}`]);
    expect(JSON.stringify(response.headerLines) + response.body.toString()).not.toContain(key);
    const without = await send('/plain', { token: token() });
    expect(linesOf(without.arrived, 'authorization')).toEqual([]);
  });

  it('go to the upstream’s own origin and nowhere else, wherever it redirects to (B-024)', async () => {
    const elsewhere = await startRecordingUpstream();
    upstream.answerOnce({ status: 307, headers: { location: elsewhere.url } });
    const { response } = await send('/static', { token: token() });
    expect(response.status).toBe(502);
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });

  it('are never shown for a request that was not let in (S10)', async () => {
    const { response, arrived } = await send('/static');
    expect(response.status).toBe(401);
    expect(arrived).toBeUndefined();
  });
});

describe('credentials from headers of the client (S03, S10)', () => {
  const good = [
    ['X-Api-Key', 'tok/en+1=='],
    ['X-Account', '42'],
  ] as const;

  it('arrive under the names that the upstream knows', async () => {
    const { response, arrived } = await send('/inbound', { token: token(), headers: good });
    expect(response.status).toBe(200);
    expect(linesOf(arrived, 'x-api-key')).toEqual(['tok/en+1==']);
    expect(linesOf(arrived, 'x-account-id')).toEqual(['42']);
    expect(linesOf(arrived, 'x-account')).toEqual([]);
  });

  it.each([
    ['no header', [], 'missing'],
    ['one of two', [good[0]], 'missing'],
    ['an empty one', [['X-Api-Key', ''], good[1]], 'missing'],
    ['a parameter', [['X-Api-Key', 'tok; x=y'], good[1]], 'invalid'],
    ['two words', [['X-Api-Key', 'tok en'], good[1]], 'invalid'],
    ['a quote', [['X-Api-Key', '"tok"'], good[1]], 'invalid'],
    ['another alphabet', [['X-Api-Key', 'töken'], good[1]], 'invalid'],
    ['two lines', [['X-Api-Key', 'a'], ['X-Api-Key', 'b'], good[1]], 'invalid'],
    ['another form than the pattern', [good[0], ['X-Account', '42a']], 'invalid'],
    ['more than any header has', [['X-Api-Key', 'k'.repeat(8193)], good[1]], 'invalid'],
  ] as const)('refuse %s with 403 and a body that says which of two it is', async (_what, headers, word) => {
    const { response, arrived } = await send('/inbound', { token: token(), headers });
    expect([response.status, code(response)]).toEqual([403, 40310]);
    expect(json(response)).toMatchObject({
      id: 1,
      error: { message: `Credentials for the MCP server are ${word}` },
    });
    expect(only(response, 'www-authenticate')).toBeUndefined();
    expect(arrived).toBeUndefined();
    const { reason, detail } = gateway.log.findLast(({ route }) => route === 'inbound') ?? {};
    expect(reason).toBe(`upstream_credentials_${word}`);
    expect(detail).toMatch(/^the client's header x-(?:api-key|account)$/);
  });

  it('may be the client’s own on a route where nobody asks for a token', async () => {
    const { arrived } = await send('/open', { headers: [['Authorization', 'Bearer own1']] });
    expect(linesOf(arrived, 'authorization')).toEqual(['Bearer own1']);
    const two = await send('/open', {
      headers: [
        ['Authorization', 'Bearer own1'],
        ['Authorization', 'Bearer own2'],
      ],
    });
    expect([two.response.status, two.arrived]).toEqual([403, undefined]);
  });
});

describe('an injected provider', () => {
  it('is called once per request, and what it gives arrives (S01)', async () => {
    asked.length = 0;
    const [at, late] = [
      await send('/vault', { token: token() }),
      await send('/vault', { token: token({ sub: 'bob' }), headers: [['X-Late', '1']] }),
    ];
    expect(linesOf(at.arrived, 'x-vault')).toEqual(['for alice']);
    expect(linesOf(late.arrived, 'x-vault')).toEqual(['late for bob']);
    expect(asked).toEqual([
      { subject: 'alice', route: 'vault' },
      { subject: 'bob', route: 'vault' },
    ]);
  });

  it('that has none refuses the request; nothing of the gateway goes in its place (S10)', async () => {
    const { response, arrived } = await send('/vault', { token: token(), headers: [['X-None', '1']] });
    expect([response.status, code(response), arrived]).toEqual([403, 40310, undefined]);
  });

  it('that would say who asks is a defect, and nothing goes upstream (N1)', async () => {
    const { response, arrived } = await send('/vault', { token: token(), headers: [['X-Broken', '1']] });
    expect([response.status, arrived]).toEqual([500, undefined]);
    expect(gateway.written).toContain("credentials can't travel in");
  });
});

describe('a refusal of an injected provider', () => {
  const unavailable = {
    kind: 'upstream-credentials-unavailable',
    reason: 'upstream_credentials_unavailable',
  };
  const asking = async (refusal: unknown): ReturnType<typeof send> =>
    send('/vault', { token: token(), headers: [['X-Refusal', JSON.stringify(refusal)]] });

  it('reaches the client as the guide has it', async () => {
    const { response, arrived } = await asking({ ...unavailable, retryAfterSeconds: 7 });
    expect([response.status, only(response, 'retry-after'), code(response)]).toEqual([503, '7', 50300]);
    expect(arrived).toBeUndefined();
  });

  it.each([
    ['of no kind', null],
    ['of a kind that there isn’t', { kind: 'nonsense', reason: 'x' }],
    ['of a kind that isn’t its own', { kind: 'token-invalid', reason: 'token_expired' }],
    ['for a reason that isn’t on the list', { ...unavailable, reason: 'x', retryAfterSeconds: 1 }],
    ['without a time', unavailable],
    ['with a time that no header can have', { ...unavailable, retryAfterSeconds: '1\r\nX-Evil: 1' }],
  ])('%s is a defect: 500, and the process goes on', async (_what, refusal) => {
    const { response, arrived } = await asking(refusal);
    expect([response.status, code(response), arrived]).toEqual([500, -32603, undefined]);
    expect(gateway.written).toContain('the credential provider vault refuses with');
  });
});

describe('the client’s token', () => {
  it('reaches nobody by default, as nothing else that a client shows someone else (B-024)', async () => {
    const { arrived } = await send('/plain', {
      token: token(),
      headers: [
        ['DPoP', 'e30.e30.x'],
        ['Cookie', 'session=1'],
        ['Proxy-Authorization', 'Basic eDp5'],
        ['X-Api-Key', 'k3y'],
      ],
    });
    for (const name of ['authorization', 'dpop', 'cookie', 'proxy-authorization', 'x-api-key'])
      expect(linesOf(arrived, name)).toEqual([]);
  });

  it('reaches nobody by default, and the upstream unchanged where it is for the upstream too (W08)', async () => {
    const shown = token({ aud: [gateway.url, upstreamResource] });
    expect(linesOf((await send('/plain', { token: shown })).arrived, 'authorization')).toEqual([]);
    expect(linesOf((await send('/passed', { token: shown })).arrived, 'authorization')).toEqual([
      `Bearer ${shown}`,
    ]);
    expect(linesOf((await send('/replaced', { token: shown })).arrived, 'authorization')).toEqual([
      `Bearer ${key}`,
    ]);
  });

  it.each([
    ['the route alone', () => gateway.url],
    ['the upstream alone', () => upstreamResource],
    ['a neighbour of the upstream', () => [gateway.url, `${upstreamResource}2`]],
  ])('that is for %s is refused before it goes anywhere (W08, A-017)', async (_whom, aud) => {
    const { response, arrived } = await send('/passed', { token: token({ aud: aud() }) });
    expect([response.status, arrived]).toEqual([401, undefined]);
    expect(only(response, 'www-authenticate')).toContain('error="invalid_token"');
    expect(gateway.log.findLast(({ route }) => route === 'passed')?.['reason']).toBe('token_audience');
  });

  it.each([401, 403])(
    'was the upstream’s to judge: its %s passes with its challenge (W09)',
    async (status) => {
      const challenge = 'Bearer error="insufficient_scope", scope="more"';
      const reply = {
        status,
        headers: { 'www-authenticate': challenge, 'set-cookie': 'a=b' },
        body: { no: 1 },
      };
      upstream.answerOnce(reply);
      const shown = token({ aud: [gateway.url, upstreamResource] });
      const { response } = await send('/passed', { token: shown });
      expect([response.status, only(response, 'www-authenticate')]).toEqual([status, challenge]);
      expect(json(response)).toEqual({ no: 1 });
      expect(response.header('set-cookie')).toEqual([]);
      for (const target of ['/plain', '/static', '/replaced']) {
        upstream.answerOnce(reply);
        const other = await send(target, { token: shown });
        expect([other.response.status, code(other.response)]).toEqual([502, 50200]);
        expect(only(other.response, 'www-authenticate')).toBeUndefined();
      }
    },
  );

  it('is warned about where it passes, at the start and in a metric', () => {
    expect(gateway.written).toContain('routes[5].upstream.token');
  });
});

describe('the configurations of the guide', () => {
  const guideResource = 'https://files.example.com/mcp';
  const github = `ghp_${'x'.repeat(36)}`;

  beforeAll(() => {
    issuer.behave('/token', { body: { access_token: 'exchanged', token_type: 'Bearer', expires_in: 60 } });
  });

  it.each([
    ['static', `Bearer ${key}`],
    ['headers', `Bearer ${github}`],
    ['exchange', 'Bearer exchanged'],
    ['passthrough', undefined],
  ])('%s does what it says', async (kind, expected) => {
    const port = await reserveFreePort();
    const url = `http://localhost:${port}`;
    const yaml = readFileSync(`docs/snippets/credentials-${kind}.yaml`, 'utf8')
      .replace('https://mcp.example.com', url)
      .replace('https://login.example.com', issuer.url)
      .replace('http://localhost:8000/mcp', upstream.url);
    const environment = { GITHUB_TOKEN: key, EXCHANGE_SECRET: 'secret' };
    await using running = await startGateway(yaml, { port, environment });
    const shown = token({ aud: [`${running.url}/mcp`, guideResource] });
    const before = upstream.requests.length;
    const headers = [['X-GitHub-Token', github]] as const;
    expect((await ask(port, { token: shown, headers })).status).toBe(200);
    expect(linesOf(upstream.requests[before], 'authorization')).toEqual([expected ?? `Bearer ${shown}`]);
    expect(linesOf(upstream.requests[before], 'x-github-token')).toEqual([]);
  });
});

it('no credential shows in the log, the audit or the metrics (S13)', async () => {
  const metrics = await (await fetch(`${gateway.opsUrl}/metrics`)).text();
  expect(secrets.leaksIn({ log: gateway.written, metrics })).toEqual([]);
});

it('a provider that the program does not inject makes the start fail', async () => {
  await expect(startWorld({ upstream: 'credentials: { provider: vault }' })).rejects.toThrow(
    'routes[0].upstream.credentials.provider: found "vault", which isn\'t injected',
  );
});
