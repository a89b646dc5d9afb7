/**
 * Other things that could be taken for an access token or for `Authorization` (attack catalogue,
 * and what is akin).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mark, type Reason } from '../support/invariants.ts';
import { startIssuer } from '../support/issuer.ts';
import { signCompact } from '../support/signing-key.ts';
import { expectInsufficientScope, expectInvalidToken, expectNoCredentials } from './answers.ts';
import { ping, startScene, type Scene } from './scene.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await startScene({ issuers: [await startIssuer({ algorithms: ['ES256'] })] });
});

afterAll(() => scene.close());

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

async function expectRefused(tokens: readonly string[], reasons: readonly Reason[]): Promise<void> {
  const before = await mark(scene);
  for (const token of tokens) expectInvalidToken(await scene.ask({ token }), scene);
  const events = await before.hold({ forwarded: 0 });
  for (const { reason } of events) expect(reasons).toContain(reason);
}

/** A token whose header and claims are these texts, well signed. */
function tokenOf(payload: string, header?: string): string {
  const key = scene.issuer.key('ES256');
  const usual = JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: key.kid });
  const token = signCompact({ header: header ?? usual, payload }, key);
  scene.secrets.add(token);
  return token;
}

/** The text of a valid claims set without its braces; `undefined` leaves a member out. */
function members(over: Readonly<Record<string, unknown>> = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const all = {
    iss: scene.issuer.url,
    sub: 'alice',
    aud: scene.resource(),
    iat: now,
    exp: now + 300,
    scope: 'mcp:use',
    ...over,
  };
  return JSON.stringify(all).slice(1, -1);
}

describe('other serialisations of a signature', () => {
  it('A-012: JSON, flattened and general, is no token, as it is and encoded', async () => {
    const [protectedHeader, payload, signature] = scene.token().split('.');
    const flattened = { protected: protectedHeader, payload, signature };
    const general = { payload, signatures: [{ protected: protectedHeader, signature }] };
    const before = await mark(scene);
    for (const form of [flattened, general]) {
      const lines = [`Authorization: Bearer ${JSON.stringify(form)}`];
      expectNoCredentials(await scene.ask({ lines }), scene);
    }
    await before.hold({ forwarded: 0, reasons: ['malformed_credentials'] });
    await expectRefused(
      [encode(flattened), encode(general), `${encode(flattened)}.${payload}.${signature}`],
      ['token_malformed', 'alg_not_allowed'],
    );
  });

  it('A-012: detached, doubled, selectively disclosed and foreign forms are no token', async () => {
    const token = scene.token();
    const [header, payload, signature] = token.split('.');
    const forms = [
      `${header}..${signature}`,
      `${header}.${payload}.${signature}.${signature}`,
      `${token}~`,
      `${token}~${encode(['salt', 'scope', 'mcp:admin'])}~`,
      `${token}~~${token}`,
      `${token}/${token}`,
      `${token}+`,
      `${encode(token)}.${payload}.${signature}`,
      encode(token),
      `v4.public.${payload}${signature}`,
      `v2.local.${payload}`,
      'AAAA',
      'gho_0123456789abcdef0123456789abcdef0123',
      '2YotnFZFEjr1zCsicMWpAA',
      '~',
      '/',
      '+++',
      '.'.repeat(100),
      'a.'.repeat(1000),
    ];
    await expectRefused(forms, ['token_malformed']);
  });

  it('A-012: a header that promises something else about its content is no reason to look into it', async () => {
    const { kid } = scene.issuer.key('ES256');
    const inner = scene.token();
    const quoted = (cty: string): string =>
      tokenOf(JSON.stringify(inner), JSON.stringify({ alg: 'ES256', kid, cty }));
    await expectRefused([quoted('JWT'), quoted('at+jwt'), quoted('jwt')], ['token_malformed']);
    const odd = { alg: 'ES256', kid, enc: 'A256GCM', epk: {}, zip: 'DEF', p2c: 2 ** 31, p2s: 'c2FsdA' };
    await expectRefused([tokenOf(JSON.stringify(inner), JSON.stringify(odd))], ['token_malformed']);
  });
});

