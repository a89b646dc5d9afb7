/** Users who log in at an MCP server themselves, in a browser (row H06), with oidc-provider on both sides. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import fastify from 'fastify';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGateway } from '../../src/index.ts';
import { browserMissing, browserNote, startBrowser } from '../support/browser.ts';
import { reserveFreePort } from '../support/loopback.ts';
import { loginPath, startUserLoginWorld, type UserLoginWorld } from './user-login-world.ts';
import { json } from './world.ts';

let world: UserLoginWorld;

beforeAll(async () => {
  world = await startUserLoginWorld();
});

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

describe('a user without a login', () => {
  it('is sent to a link of the gateway, and no call goes upstream until they have logged in (H06)', async () => {
    const before = world.upstream.calls.length;
    const answer = await world.ask('alice');
    expect([answer.status, answer.header('www-authenticate')]).toEqual([502, []]);
    expect(json(answer)).toMatchObject({
      error: {
        code: 50210,
        data: { needs_reauth: true, server: 'tools', url: expect.stringContaining(`${loginPath}?ticket=`) },
      },
    });
    expect(world.upstream.calls.length).toBe(before);
    const done = await world.visitor().logIn(await world.linkFor('alice'), 'alice', 'robot');
    expect(done).toMatchObject({ status: 200, body: expect.stringContaining('You are logged in') });
    expect((await world.ask('alice')).status).toBe(200);
    expect(subjectOf(world.upstream.calls.at(-1)?.authorization)).toBe('robot');
    expect((await world.ask('bob')).status).toBe(502);
  });

  it('reads what they agree to: server, scopes, and who they are', async () => {
    const visitor = world.visitor();
    const asked = await visitor.open(await visitor.identify(await world.linkFor('carol'), 'carol'));
    for (const shown of ['tools', world.upstream.url, world.vendor.issuer, 'mcp:use', '<b>carol</b>'])
      expect(asked.body).toContain(shown);
    expect([...visitor.cookies.keys()]).toEqual(['portcullis-login']);
  });

  it('who says no is not logged in, may think again, and gives up nothing', async () => {
    const link = await world.linkFor('dora');
    const visitor = world.visitor();
    const asked = await visitor.open(await visitor.identify(link, 'dora'));
    const kept = world.kept.length;
    expect(await visitor.agree(asked, 'cancel')).toMatchObject({ status: 200, next: undefined });
    expect([visitor.cookies.size, world.kept.length]).toEqual([0, kept]);
    await world.gateway.auditEvent(({ reason }) => reason === 'login_declined');
    expect(await visitor.logIn(link, 'dora')).toMatchObject({ status: 200 });
    expect((await world.ask('dora')).status).toBe(200);
  });

  it('who says no at the server of the upstream is told so', async () => {
    const visitor = world.visitor();
    const asked = await visitor.open(await visitor.identify(await world.linkFor('finn'), 'finn'));
    const { next = '' } = await visitor.agree(asked);
    const { searchParams } = new URL(next);
    const back = new URL(searchParams.get('redirect_uri') ?? '');
    back.search = new URLSearchParams({
      error: 'access_denied',
      state: searchParams.get('state') ?? '',
      iss: world.vendor.issuer,
    }).toString();
    expect(await visitor.open(back.href)).toMatchObject({
      status: 200,
      body: expect.stringContaining('Nothing has changed'),
    });
    expect((await world.ask('finn')).status).toBe(502);
  });
});

describe('a login in the browser', () => {
  it('has an audit event for each step, with the person once it was proved who it is', async () => {
    await world.visitor().logIn(await world.linkFor('erin'), 'erin');
    const person = { issuer: world.corp.issuer, subject: 'erin', clientId: 'gate-login' };
    const event = (target: string, principal: object | null) =>
      world.gateway.auditEvent(
        (each) =>
          each['target'] === target && JSON.stringify(each['principal']) === JSON.stringify(principal),
      );
    expect(await event('login/start', null)).toMatchObject({
      route: 'tools',
      status: 303,
      decision: 'allow',
    });
    for (const step of ['identity', 'consent', 'callback'])
      expect(await event(`login/${step}`, person)).toMatchObject({
        route: 'tools',
        reason: 'ok',
        status: 200,
        rpcMethod: null,
      });
  });

  it('registers the gateway once as a client, with its own callback', async () => {
    await world.visitor().logIn(await world.linkFor('gina'), 'gina');
    expect(world.vendor.requests.filter((request) => request === 'POST /reg')).toHaveLength(1);
    const start = world.vendor.requests.findLast((request) => request.startsWith('GET /auth?')) ?? '';
    const asked = new URL(start.slice('GET '.length), world.vendor.issuer).searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      redirect_uri: `${world.gateway.url}${loginPath}/callback/tools`,
      resource: world.upstream.url,
      code_challenge_method: 'S256',
    });
  });

  it('registers another client after `portcullis logout`: the server may have forgotten the old one (H06)', async () => {
    const registrations = (): number =>
      world.vendor.requests.filter((request) => request === 'POST /reg').length;
    await world.visitor().logIn(await world.linkFor('hank'), 'hank');
    const before = registrations();
    expect(await world.logOut('hank')).toBe(0);
    await world.visitor().logIn(await world.linkFor('hank'), 'hank');
    expect(registrations() - before).toBe(1);
    expect((await world.ask('hank')).status).toBe(200);
  });

  it('outlives a reload between two of its steps', async () => {
    await using other = await startUserLoginWorld({ top: 'stop: { drain: 5s }' });
    const visitor = other.visitor();
    const back = await visitor.identify(await other.linkFor('alice'), 'alice');
    const changed = other.yaml.replace('drain: 5s', 'drain: 6s');
    expect(await other.gateway.reload(changed)).toBe('applied');
    const { next = '' } = await visitor.agree(await visitor.open(back));
    expect(next).toContain(other.vendor.issuer);
  });

  it('isn’t offered, and has no page, where the configuration has no `login`', async () => {
    await using other = await startUserLoginWorld({ without: 'login' });
    expect(json(await other.ask('alice'))).toMatchObject({ error: { data: { needs_reauth: true } } });
    expect((await other.ask('alice')).body.toString()).not.toContain('"url"');
    for (const page of ['', '/identity/corp', '/callback/tools'])
      expect((await fetch(`${other.gateway.url}${loginPath}${page}`)).status).toBe(404);
  });
});

describe('a client of 2026-07-28', () => {
  interface Modern extends AsyncDisposable {
    readonly client: Client;
    /** Addresses that its person was asked to open. */
    readonly opened: readonly string[];
  }

  /** `visit` is its person, who is asked to open an address; without it the client can't ask. */
  async function connect(
    account: string,
    visit?: (url: string) => Promise<'accept' | 'decline'>,
  ): Promise<Modern> {
    const opened: string[] = [];
    const client = new Client(
      { name: 'modern', version: '1.0.0' },
      {
        ...(visit && { capabilities: { elicitation: { url: {} } } }),
        versionNegotiation: { mode: { pin: '2026-07-28' } },
      },
    );
    if (visit !== undefined)
      client.setRequestHandler('elicitation/create', async ({ params }) => {
        if (params.mode !== 'url') throw new Error('another question came');
        opened.push(params.url);
        return { action: await visit(params.url) };
      });
    const headers = { authorization: `Bearer ${await world.tokenOf(account)}` };
    const url = new URL(`${world.gateway.url}/mcp`);
    // What the server says of itself needs a login too, and has no form to ask for one: this client knows it already.
    const known = { ...headers, authorization: `Bearer ${await world.tokenOf('known')}` };
    const transport = new StreamableHTTPClientTransport(url, {
      fetch: (input, init) => {
        const sent = new Headers(init?.headers);
        const isCall = bodyOf(init).includes('"tools/call"');
        for (const [name, value] of Object.entries(isCall ? headers : known)) sent.set(name, value);
        return fetch(input, { ...init, headers: sent });
      },
    });
    await client.connect(transport);
    return { client, opened, [Symbol.asyncDispose]: () => client.close() };
  }

  beforeAll(async () => {
    await world.visitor().logIn(await world.linkFor('known'), 'known');
  });

  const call = { name: 'echo', arguments: { text: 'here' } };

  it('that opens addresses is asked to, and its call goes on once the person is back (H06)', async () => {
    await using modern = await connect('ines', async (url) => {
      await world.visitor().logIn(url, 'ines');
      return 'accept';
    });
    const { content } = await modern.client.callTool(call);
    expect(content).toEqual([{ type: 'text', text: 'here' }]);
    expect(modern.opened).toEqual([expect.stringContaining(`${world.gateway.url}${loginPath}?ticket=`)]);
    const offered = await world.gateway.auditEvent(
      ({ reason, status }) => reason === 'upstream_login_needed' && status === 200,
    );
    expect(offered).toMatchObject({ decision: 'deny', rpcMethod: 'tools/call' });
  });

  it('whose person says no is asked once, and gets the error', async () => {
    await using modern = await connect('jana', () => Promise.resolve('decline'));
    await expect(modern.client.callTool(call)).rejects.toThrow(/50210|new login|502/);
    expect(modern.opened).toHaveLength(1);
  });

  it('that opens none gets the error of all others, with the address in it', async () => {
    await using modern = await connect('kurt');
    await expect(modern.client.callTool(call)).rejects.toThrow(/50210|new login|502/);
  });
});

