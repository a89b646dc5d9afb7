/** The gateway's own logins at upstreams (rows H01–H12, S07, S08), against an SDK server behind oidc-provider. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reserveFreePort } from '../support/loopback.ts';
import {
  startLoginWorld,
  startUpstreamSide,
  storedSecrets,
  type LoginWorld,
  type UpstreamSide,
} from './login-world.ts';
import { json, metric, toolCall } from './world.ts';
import { program } from '../support/program.ts';

let side: UpstreamSide;
let world: LoginWorld;

beforeAll(async () => {
  side = await startUpstreamSide();
  world = await startLoginWorld(side);
});

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await side?.[Symbol.asyncDispose]();
});

/** How often the upstream's authorization server was asked for something. */
const asked = (what: 'POST /token' | 'POST /reg'): number =>
  side.server.requests.filter((request) => request === what).length;

/** The answer of a route whose login has ended. */
function expectLoginNeeded(answer: Awaited<ReturnType<LoginWorld['ask']>>): void {
  expect([answer.status, answer.header('www-authenticate')]).toEqual([502, []]);
  expect(json(answer)).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: {
      code: 50210,
      message: 'The MCP server needs a new login',
      data: { needs_reauth: true, server: 'tools', login: 'portcullis login tools' },
    },
  });
}

describe('before anyone has logged in', () => {
  it('a headless start fails this upstream only, and says which command opens it (H06, H12)', async () => {
    await using two = await startLoginWorld(side, {
      routes: `  - { name: free, path: /free, access: open, upstream: '${side.upstream.origin}/nothing' }\n`,
    });
    const before = side.upstream.calls.length;
    expectLoginNeeded(await two.ask());
    expect(side.upstream.calls.length).toBe(before);
    expect((await two.ask({ target: '/free' })).status).toBe(404);
    expect(await two.gateway.auditEvent(({ reason }) => reason === 'upstream_login_needed')).toMatchObject({
      status: 502,
      route: 'tools',
    });
  });

  it('a login refuses a name that isn’t there, and lists those that are (H09)', async () => {
    const ran = await world.logIn({ name: 'tolls' });
    expect(ran).toEqual({
      code: 64,
      out: '',
      err: 'no route with credentials.oauth is called "tolls"; those that are: tools\n',
    });
    expect(await world.logOut('tolls')).toMatchObject({ code: 64 });
  });
});

