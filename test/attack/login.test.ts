/** Who tries to get a login at an MCP server that isn't theirs, or to give theirs to somebody else, in a browser. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loginPath, startUserLoginWorld, type UserLoginWorld } from '../integration/user-login-world.ts';
import { fieldIn, type LoginVisitor, type Seen } from '../support/login-visitor.ts';
import { closeServer, eventually, host, listenOnLoopback } from '../support/loopback.ts';
import { connectRaw } from '../support/raw-client.ts';
import { Secrets } from '../support/secrets.ts';
import { signIn } from '../support/sign-in.ts';

let world: UserLoginWorld;

beforeAll(async () => {
  world = await startUserLoginWorld({ route: `scopes: []`, oauth: `scopes: ['mcp:use']` });
});

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

/** What an attack must not have changed. */
async function expectNothingKept(attack: () => Promise<unknown>): Promise<void> {
  const kept = world.kept;
  await attack();
  expect(world.kept).toEqual(kept);
}

function expectRefused(seen: Seen, status: number, says: RegExp): void {
  expect([seen.status, seen.body]).toEqual([status, expect.stringMatching(says)]);
  expectLocked(seen.headers);
}

/** No script, no frame, no cache, no word of the address to others. */
function expectLocked(headers: Headers): void {
  const policy = headers.get('content-security-policy') ?? '';
  for (const part of [
    "default-src 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ])
    expect(policy).toContain(part);
  expect(policy).not.toMatch(/unsafe|script|\*/);
  expect(Object.fromEntries(headers)).toMatchObject({
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
}

const page = (step: string, query = ''): string => `${world.gateway.url}${loginPath}${step}${query}`;

/** Somebody who has come as far as the question. */
async function asked(account: string): Promise<{ visitor: LoginVisitor; seen: Seen; back: string }> {
  const visitor = world.visitor();
  const back = await visitor.identify(await world.linkFor(account), account);
  return { visitor, back, seen: await visitor.open(back) };
}

const noSuchLogin = /no such login under way/;
const noLogin = /This is no login/;

interface GreedyServer extends AsyncDisposable {
  readonly url: string;
  /** What came to its token endpoint. */
  readonly taken: readonly string[];
}

/** An MCP server that is its own authorization server, and keeps each code that it is brought. */
async function startGreedyServer(): Promise<GreedyServer> {
  const taken: string[] = [];
  let origin = '';
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    if (request.url === '/token') taken.push(body);
    const documents: Readonly<Record<string, object>> = {
      '/.well-known/oauth-authorization-server': {
        issuer: origin,
        authorization_endpoint: `${origin}/auth`,
        token_endpoint: `${origin}/token`,
        registration_endpoint: `${origin}/register`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none'],
      },
      '/register': { client_id: 'gateway', redirect_uris: [], token_endpoint_auth_method: 'none' },
    };
    const document = documents[request.url ?? ''];
    const found = request.url === '/register' ? 201 : 200;
    response.writeHead(document === undefined ? 404 : found, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  };
  const server = createServer((request, response) => void answer(request, response));
  origin = `http://${host}:${await listenOnLoopback(server)}`;
  return { url: `${origin}/mcp`, taken, [Symbol.asyncDispose]: () => closeServer(server) };
}

describe('a link', () => {
  it('is of no use to another person: a clear page, an event with their name, and nothing is kept', async () => {
    await expectNothingKept(async () => {
      const seen = await world.visitor().logIn(await world.linkFor('victim'), 'mallory');
      expectRefused(seen, 403, /This link is for somebody else.*logged in as <b>mallory<\/b>/s);
      expect(seen.body).not.toContain('victim');
    });
    const event = await world.gateway.auditEvent(({ reason }) => reason === 'login_other_person');
    expect(event).toMatchObject({
      route: 'tools',
      principal: { issuer: world.corp.issuer, subject: 'mallory', clientId: 'gate-login' },
      target: 'login/identity',
      decision: 'deny',
      status: 403,
    });
    expect((await world.ask('mallory')).status).toBe(502);
  });

  it('that the attacker sends to the victim gives them nothing: the victim isn’t the one it is for', async () => {
    await expectNothingKept(async () => {
      const seen = await world.visitor().logIn(await world.linkFor('mallory'), 'victim', 'victim-at-vendor');
      expectRefused(seen, 403, /for somebody else/);
    });
    expect((await world.ask('mallory')).status).toBe(502);
  });

  it('works once: what was agreed to with it before can’t be agreed to again', async () => {
    const link = await world.linkFor('once');
    expect((await world.visitor().logIn(link, 'once')).status).toBe(200);
    const visitor = world.visitor();
    const again = await visitor.agree(await visitor.open(await visitor.identify(link, 'once')));
    expectRefused(again, 400, /has been used/);
    expect(again.next).toBe(undefined);
  });

  it('ends after ten minutes, and so does each step', async () => {
    const link = await world.linkFor('late');
    const visitor = world.visitor();
    const back = await visitor.identify(link, 'late');
    world.aheadMs = 11 * 60_000;
    try {
      expectRefused(await visitor.open(back), 400, noSuchLogin);
      expectRefused(await visitor.open(link), 400, /link has ended/);
    } finally {
      world.aheadMs = 0;
    }
  });

  it.each(['', '?ticket=', '?ticket=x', `?ticket=${'A'.repeat(8000)}`, '?ticket=a&ticket=b', '?Ticket=x'])(
    'that nobody gave is none: %s',
    async (query) => {
      expectRefused(await world.visitor().open(page('', query)), 400, /link has ended/);
    },
  );

  it('with one character changed is none, in whichever place', async () => {
    const link = await world.linkFor('changed');
    const start = link.indexOf('ticket=') + 'ticket='.length;
    for (const at of [start, start + 3, start + 10, Math.floor((start + link.length) / 2), link.length - 3]) {
      const other = link[at] === 'A' ? 'B' : 'A';
      const changed = link.slice(0, at) + other + link.slice(at + 1);
      expect((await world.visitor().open(changed)).status).toBe(400);
    }
  });

  it('leads nowhere else, whatever is added to it', async () => {
    const link = await world.linkFor('added');
    const more =
      '&redirect_uri=https://evil.example&next=https://evil.example&issuer=https://evil.example&state=x';
    const { headers } = await world.visitor().open(link + more);
    const to = new URL(headers.get('location') ?? '');
    expect(to.origin).toBe(world.corp.origin);
    expect(to.searchParams.getAll('redirect_uri')).toEqual([page('/identity/corp')]);
    expect(to.href).not.toContain('evil');
  });
});

describe('a browser', () => {
  it('that didn’t begin a login can’t end one: neither half of it', async () => {
    await expectNothingKept(async () => {
      const { visitor, back, seen } = await asked('victim');
      expectRefused(await world.visitor().open(back), 400, noSuchLogin);
      const { next = '' } = await visitor.agree(seen);
      const end = (await signIn(new URL(next), 'robot')).href;
      expectRefused(await world.visitor().open(end), 400, noSuchLogin);
    });
  });

  it('can’t be given the code of somebody else (login CSRF)', async () => {
    await expectNothingKept(async () => {
      const mallory = await asked('mallory');
      const victim = await asked('victim');
      const [theirs = '', ours = ''] = [
        (await mallory.visitor.agree(mallory.seen)).next,
        (await victim.visitor.agree(victim.seen)).next,
      ];
      const code = (await signIn(new URL(theirs), 'mallory-at-vendor')).searchParams;
      // With the attacker's state it is another login; with the victim's the verifier is another one (PKCE).
      expectRefused(
        await victim.visitor.open(page('/callback/tools', `?${code.toString()}`)),
        400,
        noSuchLogin,
      );
      code.set('state', new URL(ours).searchParams.get('state') ?? '');
      expectRefused(await victim.visitor.open(page('/callback/tools', `?${code.toString()}`)), 400, noLogin);
    });
  });

  it.each([
    ['a code that it made up', { code: 'garbage' }],
    ['an error that it made up', { error: 'server_error' }],
    ['no code', {}],
    ['the name of another server', { code: 'x', iss: 'https://evil.example' }],
    ['two codes', 'code=a&code=b'],
  ])('that brings %s is at fault itself, in either half: never a 5xx', async (_what, brought) => {
    await expectNothingKept(async () => {
      const inventing = (state: string, issuer: string): string =>
        `?${new URLSearchParams({ state, iss: issuer }).toString()}&${new URLSearchParams(brought).toString()}`.replace(
          /iss=[^&]*&(?=.*iss=)/,
          '',
        );
      const prover = world.visitor();
      const proving = new URL(await prover.identify(await world.linkFor('inventor'), 'inventor'));
      const half = inventing(proving.searchParams.get('state') ?? '', world.corp.issuer);
      expectRefused(await prover.open(page('/identity/corp', half)), 400, noLogin);
      const { visitor, seen } = await asked('inventor');
      const leaving = new URL((await visitor.agree(seen)).next ?? '');
      const end = inventing(leaving.searchParams.get('state') ?? '', world.vendor.issuer);
      expectRefused(await visitor.open(page('/callback/tools', end)), 400, noLogin);
    });
  });

  it('that one server sends on to the login at another brings neither the code of it (mix-up, RFC 9700 §4.4)', async () => {
    await using greedy = await startGreedyServer();
    await using other = await startUserLoginWorld({
      yaml: `tokenStore: { directory: '$folder', key: { env: TOKEN_STORE_KEY } }
authorizationServers: [{ name: corp, issuer: '$issuer' }]
login: [{ authorizationServer: corp, clientId: gate-login, clientSecret: { env: LOGIN_SECRET } }]
routes:
  - name: tools
    path: /mcp
    upstream:
      url: $upstream
      credentials: { oauth: { scope: user, scopes: ['mcp:use'], authorizationServers: ['$server'] } }
  - name: greedy
    path: /greedy
    upstream:
      url: ${greedy.url}
      credentials: { oauth: { scope: user } }
`,
    });
    const leave = async (account: string): Promise<{ visitor: LoginVisitor; next: URL }> => {
      const visitor = other.visitor();
      const back = await visitor.identify(await other.linkFor(account), account);
      const { next = '' } = await visitor.agree(await visitor.open(back));
      return { visitor, next: new URL(next) };
    };
    // Whoever runs the greedy server has begun a login of their own: a code for that one would end it.
    const mallory = await leave('mallory');
    other.path = '/greedy';
    const victim = await leave('victim');
    expect(victim.next.origin).toBe(new URL(greedy.url).origin);
    const trap = new URL(mallory.next);
    trap.searchParams.set('state', victim.next.searchParams.get('state') ?? '');
    const back = await signIn(trap, 'victim-at-vendor');
    expect(back.searchParams.get('code')).toMatch(/./);
    // Few servers say who they are.
    back.searchParams.delete('iss');
    expectRefused(await victim.visitor.open(back.href), 400, noSuchLogin);
    expect(greedy.taken).toEqual([]);
  });

  it('that comes back twice is refused the second time, with all its cookies', async () => {
    const { visitor, back } = await asked('twice');
    const first = new Map(visitor.cookies);
    // The cookie of the step before, as a thief would have copied it.
    const thief = world.visitor();
    await thief.open(await world.linkFor('twice'));
    expectRefused(await thief.open(back), 400, noSuchLogin);
    for (const [name, value] of first) thief.cookies.set(name, value);
    expectRefused(await thief.open(back), 400, noSuchLogin);

    const again = world.visitor();
    const url = await again.identify(await world.linkFor('twice'), 'twice');
    const proving = new Map(again.cookies);
    expect((await again.open(url)).status).toBe(200);
    for (const [name, value] of proving) again.cookies.set(name, value);
    expectRefused(await again.open(url), 400, /has been used/);
  });

  it('that ends a login twice is refused the second time', async () => {
    const { visitor, seen } = await asked('finisher');
    const { next = '' } = await visitor.agree(seen);
    const leaving = new Map(visitor.cookies);
    const end = (await signIn(new URL(next), 'robot')).href;
    expect((await visitor.open(end)).status).toBe(200);
    expect(visitor.cookies.size).toBe(0);
    for (const [name, value] of leaving) visitor.cookies.set(name, value);
    expectRefused(await visitor.open(end), 400, /has been used/);
  });

  it('can’t take one step for another', async () => {
    const link = await world.linkFor('steps');
    const visitor = world.visitor();
    await visitor.identify(link, 'steps');
    const proving = visitor.cookies.get('portcullis-login') ?? '';
    expectRefused(await world.visitor().open(page('', `?ticket=${proving}`)), 400, /link has ended/);
    expectRefused(await visitor.open(page('/consent'), { form: '', answer: 'allow' }), 400, noSuchLogin);
    expectRefused(await visitor.open(page('/callback/tools', '?state=&code=x')), 400, noSuchLogin);
    visitor.cookies.set('portcullis-login', new URL(link).searchParams.get('ticket') ?? '');
    expectRefused(await visitor.open(page('/identity/corp', '?state=x&code=x')), 400, noSuchLogin);
  });

  it('with two cookies of the name has none', async () => {
    const { visitor, seen } = await asked('tossed');
    const cookie = visitor.cookies.get('portcullis-login') ?? '';
    const response = await fetch(page('/consent'), {
      method: 'POST',
      headers: { cookie: `portcullis-login=x; portcullis-login=${cookie}` },
      body: new URLSearchParams({ form: fieldIn(seen.body), answer: 'allow' }),
    });
    expect(response.status).toBe(400);
  });
});

describe('the consent', () => {
  it('is not given by a page of another site', async () => {
    const { visitor, seen } = await asked('forged');
    const own = fieldIn(seen.body);
    const notTheForm = /did not come from the page/;
    for (const form of ['', 'x', own.slice(0, -1), `${own}x`, own.toUpperCase()])
      expectRefused(await visitor.open(page('/consent'), { form, answer: 'allow' }), 403, notTheForm);
    const cookie = `portcullis-login=${visitor.cookies.get('portcullis-login')}`;
    const send = (body: string, headers: Record<string, string>): Promise<Response> =>
      fetch(page('/consent'), { method: 'POST', headers: { cookie, ...headers }, body });
    const body = new URLSearchParams({ form: own, answer: 'allow' }).toString();
    const type = 'application/x-www-form-urlencoded';
    for (const site of ['cross-site', 'same-site', 'none'])
      expect((await send(body, { 'content-type': type, 'sec-fetch-site': site })).status).toBe(403);
    for (const other of ['text/plain', 'application/json', 'multipart/form-data; boundary=x'])
      expect((await send(body, { 'content-type': other })).status).toBe(403);
    expect((await send(`${body}&more=${'x'.repeat(3000)}`, { 'content-type': type })).status).toBe(403);
    // None of that has ended the person's own login.
    expect((await visitor.agree(seen)).next).toContain(world.vendor.issuer);
  });

  it.each([
    ['leaves', 'Content-Length: 500\r\n\r\nform='],
    ['sends what is no chunk', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ])('is no defect of the gateway where a stranger %s within it', async (_what, rest) => {
    const count = (): number => world.gateway.written.split('"reason":"client_left"').length;
    const before = count();
    await using client = await connectRaw({ port: world.gateway.port });
    client.send(
      `POST ${loginPath}/consent HTTP/1.1\r\nHost: localhost:${world.gateway.port}\r\nContent-Type: application/x-www-form-urlencoded\r\n${rest}`,
    );
    client.endWrites();
    await eventually('an event of it', () => count() > before);
    expect(world.gateway.written).not.toContain('defect');
  });

  it('takes one method, and none of the pages takes another', async () => {
    for (const [method, step] of [
      ['GET', '/consent'],
      ['POST', ''],
      ['POST', '/identity/corp'],
      ['POST', '/callback/tools'],
      ['GET', '/identity'],
      ['GET', '/callback'],
      ['PUT', '/consent'],
    ] as const)
      expect((await fetch(page(step), { method })).status).toBe(404);
  });

  it('can’t be framed, and no page loads, runs or tells anything', async () => {
    const { visitor, seen } = await asked('framed');
    expectLocked(seen.headers);
    const agreed = await visitor.agree(seen);
    expectLocked(agreed.headers);
    for (const { body } of [seen, agreed]) expect(body).not.toMatch(/<script|<iframe|<img|src=|onload/i);
  });
});

describe('names', () => {
  it('that are HTML stay text on every page', async () => {
    const hostile = `<img src=x onerror=alert(1)>"'&\u202e`;
    await using other = await startUserLoginWorld({
      yaml: `tokenStore: { directory: '$folder', key: { env: TOKEN_STORE_KEY } }
authorizationServers: [{ name: corp, issuer: '$issuer' }]
login: [{ authorizationServer: corp, clientId: gate-login, clientSecret: { env: LOGIN_SECRET } }]
routes:
  - name: '<script>tools</script>'
    path: /mcp
    upstream:
      url: $upstream
      credentials: { oauth: { scope: user, scopes: ['mcp:use', '<b>x</b>'], authorizationServers: ['$server'] } }
`,
    });
    const visitor = other.visitor();
    const back = await visitor.identify(await other.linkFor(hostile), hostile);
    const seen = await visitor.open(back);
    expect(seen.status).toBe(200);
    expect(seen.body).toContain('&#60;script&#62;tools');
    expect(seen.body).toContain('&#60;img src=x onerror=alert(1)&#62;&#34;&#39;&#38;</b>');
    expect(seen.body).toContain('<code>&#60;b&#62;x&#60;/b&#62;</code>');
    const wrong = await other.visitor().logIn(await other.linkFor('victim'), hostile);
    for (const { body } of [seen, wrong]) expect(body).not.toMatch(/<script|<img|<b>x|\u202e/);
  });
});

describe('whoever knocks often', () => {
  it('has to slow down, by address, and others don’t', async () => {
    await using other = await startUserLoginWorld({
      top: 'listen: { host: 127.0.0.1, port: $port, trustProxy: [127.0.0.1] }',
    });
    await using client = await connectRaw({ port: other.gateway.port });
    const knock = async (address: string): Promise<number> => {
      client.send(
        `GET ${loginPath} HTTP/1.1\r\nHost: localhost:${other.gateway.port}\r\nX-Forwarded-For: ${address}\r\n\r\n`,
      );
      return (await client.response()).status;
    };
    const statuses: number[] = [];
    for (let visit = 0; visit < 301; visit += 1) statuses.push(await knock('192.0.2.1'));
    expect([statuses[299], statuses[300], await knock('192.0.2.2')]).toEqual([400, 429, 400]);
  });
});

it('nothing of a login is in a log, an audit event or a metric', async () => {
  const secrets = new Secrets();
  const link = await world.linkFor('quiet');
  secrets.watch('a ticket', new URL(link).searchParams.get('ticket') ?? '');
  const visitor = world.visitor();
  const back = await visitor.identify(link, 'quiet');
  secrets.watch('a cookie', visitor.cookies.get('portcullis-login') ?? '');
  secrets.watch('a code', new URL(back).searchParams.get('code') ?? '');
  const seen = await visitor.open(back);
  secrets.watch('the form', fieldIn(seen.body));
  const { next = '' } = await visitor.agree(seen);
  const end = await signIn(new URL(next), 'robot');
  secrets.watch('a code of the upstream', end.searchParams.get('code') ?? '');
  await visitor.open(end.href);
  const metrics = await (await fetch(`${world.gateway.opsUrl}/metrics`)).text();
  expect(secrets.leaksIn({ written: world.gateway.written, metrics })).toEqual([]);
  expect(metrics).toMatch(/portcullis_refusals_total\{route="tools",reason="login_other_person"\}/);
});