describe.skipIf(browserMissing !== undefined)(`in Chromium${browserNote}`, { timeout: 60_000 }, () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser?.close();
  });

  async function withPage<T>(use: (page: Page) => Promise<T>): Promise<T> {
    const context = await browser.newContext();
    context.setDefaultTimeout(20_000);
    try {
      return await use(await context.newPage());
    } finally {
      await context.close();
    }
  }

  it('a person goes from the link through both logins to the end, and no page breaks its own rules (H06)', async () => {
    const link = await world.linkFor('hugo');
    const said: string[] = [];
    await withPage(async (page) => {
      page.on('console', (message) => said.push(message.text()));
      await page.goto(link);
      await page.getByLabel('Name').fill('hugo');
      await page.getByRole('button', { name: 'Sign in and allow' }).click();
      await page.getByRole('heading', { name: 'Log in at tools?' }).waitFor();
      expect(await page.getByText('hugo').count()).toBeGreaterThan(0);
      await page.getByRole('button', { name: 'Go on' }).click();
      await page.getByLabel('Name').fill('robot');
      await page.getByRole('button', { name: 'Sign in and allow' }).click();
      await page.getByRole('heading', { name: 'You are logged in' }).waitFor();
    });
    expect(said.filter((text) => /security policy|refused/i.test(text))).toEqual([]);
    expect((await world.ask('hugo')).status).toBe(200);
  });
});

