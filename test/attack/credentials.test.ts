/** What stands in `Authorization`, and what doesn't count as credentials (attack catalogue ). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mark } from '../support/invariants.ts';
import { signCompact } from '../support/signing-key.ts';
import { expectAmbiguousCredentials, expectInvalidToken, expectNoCredentials } from './answers.ts';
import { ping, startScene, type Scene } from './scene.ts';

let scene: Scene;
let token: string;

beforeAll(async () => {
  scene = await startScene();
  token = scene.token({ key: 'ES256' });
});

afterAll(() => scene.close());

describe('no credentials', () => {
  it.each(['POST', 'GET', 'DELETE', 'HEAD', 'PUT', 'PATCH', 'PROPFIND', 'QUERY', 'TRACE', 'OPTIONS'])(
    'A-041: %s without credentials is told where to get some, and no error',
    async (method) => {
      const before = await mark(scene);
      const answer = await scene.ask({ method, body: null });
      expectNoCredentials(answer, scene);
      expect(answer.header('content-type')).toEqual(['application/json; charset=utf-8']);
      await before.hold({ forwarded: 0, reasons: ['no_credentials'] });
    },
  );
});

describe('more than one Authorization', () => {
  it('A-042: two lines are refused whatever they say, identical ones too', async () => {
    const good = `Authorization: Bearer ${token}`;
    const pairs = [
      [good, 'Authorization: Bearer bad'],
      ['Authorization: Bearer bad', good],
      [good, 'Authorization: Basic YTpi'],
      ['Authorization: Basic YTpi', good],
      [good, 'Authorization: DPoP x'],
      [good, good],
      [good, `AUTHORIZATION: Bearer ${token}`],
      [good, 'Authorization:'],
      ['Authorization:', good],
      [good, 'X-Between: 1', 'authorization: x', 'authorization: y'],
    ];
    const before = await mark(scene);
    for (const lines of pairs) expectAmbiguousCredentials(await scene.ask({ lines }), scene);
    await before.hold({ forwarded: 0, reasons: ['several_authorization_headers'] });
  });

  it("A-042: a proxy's own Authorization is another header", async () => {
    const before = await mark(scene);
    const answer = await scene.ask({
      token,
      lines: ['Proxy-Authorization: Basic YTpi', 'X-Authorization: x'],
    });
    expect(answer.status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
  });
});

describe('the form of Authorization', () => {
  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('A-044: the scheme %s is accepted', async (scheme) => {
    const before = await mark(scene);
    expect((await scene.ask({ lines: [`Authorization: ${scheme} ${token}`] })).status).toBe(200);
    // White space around a field's value isn't part of it (RFC 9110 §5.5).
    expect((await scene.ask({ lines: [`Authorization:  \t ${scheme} ${token} \t`] })).status).toBe(200);
    await before.hold({ forwarded: 2, reasons: ['ok'] });
  });

  it('A-044: anything but one space and one token is no credentials', async () => {
    const values = [
      'Bearer',
      'Bearer ',
      `Bearer  ${token}`,
      `Bearer\t${token}`,
      `Bearer \t${token}`,
      `Bearer:${token}`,
      `Bearer: ${token}`,
      `Bearer,${token}`,
      `Bearer=${token}`,
      `Bearer "${token}"`,
      `Bearer ${token} ${token}`,
      `Bearer ${token},${token}`,
      `Bearer ${token};x=1`,
      `Bearer ${token}, Basic YTpi`,
      `BearerX ${token}`,
      `XBearer ${token}`,
      `Basic ${token}`,
      `DPoP ${token}`,
      token,
      `Bearer${token}`,
      `Bearer ${token}\xe9`,
      `B\xe9arer ${token}`,
      `Bearer\xa0${token}`,
      '',
      '\xff\xfe',
      ',',
      'Bearer =',
      'Bearer ==',
      `Bearer =${token}`,
    ];
    const before = await mark(scene);
    for (const value of values)
      expectNoCredentials(await scene.ask({ lines: [`Authorization: ${value}`] }), scene);
    const events = await before.hold({ forwarded: 0 });
    expect(new Set(events.map(({ reason }) => reason))).toEqual(
      new Set(['malformed_credentials', 'other_scheme']),
    );
  });
});

describe('a token where none belongs', () => {
  it("A-045: in the query it is no credential, doesn't travel and isn't written down", async () => {
    const before = await mark(scene);
    expectNoCredentials(await scene.ask({ target: `/mcp?access_token=${token}` }), scene);
    expectNoCredentials(await scene.ask({ target: `/mcp/?access_token=${token}` }), scene);
    expectInvalidToken(
      await scene.ask({ target: `/mcp?access_token=${token}`, token: 'bad.bad.bad' }),
      scene,
    );
    await before.hold({ forwarded: 0, reasons: ['no_credentials', 'no_credentials', 'token_malformed'] });
  });

  it('A-045: beside a good header the query is dropped on the way to the upstream', async () => {
    const before = await mark(scene);
    expect((await scene.ask({ target: `/mcp?access_token=${token}&x=1`, token })).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
    expect(scene.upstream.requests.at(-1)?.target).toBe('/mcp');
    expect(Buffer.concat(scene.upstream.connections.map(({ bytes }) => bytes)).includes(token)).toBe(false);
  });

  it("A-045: on a path that nobody serves it isn't written down either", async () => {
    const before = await mark(scene);
    for (const target of [
      `/x?access_token=${token}`,
      `//mcp?access_token=${token}`,
      `/%zz?access_token=${token}`,
    ])
      expect([400, 404]).toContain((await scene.ask({ target })).status);
    await before.hold({ forwarded: 0 });
  });

  it('A-045: in a form or in the body it is no credential', async () => {
    const before = await mark(scene);
    const form = { contentType: 'application/x-www-form-urlencoded', body: `access_token=${token}` };
    expectNoCredentials(await scene.ask(form), scene);
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', access_token: token });
    expectNoCredentials(await scene.ask({ body }), scene);
    expectNoCredentials(
      await scene.ask({ lines: [`Cookie: access_token=${token}`, `X-Access-Token: ${token}`] }),
      scene,
    );
    await before.hold({ forwarded: 0, reasons: ['no_credentials'] });
  });
});

describe('tokens that would break a decoder', () => {
  const encode = (text: string | Buffer): string => Buffer.from(text).toString('base64url');

  function signed(header: string, payload: string): string {
    return signCompact({ header, payload }, scene.issuer.key('ES256'));
  }

  function joseHeader(): string {
    return JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: scene.issuer.key('ES256').kid });
  }

  it('A-038: nesting, numbers of members, byte order marks and broken UTF-8 are invalid tokens', async () => {
    const deep = '['.repeat(2500);
    const good = '{"iss":"x"}';
    const wide = `{${Array.from({ length: 500 }, (_, at) => `"m${at}":1`).join(',')}}`;
    const signature = 'A'.repeat(86);
    const tokens = [
      signed(joseHeader(), `{"a":${deep}`),
      signed(joseHeader(), `{"a":${deep}${']'.repeat(2500)}}`),
      signed(deep, good),
      signed(wide, good),
      signed(joseHeader(), wide),
      signed(`\uFEFF${joseHeader()}`, good),
      signed(joseHeader(), `\uFEFF${good}`),
      `${encode(Buffer.from(joseHeader(), 'utf16le'))}.${encode(good)}.${signature}`,
      `${encode(joseHeader())}.${encode(Buffer.from(good, 'utf16le'))}.${signature}`,
      `${encode(joseHeader())}.${encode(Buffer.from('{"iss":"\xff"}', 'latin1'))}.${signature}`,
      `${encode(joseHeader())}.${encode(Buffer.from([0xed, 0xa0, 0x80]))}.${signature}`,
      signed('null', good),
      signed('[]', good),
      signed('"x"', good),
      signed(joseHeader(), 'null'),
      signed(joseHeader(), '[]'),
      signed(joseHeader(), ''),
      signed(joseHeader(), `${good}${good}`),
      signed(joseHeader(), `${good}\u0000`),
    ];
    const before = await mark(scene);
    const startedAt = performance.now();
    for (const each of tokens) expectInvalidToken(await scene.ask({ token: each }), scene);
    // In all it takes milliseconds; a decoder that recurses or copies takes seconds.
    expect(performance.now() - startedAt).toBeLessThan(2000);
    await before.hold({ forwarded: 0 });
  });

  it('A-038: tokens of 1 to 8 KB are read, up to the header limit refused, beyond it 431', async () => {
    const before = await mark(scene);
    for (const size of [1, 4]) {
      const filled = scene.token({ key: 'ES256', claims: { fill: 'x'.repeat(size * 700) } });
      expect((await scene.ask({ token: filled })).status).toBe(200);
    }
    const long = scene.token({ key: 'ES256', claims: { fill: 'x'.repeat(8192) } });
    expect(long.length).toBeGreaterThan(8192);
    expectInvalidToken(await scene.ask({ token: long }), scene);
    expectInvalidToken(await scene.ask({ token: 'x'.repeat(15 * 1024) }), scene);
    await before.hold({ forwarded: 2, reasons: ['ok', 'ok', 'token_too_long', 'token_too_long'] });
    for (const size of [16, 64, 1024]) {
      const { answer, client } = await scene.unparsed(
        `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${'x'.repeat(size * 1024)}\r\nContent-Length: ${ping.length}\r\n\r\n${ping}`,
      );
      expect(answer.status).toBe(431);
      await client.closedByPeer();
      await client.close();
    }
  });
});