describe('a login', () => {
  it('is made by `portcullis login`, and a running gateway uses it with the next call (H09, H10)', async () => {
    const ran = await world.logIn();
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('Logged in for route tools with mcp:use');
    expect((await world.ask()).status).toBe(200);
    expect(side.upstream.calls.at(-1)?.authorization).toMatch(/^Bearer ey/);
  });

  it('is asked for with PKCE, for this resource alone, with the scopes of the challenge (H11)', async () => {
    const seen: URL[] = [];
    await world.logIn({
      browse: (url) => {
        seen.push(url);
        return side.server.signIn(url, 'robot');
      },
    });
    expect(Object.fromEntries(seen[0]?.searchParams ?? [])).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      resource: side.upstream.url,
      // The server has the second one, and gives refresh tokens for nothing else.
      scope: 'mcp:use offline_access',
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback$/),
    });
  });

  it('lies in a file of mode 0600 in a folder of mode 0700, and nothing of it can be read there (H12)', async () => {
    await world.ask();
    for (const { mode } of world.stored) expect(mode).toBe(0o600);
    const kept = Buffer.from(readFileSync(world.file, 'utf8'), 'base64url').toString('latin1');
    for (const secret of await storedSecrets(world)) expect(kept).not.toContain(secret.slice(0, 12));
  });

  it('of a corrupt file counts as absent, and is back with the file (H12)', async () => {
    copyFileSync(world.file, `${world.file}.copy`);
    writeFileSync(world.file, 'garbage');
    expectLoginNeeded(await world.ask());
    copyFileSync(`${world.file}.copy`, world.file);
    expect((await world.ask()).status).toBe(200);
  });

  it('made again reuses the registered client, and takes the place of the old one without a restart (H01, H02)', async () => {
    await world.ask();
    const before = world.token;
    const registrations = asked('POST /reg');
    expect((await world.logIn()).code).toBe(0);
    expect(asked('POST /reg')).toBe(registrations);
    expect((await world.ask()).status).toBe(200);
    expect(world.token).not.toBe(before);
  });

  it('that fails keeps the old one (H09)', async () => {
    const kept = readFileSync(world.file, 'utf8');
    const refused = await world.logIn({
      browse: (url) => {
        const back = new URL(url.searchParams.get('redirect_uri') ?? '');
        const said = {
          error: 'access_denied',
          state: url.searchParams.get('state') ?? '',
          iss: side.server.issuer,
        };
        back.search = new URLSearchParams(said).toString();
        return Promise.resolve(back);
      },
    });
    expect(refused.code).toBe(3);
    expect(refused.err).toBe(
      `The login failed, and nothing has changed: ${side.server.issuer}: it answered access_denied\n`,
    );
    const late = await world.logIn({ limitMs: 100, browse: () => Promise.resolve(undefined) });
    expect(late).toMatchObject({ code: 3, err: expect.stringContaining('nobody came back within') });
    expect(readFileSync(world.file, 'utf8')).toBe(kept);
    expect((await world.ask()).status).toBe(200);
  });

  it('takes no answer with another state, several or none, or of another server; the right one still counts (H10)', async () => {
    const statuses: number[] = [];
    const ran = await world.logIn({
      async browse(url) {
        const back = await side.server.signIn(url, 'robot');
        for (const change of [
          (sent: URL) => sent.searchParams.set('state', 'of-somebody-else'),
          (sent: URL) => sent.searchParams.append('state', 'another'),
          (sent: URL) => sent.searchParams.delete('state'),
          (sent: URL) => void (sent.pathname = '/'),
        ]) {
          const wrong = new URL(back);
          change(wrong);
          const answer = await fetch(wrong);
          await answer.text();
          statuses.push(answer.status);
        }
        return back;
      },
    });
    expect(statuses).toEqual([400, 400, 400, 404]);
    expect(ran.code).toBe(0);
    const kept = readFileSync(world.file, 'utf8');
    const mixedUp = await world.logIn({
      async browse(url) {
        const back = await side.server.signIn(url, 'robot');
        back.searchParams.set('iss', 'https://evil.example');
        return back;
      },
    });
    expect(mixedUp.code).toBe(3);
    expect(readFileSync(world.file, 'utf8')).toBe(kept);
  });

  it('waits on a port of its own, two at once too, or on the configured one (H10)', async () => {
    const ports = new Set<string>();
    const both = Array.from({ length: 2 }, () =>
      world.logIn({
        browse: (url) => {
          ports.add(new URL(url.searchParams.get('redirect_uri') ?? '').port);
          return side.server.signIn(url, 'robot');
        },
      }),
    );
    for (const ran of await Promise.all(both)) expect(ran.code).toBe(0);
    expect(ports.size).toBe(2);
    const port = await reserveFreePort();
    const yaml = world.yaml.replace('scope: shared', `scope: shared, redirectPort: ${port}`);
    const fixed = await world.logIn({
      yaml,
      async browse(url) {
        expect(url.searchParams.get('redirect_uri')).toBe(`http://127.0.0.1:${port}/callback`);
        expect(await world.logIn({ yaml })).toMatchObject({
          code: 3,
          err: expect.stringContaining(`port ${port} of 127.0.0.1 can't be listened on (EADDRINUSE)`),
        });
        return side.server.signIn(url, 'robot');
      },
    });
    expect(fixed.code).toBe(0);
  });
});