it('the pages are served in a program of another’s too, and its parser leaves the form alone (S04)', async () => {
  const port = await reserveFreePort();
  const app = fastify();
  const gateway = createGateway(
    {
      publicUrl: `http://localhost:${port}`,
      ops: { port: 0 },
      log: { level: 'silent', audit: 'off' },
      tokenStore: { directory: join(world.folder, 'embedded'), key: { env: 'KEY' } },
      authorizationServers: [{ name: 'corp', issuer: world.corp.issuer }],
      login: [{ authorizationServer: 'corp', clientId: 'gate-login' }],
      routes: [
        {
          path: '/mcp',
          upstream: { url: world.upstream.url, credentials: { oauth: { scope: 'user' } } },
        },
      ],
    },
    { environment: { KEY: randomBytes(32).toString('hex') } },
  );
  await app.register(gateway.plugin);
  await app.listen({ port });
  try {
    const form = { body: new URLSearchParams({ form: 'x', answer: 'allow' }), method: 'POST' };
    for (const [page, init] of [['/consent', form], ['?ticket=x'], ['/callback/mcp']] as const) {
      const answer = await fetch(`http://localhost:${port}${loginPath}${page}`, init);
      expect([answer.status, answer.headers.get('x-frame-options')]).toEqual([400, 'DENY']);
    }
  } finally {
    await app.close();
  }
});

it('the guide’s configuration lets a user log in, and serves (H06)', async () => {
  const yaml = readFileSync(
    new URL('../../docs/snippets/credentials-user-login.yaml', import.meta.url),
    'utf8',
  )
    .replace(/^publicUrl: .*$/m, '')
    .replace('/var/lib/portcullis/tokens', '$folder')
    .replace('https://login.example.com', '$issuer')
    .replace('https://mcp.vendor.example/mcp', '$upstream')
    .replace('https://login.vendor.example', '$server');
  await using guided = await startUserLoginWorld({ yaml, path: '/github/mcp' });
  const link = await guided.linkFor('alice');
  expect(await guided.visitor().logIn(link, 'alice')).toMatchObject({ status: 200 });
  expect((await guided.ask('alice')).status).toBe(200);
});

function subjectOf(authorization: string | undefined): unknown {
  const payload = authorization?.split('.')[1] ?? '';
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub?: unknown }).sub;
}

function bodyOf(init: RequestInit | undefined): string {
  return typeof init?.body === 'string' ? init.body : '';
}