describe('the header of a token', () => {
  const kid = (): string => scene.issuer.key('ES256').kid;

  it('A-001: alg is compared letter for letter', async () => {
    const algs = [
      'es256',
      'ES256 ',
      ' ES256',
      'ES256\u0000',
      'ES256\n',
      'E\u0405256',
      'ES256K',
      'ES-256',
      '-7',
      'ES',
    ];
    const prototypes = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    await expectRefused(
      [...algs, ...prototypes].map((alg) => tokenOf(`{${members()}}`, JSON.stringify({ alg, kid: kid() }))),
      ['alg_not_allowed'],
    );
    await expectRefused(
      [-7, true, ['ES256'], { alg: 'ES256' }].map((alg) =>
        tokenOf(`{${members()}}`, JSON.stringify({ alg, kid: kid() })),
      ),
      ['alg_not_allowed'],
    );
  });

  it('A-001: what stands under a prototype is no header and no claim', async () => {
    const header = `{"__proto__":{"alg":"ES256"},"kid":"${kid()}"}`;
    await expectRefused([tokenOf(`{${members()}}`, header)], ['alg_not_allowed']);
    const claims: readonly (readonly [string, Reason])[] = [
      [`{${members({ sub: undefined })},"__proto__":{"sub":"admin"}}`, 'token_subject'],
      [`{${members({ aud: undefined })},"__proto__":{"aud":"${scene.resource()}"}}`, 'token_audience'],
      [`{${members({ exp: undefined })},"__proto__":{"exp":9999999999}}`, 'token_lifetime'],
      [`{${members({ iss: undefined })},"__proto__":{"iss":"${scene.issuer.url}"}}`, 'issuer_not_trusted'],
      [`{${members({ sub: undefined })},"constructor":{"prototype":{"sub":"admin"}}}`, 'token_subject'],
    ];
    for (const [payload, reason] of claims) await expectRefused([tokenOf(payload)], [reason]);
    const before = await mark(scene);
    const token = tokenOf(`{${members({ scope: undefined })},"__proto__":{"scope":"mcp:use"}}`);
    expectInsufficientScope(await scene.ask({ token }), scene);
    await before.hold({ forwarded: 0, reasons: ['scope_insufficient'] });
    expect(({} as Record<string, unknown>)['scope']).toBeUndefined();
  });

  it('A-016: typ with parameters, spaces or look-alikes is another type', async () => {
    const typs = [
      'at+jwt;charset=utf-8',
      ' at+jwt',
      'at+jwt ',
      'at jwt',
      'at+jwt\u0000',
      'application/application/at+jwt',
      'application/',
      'text/at+jwt',
      'none ',
      '__proto__',
      'JW\u0422',
      '',
    ];
    await expectRefused(
      typs.map((typ) => tokenOf(`{${members()}}`, JSON.stringify({ alg: 'ES256', kid: kid(), typ }))),
      ['token_type'],
    );
  });
});

describe('claims of absurd kinds', () => {
  it.each(['iat', 'nbf'])('A-029: %s that is no time is refused, and far ahead is not yet', async (claim) => {
    const absurd = [
      '"1"',
      'true',
      'null',
      '[1]',
      '{}',
      '-1',
      '1e308',
      '1e400',
      '-1e400',
      '9e15',
      '253402300800',
    ];
    await expectRefused(
      absurd.map((value) => tokenOf(`{${members({ [claim]: undefined })},"${claim}":${value}}`)),
      ['token_lifetime'],
    );
    await expectRefused(
      [tokenOf(`{${members({ [claim]: undefined })},"${claim}":253402300799}`)],
      ['token_not_yet_valid'],
    );
  });

  it('A-029: times of many digits, of a fraction, of an exponent and of minus zero are numbers', async () => {
    const exp = Math.floor(Date.now() / 1000) + 300;
    const before = await mark(scene);
    for (const value of [`${exp}.${'9'.repeat(400)}`, `${exp / 1000}e3`, `${exp}0000E-4`, `${exp}.0`]) {
      const token = tokenOf(`{${members({ exp: undefined, iat: undefined })},"exp":${value},"iat":-0}`);
      expect((await scene.ask({ token })).status).toBe(200);
    }
    await before.hold({ forwarded: 4, reasons: ['ok'] });
    await expectRefused(
      ['01', '+1', '.5', '1.', '0x10', '1_000', 'Infinity', 'NaN', '1n'].map((value) =>
        tokenOf(`{${members({ exp: undefined })},"exp":${value}}`),
      ),
      ['token_malformed'],
    );
  });

  it('A-031: client, email and name of any kind never fail the request, and travel only as text', async () => {
    const absurd: readonly unknown[] = [
      7,
      true,
      null,
      [],
      ['x'],
      {},
      { toString: 'x' },
      '',
      [['x']],
      -0,
      1e300,
    ];
    const before = await mark(scene);
    const from = scene.upstream.requests.length;
    for (const value of absurd) {
      const claims = { client_id: value, azp: value, email: value, name: value, jti: value, amr: value };
      expect((await scene.ask({ token: scene.token({ claims }) })).status).toBe(200);
    }
    await before.hold({ forwarded: absurd.length, reasons: ['ok'] });
    for (const request of scene.upstream.requests.slice(from)) {
      expect(request.header('x-auth-client-id')).toEqual([]);
      expect(request.header('x-auth-email')).toEqual([]);
    }
  });

  it('A-031: text that breaks lines in a client or an email never becomes a line of its own', async () => {
    const hostile = ['a\r\nX-Auth-Subject: admin', 'a\nb', 'a\u0000b', '\u2028', '\ud800', 'x'.repeat(3000)];
    const before = await mark(scene);
    const from = scene.upstream.requests.length;
    for (const value of hostile) {
      const answer = await scene.ask({ token: scene.token({ claims: { client_id: value, email: value } }) });
      expect([200, 401, 403]).toContain(answer.status);
    }
    await before.hold({ forwarded: scene.upstream.requests.length - from });
    for (const request of scene.upstream.requests.slice(from)) {
      expect(request.header('x-auth-subject')).toEqual(['alice']);
      for (const name of ['x-auth-client-id', 'x-auth-email'])
        for (const value of request.header(name)) expect(value).toMatch(/^[\x20-\x7e]*$/);
    }
  });

  it('A-027: names of claims are compared letter for letter, after their escapes', async () => {
    const past = Math.floor(Date.now() / 1000) - 10;
    const before = await mark(scene);
    const escaped = members().replace('"sub"', '"\\u0073\\u0075b"').replace('"scope"', '"s\\u0063ope"');
    const answer = await scene.ask({
      token: tokenOf(`{${escaped},"SUB":"admin","Exp":1,"AUD":"x","sub ":"x"}`),
    });
    expect(answer.status).toBe(200);
    expect(scene.upstream.requests.at(-1)?.header('x-auth-subject')).toEqual(['alice']);
    const late = tokenOf(`{${members({ exp: past })},"EXP":9999999999,"exp ":9999999999}`);
    expect((await scene.ask({ token: late })).status).toBe(401);
    await before.hold({ forwarded: 1, reasons: ['ok', 'token_expired'] });
  });

  it('A-038: 5,000 claims and long ones in one token stay a token', async () => {
    const before = await mark(scene);
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`c${at}`, 1]));
    const token = tokenOf(`{${members(many)}}`);
    expect(token.length).toBeLessThan(8192);
    expect((await scene.ask({ token })).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
  });
});