describe('a token that the upstream no longer takes', () => {
  it('ten calls at once cause one refresh, and all succeed (H03)', async () => {
    await world.ask();
    const [dead, before] = [world.token, asked('POST /token')];
    side.upstream.refuse(dead);
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.ask()));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(asked('POST /token') - before).toBe(1);
    expect(world.token).not.toBe(dead);
  });

  it('is renewed again and again with the refresh token that was saved, by another process too (H04)', async () => {
    for (let round = 0; round < 2; round += 1) {
      side.upstream.refuse(world.token);
      expect((await world.ask()).status).toBe(200);
    }
    await using other = await startLoginWorld(side, { beside: world });
    side.upstream.refuse(world.token);
    expect((await other.ask()).status).toBe(200);
    // The first one finds what the other has saved.
    const before = asked('POST /token');
    expect((await world.ask()).status).toBe(200);
    expect(asked('POST /token')).toBe(before);
    expect(
      await metric(
        world.gateway,
        'portcullis_upstream_token_searches_total{route="tools",outcome="refresh"}',
      ),
    ).toBeGreaterThan(2);
  });

  it('costs the client nothing: the request is sent once more, byte for byte, and no third time (H05)', async () => {
    side.upstream.refuse(world.token);
    const before = side.upstream.calls.length;
    const body = toolCall('once', 'echo');
    expect((await world.ask({ body })).status).toBe(200);
    const calls = side.upstream.calls.slice(before);
    expect(calls.map(({ status }) => status)).toEqual([401, 200]);
    expect(calls.map((call) => call.body)).toEqual([body, body]);
    side.upstream.failNext(401);
    side.upstream.failNext(401);
    expectLoginNeeded(await world.ask());
    expect(side.upstream.calls.slice(before + 2).map(({ status }) => status)).toEqual([401, 401]);
    expect((await world.ask()).status).toBe(200);
  });

  it('renews it for a large body too, but doesn’t send that twice (H05)', async () => {
    side.upstream.refuse(world.token);
    const before = side.upstream.calls.length;
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'echo', arguments: { text: 'x'.repeat(1_100_000) } },
    });
    const answer = await world.ask({ body });
    expect([answer.status, answer.header('retry-after')]).toEqual([503, ['1']]);
    expect(side.upstream.calls.length).toBe(before + 1);
    expect((await world.ask({ body })).status).toBe(200);
  });

  it.each(['initialize', 'ping', 'tools/list', 'resources/list', 'notifications/initialized'])(
    '%s is sent again like every other method (H07)',
    async (method) => {
      side.upstream.refuse(world.token);
      const before = side.upstream.calls.length;
      const notification = method.startsWith('notifications/');
      await world.ask({
        body: JSON.stringify({ jsonrpc: '2.0', ...(notification ? {} : { id: 1 }), method, params: {} }),
      });
      const [first, second, third] = side.upstream.calls.slice(before);
      expect([first?.status, second?.status, third]).toEqual([401, 200, undefined]);
    },
  );

  it('GET and DELETE are sent again as well (H07)', async () => {
    for (const method of ['GET', 'DELETE']) {
      side.upstream.refuse(world.token);
      const before = side.upstream.calls.length;
      await world.ask({ method });
      const [first, second] = side.upstream.calls.slice(before);
      expect([first?.method, second?.method]).toEqual([method, method]);
      expect([first?.status, second?.authorization === first?.authorization]).toEqual([401, false]);
    }
  });

  it('a 500, a 403 and a reset cause no refresh (H07)', async () => {
    const before = asked('POST /token');
    for (const [how, status] of [
      [500, 500],
      [403, 502],
      ['reset', 502],
    ] as const) {
      side.upstream.failNext(how);
      expect((await world.ask()).status).toBe(status);
    }
    expect(asked('POST /token')).toBe(before);
    expect((await world.ask()).status).toBe(200);
  });
});

describe('a login that was revoked', () => {
  it('fails promptly with the command that mends it, and asks the server no more about it (H04, H06)', async () => {
    await using other = await startLoginWorld(side);
    await other.logIn();
    await other.ask();
    copyFileSync(other.file, `${other.folder}.copy`);
    const { file, token } = other;
    const out = await other.logOut();
    expect(out.out).toBe('Logged out of route tools; the authorization server has revoked the tokens.\n');
    expectLoginNeeded(await other.ask());
    copyFileSync(`${other.folder}.copy`, file);
    side.upstream.refuse(token);
    const before = asked('POST /token');
    for (let tries = 0; tries < 3; tries += 1) expectLoginNeeded(await other.ask());
    expect(asked('POST /token') - before).toBe(1);
    // The server may have forgotten the old client, and a page of its own says so to the browser alone.
    const registrations = asked('POST /reg');
    expect((await other.logIn()).code).toBe(0);
    expect(asked('POST /reg') - registrations).toBe(1);
    expect((await other.ask()).status).toBe(200);
  });
});

describe('the client of a login', () => {
  it('a changed client id drops the tokens of the old one; they are sent no more (H01)', async () => {
    await using other = await startLoginWorld(side, { beside: world, oauth: 'clientId: gate' });
    const before = side.upstream.calls.length;
    expectLoginNeeded(await other.ask());
    expect(side.upstream.calls.length).toBe(before);
    expect((await world.ask()).status).toBe(200);
  });

  it('a configured one is used before all others, and nothing is registered (H11)', async () => {
    const oauth = `clientId: gate, clientSecret: { env: GATE_SECRET }`;
    await using other = await startLoginWorld(side, {
      oauth,
      environment: { GATE_SECRET: side.gate.secret },
    });
    const before = asked('POST /reg');
    const ran = await other.logIn();
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect((await other.ask()).status).toBe(200);
    side.upstream.refuse(other.token);
    expect((await other.ask()).status).toBe(200);
    expect(asked('POST /reg')).toBe(before);
  });

  it.each([
    [true, 'is its metadata document’s URL where the server takes one'],
    [false, 'is a registered one where the server takes no metadata documents'],
  ])('%s: %s (H11)', async (isTaken, _says) => {
    const document = 'https://gate.example.com/client.json';
    const seen: (string | null)[] = [];
    await world.logIn({
      yaml: world.yaml.replace('scope: shared', `scope: shared, clientMetadataUrl: '${document}'`),
      limitMs: 50,
      browse(url) {
        seen.push(url.searchParams.get('client_id'));
        return Promise.resolve(undefined);
      },
      async fetch(url, init) {
        const response = await fetch(url, init);
        if (!url.includes('/.well-known/oauth-authorization-server')) return response;
        const members = (await response.json()) as object;
        return Response.json({ ...members, client_id_metadata_document_supported: isTaken });
      },
    });
    expect(seen).toEqual([isTaken ? document : expect.not.stringContaining('https://')]);
  });
});

describe('logins of tenants', () => {
  it('are each tenant’s own, with a client of its own (H01)', async () => {
    await using tenants = await startLoginWorld(side, {
      path: '/{tenant}/mcp',
      route: "tenant: { pattern: '[a-z0-9]{1,9}', claim: tid }",
    });
    const askFor = async (tenant: string): Promise<number> =>
      (await tenants.ask({ target: `/${tenant}/mcp`, claims: { tid: tenant } })).status;
    const registrations = asked('POST /reg');
    expect((await tenants.logIn()).err).toContain('say which with --tenant NAME');
    expect((await tenants.logIn({ tenant: '../p1' })).code).toBe(64);
    expect((await tenants.logIn({ tenant: 'p1' })).code).toBe(0);
    expect([await askFor('p1'), await askFor('p2')]).toEqual([200, 502]);
    const first = tenants.token;
    expect((await tenants.logIn({ tenant: 'p2' })).code).toBe(0);
    expect([await askFor('p2'), tenants.token === first]).toEqual([200, false]);
    expect([await askFor('p1'), tenants.token === first]).toEqual([200, true]);
    expect(asked('POST /reg') - registrations).toBe(2);
  });
});