describe('headers that only look like Authorization', () => {
  it("A-042: other names that proxies and servers know carry no credentials, and don't travel", async () => {
    const token = scene.token();
    const names = [
      'Proxy-Authorization',
      'X-Authorization',
      'X-Original-Authorization',
      'X-Forwarded-Authorization',
      'X-Forwarded-Access-Token',
      'X-Amzn-Oidc-Accesstoken',
      'X-Auth-Token',
      'X-Access-Token',
      'Access-Token',
      'HTTP_AUTHORIZATION',
      'Authorization_',
      'Authorization.',
      'Authorizatio',
      'Authorizationn',
      'Sec-WebSocket-Protocol',
      'X-Goog-Iap-Jwt-Assertion',
      'DPoP',
      'Cookie',
      'Cookie2',
    ];
    const before = await mark(scene);
    for (const name of names) {
      for (const value of [`Bearer ${token}`, token, `Authorization=Bearer ${token}; access_token=${token}`])
        expectNoCredentials(await scene.ask({ lines: [`${name}: ${value}`] }), scene);
    }
    await before.hold({ forwarded: 0, reasons: ['no_credentials'] });
    const all = names.filter((name) => name !== 'DPoP').map((name) => `${name}: Bearer ${token}`);
    const alsoForwarded = await mark(scene);
    const answer = await scene.ask({ token, lines: all });
    expect(answer.status).toBe(200);
    await alsoForwarded.hold({ forwarded: 1, reasons: ['ok'] });
    expect(JSON.stringify(scene.upstream.requests.at(-1)?.headerLines)).not.toContain(token.slice(-40));
  });

  it('A-045: other parameters of the query, and a fragment, carry no credentials either', async () => {
    const token = scene.token();
    const before = await mark(scene);
    for (const query of [
      `?token=${token}`,
      `?authorization=Bearer%20${token}`,
      `?Authorization=Bearer+${token}`,
      `?access_token[]=${token}`,
      `?%61ccess_token=${token}`,
      `?access_token=${token}&access_token=${token}`,
      `?x=1;access_token=${token}`,
    ])
      expectNoCredentials(await scene.ask({ target: `/mcp${query}` }), scene);
    await before.hold({ forwarded: 0, reasons: ['no_credentials'] });
    const elsewhere = await mark(scene);
    for (const target of [
      `/mcp#access_token=${token}`,
      `/mcp;access_token=${token}`,
      `/mcp;x?access_token=${token}`,
    ])
      expect([400, 404]).toContain((await scene.ask({ target })).status);
    await elsewhere.hold({ forwarded: 0 });
  });

  it('A-045: in a trailer it comes too late to be one', async () => {
    const token = scene.token();
    const before = await mark(scene);
    await using client = await scene.connect();
    client.send(
      `POST /mcp HTTP/1.1\r\nHost: localhost:${scene.gateway.port}\r\nContent-Type: application/json\r\nTrailer: Authorization\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `${ping.length.toString(16)}\r\n${ping}\r\n0\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    expectNoCredentials(await scene.answer(client), scene);
    await before.hold({ forwarded: 0, reasons: ['no_credentials'] });
  });

  it('A-044: a name or a value that a lenient parser would mend is refused by the parser', async () => {
    const token = scene.token();
    for (const line of [
      `Authorization : Bearer ${token}`,
      `Authorization\t: Bearer ${token}`,
      ` Authorization: Bearer ${token}`,
      `Author\xefzation: Bearer ${token}`,
      `Authorization\x00: Bearer ${token}`,
      `Authorization: Bearer ${token}\x00`,
      `Authorization: Bearer\r\n ${token}`,
      `Authorization: Bearer ${token.slice(0, 50)}\r\n\t${token.slice(50)}`,
      `Authorization: Bearer ${token}\rX: 1`,
      `Authorization: Bearer ${token}\nX: 1`,
    ]) {
      const bytes = `POST /mcp HTTP/1.1\r\nX-First: 1\r\n${line}\r\nHost: localhost:${scene.gateway.port}\r\nContent-Type: application/json\r\nContent-Length: ${ping.length}\r\n\r\n${ping}`;
      const from = scene.upstream.requests.length;
      const { answer, client } = await scene.unparsed(bytes);
      expect([400, 401], `status for ${JSON.stringify(line)}`).toContain(answer.status);
      expect(scene.upstream.requests).toHaveLength(from);
      await client.close();
    }
    await sleep(50);
  });
});

describe('a connection that several people share', () => {
  it("A-048: remembers nobody: each request is its own token's, however they alternate", async () => {
    const people = ['alice', 'bob', 'carol'];
    const tokens = people.map((sub) => scene.token({ claims: { sub } }));
    const bad = tokens.map((token) => `${token.slice(0, -6)}AAAAAA`);
    const expired = scene.token({ claims: { exp: 1_700_000_000 } });
    const before = await mark(scene);
    const from = scene.upstream.requests.length;
    await using client = await scene.connect();
    const expected: string[] = [];
    for (let round = 0; round < 30; round += 1) {
      const who = (round * 7) % people.length;
      const asks = [
        tokens[who],
        bad[who],
        tokens[who],
        undefined,
        tokens[(who + 1) % people.length],
        expired,
      ];
      for (const token of asks) {
        client.send(scene.request(token === undefined ? {} : { token }));
        const good = token === undefined ? -1 : tokens.indexOf(token);
        expect((await scene.answer(client)).status).toBe(good >= 0 ? 200 : 401);
        if (good >= 0) expected.push(people[good] ?? '');
      }
    }
    await before.hold({ forwarded: expected.length });
    const seen = scene.upstream.requests.slice(from).map((request) => request.header('x-auth-subject')[0]);
    expect(seen).toEqual(expected);
  });

  it('A-048: pipelined, they are answered in their order, each with its own', async () => {
    const people = Array.from({ length: 12 }, (_, at) => `piped-${at}`);
    const before = await mark(scene);
    const from = scene.upstream.requests.length;
    await using client = await scene.connect();
    const requests = people.map((sub, at) => {
      const token =
        at % 4 === 3
          ? `${scene.token({ claims: { sub } }).slice(0, -6)}AAAAAA`
          : scene.token({ claims: { sub } });
      return scene.request({ token, body: JSON.stringify({ jsonrpc: '2.0', id: sub, method: 'ping' }) });
    });
    client.send(Buffer.concat(requests));
    const good = people.filter((_, at) => at % 4 !== 3);
    let answered = 0;
    for (const [at, sub] of people.entries()) {
      // A refusal may end the connection: what was piped behind it was never asked.
      if (client.peerClosed && client.pending.length === 0) break;
      const answer = await scene.answer(client);
      expect(answer.status).toBe(at % 4 === 3 ? 401 : 200);
      if (answer.status === 200) expect(JSON.parse(answer.body.toString())).toMatchObject({ id: sub });
      answered += 1;
    }
    expect(answered).toBe(people.length);
    await before.hold({ forwarded: good.length });
    for (const request of scene.upstream.requests.slice(from)) {
      const { id } = JSON.parse(request.body.toString()) as { id: string };
      expect(request.header('x-auth-subject')).toEqual([id]);
    }
  });
});