describe('logins of users', () => {
  it('are each user’s own: no one gets another’s, and who has none is told so (S08)', async () => {
    await using users = await startLoginWorld(side, { oauth: 'scope: user' });
    expect(await users.logIn()).toMatchObject({ code: 64, err: expect.stringContaining('--subject') });
    // A slash too many, and nobody would ever be found under it.
    const mistyped = { issuer: `${users.issuer.url}/`, subject: 'alice' };
    expect(await users.logIn({ person: mistyped })).toMatchObject({
      code: 64,
      err: `route tools takes no tokens of "${users.issuer.url}/"; those that it takes: ${users.issuer.url}\n`,
    });
    for (const subject of ['alice', 'bob']) {
      const person = { issuer: users.issuer.url, subject };
      expect((await users.logIn({ account: subject, person })).code).toBe(0);
    }
    expect(json(await users.ask({ subject: 'eve' }))).toMatchObject({
      error: { data: { login: 'portcullis login tools --issuer ISSUER --subject SUBJECT' } },
    });
    const [before, connections] = [side.upstream.calls.length, side.upstream.connections];
    const queue = Array.from({ length: 500 }, (_none, index) => (index % 2 === 0 ? 'alice' : 'bob'));
    const work = async (): Promise<void> => {
      for (let subject = queue.pop(); subject !== undefined; subject = queue.pop())
        expect(await users.statusFor(subject)).toBe(200);
    };
    side.upstream.isBare = true;
    await Promise.all(Array.from({ length: 10 }, work)).finally(() => (side.upstream.isBare = false));
    const calls = side.upstream.calls.slice(before);
    expect(calls).toHaveLength(500);
    for (const { authorization, headers } of calls)
      expect(subjectOf(authorization)).toBe(headers['x-auth-subject']);
    // About as many as were under way at one time.
    expect(side.upstream.connections - connections).toBeLessThanOrEqual(50);
  });

  it('share what the authorization server says of itself, asked for once and without credentials (S07)', async () => {
    const documents: (string | null)[] = [];
    await using users = await startLoginWorld(side, {
      oauth: 'scope: user',
      fetch(url, init) {
        if (url.startsWith(`${side.server.issuer}/.well-known/`))
          documents.push(new Headers(init.headers).get('authorization'));
        return fetch(url, init);
      },
    });
    for (const subject of ['alice', 'bob']) {
      await users.logIn({ account: subject, person: { issuer: users.issuer.url, subject } });
      await users.ask({ subject });
      side.upstream.refuse(users.token);
    }
    const answers = await Promise.all(['alice', 'bob'].map((subject) => users.ask({ subject })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(documents).toEqual([null]);
    for (const { authorization } of side.upstream.documents) expect(authorization).toBe(undefined);
  });
});

describe('a stop', () => {
  it('wins over a recovery: nothing is sent again, and what was on its way is saved (H08)', async () => {
    const [reached, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await using other = await startLoginWorld(side, {
      top: 'stop: { drain: 200ms }',
      async fetch(url, init) {
        if (url.endsWith('/token')) {
          reached.resolve();
          await goOn.promise;
        }
        return fetch(url, init);
      },
    });
    await other.logIn();
    await other.ask();
    const dead = other.token;
    side.upstream.refuse(dead);
    const before = side.upstream.calls.length;
    const waiting = other.ask();
    await reached.promise;
    const closing = other.gateway.close();
    expect((await waiting).status).toBe(503);
    goOn.resolve();
    await closing;
    expect(side.upstream.calls.length).toBe(before + 1);
    expect((await storedSecrets(other))[0]).not.toBe(dead);
  });

  it('ends in time though the authorization server never answers (H08)', async () => {
    const reached = Promise.withResolvers<void>();
    await using other = await startLoginWorld(side, {
      top: 'stop: { drain: 100ms }',
      fetch(url, init) {
        if (!url.endsWith('/token')) return fetch(url, init);
        reached.resolve();
        return new Promise(() => {});
      },
    });
    await other.logIn();
    await other.ask();
    side.upstream.refuse(other.token);
    const waiting = other.ask();
    await reached.promise;
    const startedAt = performance.now();
    await other.gateway.close();
    expect(performance.now() - startedAt).toBeLessThan(8000);
    expect((await waiting).status).toBe(503);
  });
});

it('the guide’s configuration is logged in with, and serves (H09)', async () => {
  const yaml = readFileSync(new URL('../../docs/snippets/credentials-oauth.yaml', import.meta.url), 'utf8')
    .replace(/^publicUrl: .*$/m, '')
    .replace('/var/lib/portcullis/tokens', '$folder')
    .replace('https://login.example.com', '$issuer')
    .replace('https://mcp.vendor.example/mcp', '$upstream')
    .replace('https://login.vendor.example', '$server');
  const TOKEN_STORE_KEY = randomBytes(32).toString('hex');
  await using guided = await startLoginWorld(side, { yaml, environment: { TOKEN_STORE_KEY } });
  expect((await guided.ask({ target: '/github/mcp' })).status).toBe(502);
  expect(await guided.logIn({ name: 'github' })).toMatchObject({ code: 0, err: '' });
  expect((await guided.ask({ target: '/github/mcp' })).status).toBe(200);
});

it('the command line reads names and options as they are given (H09)', () => {
  const file = join(dirname(world.folder), 'config.yaml');
  writeFileSync(file, `publicUrl: ${world.gateway.url}\n${world.yaml}`);
  const { status, stderr } = spawnSync(
    process.execPath,
    [program, 'login', 'tools', '--tenant', 'p1', '-c', file],
    {
      env: { PATH: process.env['PATH'] ?? '', ...world.environment },
      encoding: 'utf8',
    },
  );
  expect([status, stderr]).toEqual([64, "route tools isn't one for several tenants: leave --tenant out\n"]);
});

it('no token is in a log, an audit event, a metric, or in what the command prints', async () => {
  const ran = await world.logIn();
  await world.ask();
  const metrics = await (await fetch(`${world.gateway.opsUrl}/metrics`)).text();
  for (const secret of await storedSecrets(world)) world.secrets.watch('a token', secret);
  expect(
    world.secrets.leaksIn({ written: world.gateway.written, metrics, out: ran.out, err: ran.err }),
  ).toEqual([]);
});

function subjectOf(authorization: string | undefined): unknown {
  const payload = authorization?.split('.')[1] ?? '';
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub?: unknown }).sub;
}
