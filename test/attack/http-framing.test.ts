/** Requests whose beginning or end could be read in two ways (attack catalogue B-001 to B-014, B-030). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mark } from '../support/invariants.ts';
import { eventually } from '../support/loopback.ts';
import type { RawClient } from '../support/raw-client.ts';
import { expectInvalidToken, expectNoCredentials } from './answers.ts';
import { ping, startScene, type Scene } from './scene.ts';

let scene: Scene;
let token: string;
let good: string;

beforeAll(async () => {
  scene = await startScene();
  token = scene.token({ key: 'ES256' });
  good = `Host: localhost:${scene.gateway.port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
});

afterAll(() => scene.close());

/** Node's parser refuses: 400, the connection ends, nothing reached the upstream, no second answer. */
async function expectUnparsable(bytes: string, statuses: readonly number[] = [400]): Promise<void> {
  const before = await mark(scene);
  const decided = scene.gateway.audit.length;
  const { answer, client } = await scene.unparsed(bytes);
  expect(statuses).toContain(answer.status);
  expect(answer.header('connection')).toEqual(['close']);
  expect(answer.body.toString()).toMatch(/^$|"message":"Bad request"/);
  await client.closedByPeer();
  // The parser may add its own 400 to the stages' one; a third answer would be the smuggled request's.
  expect(client.pending.toString('latin1')).toMatch(
    /^$|^HTTP\/1\.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n$/,
  );
  await client.close();
  // Where the header was fine and the body's framing isn't, a request has begun: then it has its decision too.
  await before.hold({ forwarded: 0, requests: scene.gateway.audit.length - decided });
}

const smuggled = (): string => `POST /mcp HTTP/1.1\r\n${good}Content-Length: ${ping.length}\r\n\r\n${ping}`;
const chunked = (): string => `${ping.length.toString(16)}\r\n${ping}\r\n0\r\n\r\n`;

describe('a body with two lengths', () => {
  it.each([
    ['CL.TE', `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n`],
    ['TE.CL', `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n`],
    ['TE.TE', `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n`],
    ['TE.TE the other way', `Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n`],
    ['TE and CL 0', `Transfer-Encoding: chunked\r\nContent-Length: 0\r\n`],
  ])('B-001: %s is refused, and what follows is never a request', async (_name, lines) => {
    await expectUnparsable(`POST /mcp HTTP/1.1\r\n${good}${lines}\r\n${chunked()}${smuggled()}`);
  });

  it.each([
    '7, 7',
    '+7',
    '-1',
    '0x7',
    '1e2',
    '7 7',
    '18446744073709551616',
    '7;',
    '"7"',
    '',
    '7\x0b',
    '\u0037.0',
  ])('B-002: Content-Length %j is refused', async (length) => {
    await expectUnparsable(
      `POST /mcp HTTP/1.1\r\n${good}Content-Length: ${length}\r\n\r\n${ping}${smuggled()}`,
    );
  });

  it('B-002: two Content-Length lines are refused, equal ones too', async () => {
    for (const second of [ping.length, ping.length + 1])
      await expectUnparsable(
        `POST /mcp HTTP/1.1\r\n${good}Content-Length: ${ping.length}\r\nContent-Length: ${second}\r\n\r\n${ping}${smuggled()}`,
      );
  });

  it.each([
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: "chunked"',
    'Transfer-Encoding: chunked;q=1',
    'Transfer-Encoding : chunked',
    'Transfer-Encoding\t: chunked',
    'Transfer-Encoding: \x0bchunked',
    'Transfer-Encoding: chunked\x00',
    'Transfer-Encoding:',
    'Transfer-Encoding: gzip',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip',
  ])('B-003: %j is refused', async (line) => {
    await expectUnparsable(`POST /mcp HTTP/1.1\r\n${good}${line}\r\n\r\n${chunked()}`, [400, 501]);
  });

  it('B-003: chunks in HTTP/1.0 leave no second request behind', async () => {
    await using client = await scene.connect();
    client.send(`POST /mcp HTTP/1.0\r\n${good}Transfer-Encoding: chunked\r\n\r\n${chunked()}${smuggled()}`);
    await client.closedByPeer();
    expect(client.pending.toString('latin1').match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThanOrEqual(1);
  });

  it.each(['0x29', '-1', 'g', '29 ', '+29', 'ffffffffffffffffff'])(
    'B-003: the chunk size %j is refused, and nothing of the body goes on',
    async (size) => {
      const before = await mark(scene);
      await using client = await scene.connect();
      client.send(
        `POST /mcp HTTP/1.1\r\n${good}Transfer-Encoding: chunked\r\n\r\n${size}\r\n${ping}\r\n0\r\n\r\n`,
      );
      await client.closedByPeer();
      expect(client.pending.toString('latin1')).toMatch(/^(HTTP\/1\.1 400 |$)/);
      await before.hold({ forwarded: 0, requests: 1 });
    },
  );
});

describe('lines that end in their own way', () => {
  it.each([
    ['a folded line', `X-A: 1\r\n folded\r\n`],
    ['a folded line with a tab', `X-A: 1\r\n\tfolded\r\n`],
    ['a bare LF', `X-A: 1\nX-B: 2\r\n`],
    ['a bare CR', `X-A: 1\rX-B: 2\r\n`],
    ['NUL', `X-A: 1\x002\r\n`],
    ['an empty name', `: 1\r\n`],
    ['a name with a space', `X A: 1\r\n`],
    ['a space before the colon', `X-Auth-Subject : admin\r\n`],
    ['no colon', `nonsense\r\n`],
    ['VT in a value', `X-A: 1\x0b2\r\n`],
    ['FF in a value', `X-A: 1\x0c2\r\n`],
    ['DEL in a value', `X-A: 1\x7f2\r\n`],
  ])('B-004: %s is refused', async (_name, lines) => {
    await expectUnparsable(
      `POST /mcp HTTP/1.1\r\n${good}${lines}Content-Length: ${ping.length}\r\n\r\n${ping}`,
    );
  });

  it('B-004: white space before the first header is refused, an empty line before a request is passed over', async () => {
    await expectUnparsable(`POST /mcp HTTP/1.1\r\n ${smuggled().split('\r\n').slice(1).join('\r\n')}`);
    const before = await mark(scene);
    await using client = await scene.connect();
    client.send(`\r\n\r\n${smuggled()}`);
    expect((await scene.answer(client)).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
    expect(scene.upstream.requests.at(-1)?.body.toString()).toBe(ping);
  });
});

describe('a body where none belongs', () => {
  it.each(['GET', 'DELETE', 'HEAD', 'OPTIONS', 'PUT', 'TRACE'])(
    'B-007: what a %s brings is never a request',
    async (method) => {
      const inner = smuggled();
      const bodies = [
        `Content-Length: ${inner.length}\r\n\r\n${inner}`,
        `Transfer-Encoding: chunked\r\n\r\n${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
      ];
      for (const body of bodies) {
        const before = await mark(scene);
        await using client = await scene.connect();
        client.send(`${method} /mcp HTTP/1.1\r\n${good}${body}`);
        const answer = await scene.answer(client, method === 'HEAD' ? { to: 'HEAD' } : {});
        expect([400, 405]).toContain(answer.status);
        const [event] = await before.hold({ forwarded: 0 });
        expect(['body_not_expected', 'method_not_served']).toContain(event?.reason);
        expect(client.pending.length).toBe(0);
      }
    },
  );
});

describe('an upload that goes on after its refusal', () => {
  /** Sends until the peer ends the connection; answers how many bytes it took. */
  async function upload(client: RawClient, chunk: string): Promise<number> {
    let sent = 0;
    const until = performance.now() + 3000;
    while (!client.peerClosed && performance.now() < until) {
      client.send(chunk);
      sent += chunk.length;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return sent;
  }

  const piece = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
  const cases: readonly (readonly [string, (route: { good: string; host: string }) => string, number])[] = [
    [
      'without credentials',
      ({ host }) => `POST /mcp HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`,
      401,
    ],
    [
      'of a terabyte',
      ({ host }) => `POST /mcp HTTP/1.1\r\n${host}Content-Length: 1000000000000\r\n\r\n`,
      401,
    ],
    [
      'with a bad token',
      ({ host }) =>
        `POST /mcp HTTP/1.1\r\n${host}Authorization: Bearer x\r\nTransfer-Encoding: chunked\r\n\r\n`,
      401,
    ],
    [
      'of another host',
      () => `POST /mcp HTTP/1.1\r\nHost: evil.example\r\nTransfer-Encoding: chunked\r\n\r\n`,
      403,
    ],
    [
      'of another origin',
      ({ host }) =>
        `POST /mcp HTTP/1.1\r\n${host}Origin: https://evil.example\r\nTransfer-Encoding: chunked\r\n\r\n`,
      403,
    ],
    ['to nowhere', ({ host }) => `POST /nowhere HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`, 404],
    [
      'of text',
      (route) =>
        `POST /mcp HTTP/1.1\r\n${route.good.replace('application/json', 'text/plain')}Transfer-Encoding: chunked\r\n\r\n`,
      415,
    ],
    [
      'beyond the limit',
      (route) => `POST /mcp HTTP/1.1\r\n${route.good}Content-Length: 1000000000000\r\n\r\n`,
      413,
    ],
    [
      "by a method that isn't served",
      (route) => `PUT /mcp HTTP/1.1\r\n${route.good}Transfer-Encoding: chunked\r\n\r\n`,
      405,
    ],
    ['by GET', (route) => `GET /mcp HTTP/1.1\r\n${route.good}Transfer-Encoding: chunked\r\n\r\n`, 400],
    [
      'to the metadata',
      ({ host }) =>
        `GET /.well-known/oauth-protected-resource/mcp HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`,
      400,
    ],
    [
      'to an unknown well-known',
      ({ host }) => `GET /.well-known/x HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`,
      400,
    ],
    [
      'in a preflight of the metadata',
      ({ host }) =>
        `OPTIONS /.well-known/oauth-protected-resource/mcp HTTP/1.1\r\n${host}Origin: https://a.example\r\nAccess-Control-Request-Method: GET\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
    ],
  ];

  it.each(cases)('B-008: %s is answered and cut off', async (_name, head, status) => {
    const before = await mark(scene);
    await using client = await scene.connect();
    const text = head({ good, host: `Host: localhost:${scene.gateway.port}\r\n` });
    client.send(text);
    const answer = await client.head();
    expect(answer.status).toBe(status);
    const sent = await upload(client, text.includes('chunked') ? piece : 'x'.repeat(0x4000));
    expect(client.peerClosed).toBe(true);
    // What is drained, and what the sockets held meanwhile.
    expect(sent).toBeLessThan(8 * 1024 * 1024);
    expect(answer.header('connection')).toEqual(['close']);
    expect(client.pending.toString('latin1').match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    await before.hold({ forwarded: 0, requests: 1 });
  });

  it("B-008: a request hidden in the unread body of a refused one isn't served", async () => {
    const before = await mark(scene);
    await using client = await scene.connect();
    const inner = smuggled();
    client.send(
      `POST /mcp HTTP/1.1\r\nHost: localhost:${scene.gateway.port}\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
    );
    expectNoCredentials(await scene.answer(client), scene);
    await before.hold({ forwarded: 0, reasons: ['no_credentials'] });
    expect(client.pending.length).toBe(0);
  });
});

describe('Expect', () => {
  const announce = (lines: string, expectation = '100-continue'): string =>
    `POST /mcp HTTP/1.1\r\nHost: localhost:${scene.gateway.port}\r\nContent-Type: application/json\r\n${lines}Expect: ${expectation}\r\nContent-Length: ${ping.length}\r\n\r\n`;

  it("B-009: whoever isn't let in is never told to continue", async () => {
    const before = await mark(scene);
    for (const lines of [
      '',
      'Authorization: Bearer bad.bad.bad\r\n',
      `Authorization: Bearer ${token}\r\nContent-Encoding: gzip\r\n`,
    ]) {
      await using client = await scene.connect();
      client.send(announce(lines));
      await eventually('an answer', () => client.pending.includes('\r\n\r\n'));
      expect(client.pending.toString('latin1')).toMatch(/^HTTP\/1\.1 4(01|15) /);
      await scene.answer(client);
    }
    await before.hold({ forwarded: 0, reasons: ['no_credentials', 'token_malformed', 'content_encoding'] });
  });

  it("B-009: who is let in continues, and the upstream isn't told of it", async () => {
    const before = await mark(scene);
    await using client = await scene.connect();
    client.send(announce(`Authorization: Bearer ${token}\r\n`));
    await client.received('HTTP/1.1 100 Continue');
    client.send(ping);
    expect((await scene.answer(client)).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
    expect(scene.upstream.requests.at(-1)?.header('expect')).toEqual([]);
  });

  it("B-009: a body beyond the limit isn't asked for", async () => {
    const before = await mark(scene);
    await using client = await scene.connect();
    client.send(
      announce(`Authorization: Bearer ${token}\r\n`).replace(
        /Content-Length: \d+/,
        'Content-Length: 999999999',
      ),
    );
    const answer = await scene.answer(client);
    expect(answer.status).toBe(413);
    await before.hold({ forwarded: 0, reasons: ['body_too_large'] });
  });

  it.each(['200-ok', 'x', '100-continue, 200-ok', 'y 100-continue'])(
    "B-009: the expectation %j can't be met",
    async (expectation) => {
      const before = await mark(scene);
      await using client = await scene.connect();
      client.send(announce(`Authorization: Bearer ${token}\r\n`, expectation));
      await eventually('an answer', () => client.pending.includes('HTTP/1.1'));
      expect(client.pending.toString('latin1')).toMatch(/^HTTP\/1\.1 417 /);
      await scene.answer(client);
      await before.hold({ forwarded: 0 });
    },
  );

  it('B-009: a client that announces a body and leaves does no harm', async () => {
    const from = scene.gateway.audit.length;
    const client = await scene.connect();
    client.send(announce(`Authorization: Bearer ${token}\r\n`));
    await client.received('HTTP/1.1 100 Continue');
    client.reset();
    await eventually('its audit event', () => scene.gateway.audit.length === from + 1);
    expect(scene.gateway.audit.at(-1)).toMatchObject({ reason: 'client_left', status: 499 });
  });
});

describe('several requests on one connection', () => {
  it('B-010: each pipelined request is judged by its own credentials, and answered in order', async () => {
    scene.upstream.answerOnce({ delayMs: 150, body: { jsonrpc: '2.0', id: 'slow', result: {} } });
    const from = scene.upstream.requests.length;
    const bob = scene.token({ key: 'ES256', claims: { sub: 'bob' } });
    const before = await mark(scene);
    await using client = await scene.connect();
    const asks = [
      scene.request({ token }),
      scene.request({}),
      scene.request({ token: bob }),
      scene.request({ token: 'bad.bad.bad' }),
      scene.request({ token }),
    ];
    client.send(Buffer.concat(asks));
    const answers = [];
    for (const _ of asks) answers.push(await scene.answer(client));
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 200, 401, 200]);
    expect(answers[0]?.body.toString()).toContain('slow');
    if (answers[1]) expectNoCredentials(answers[1], scene);
    if (answers[3]) expectInvalidToken(answers[3], scene);
    await before.hold({ forwarded: 3, reasons: ['ok', 'no_credentials', 'ok', 'token_malformed', 'ok'] });
    const seen = scene.upstream.requests.slice(from).map((request) => request.header('x-auth-subject')[0]);
    expect(seen.filter((subject) => subject === 'bob')).toHaveLength(1);
  });

  it('B-010: people who take turns on one connection stay apart', async () => {
    const before = await mark(scene);
    await using client = await scene.connect();
    for (const sub of ['alice', 'bob', undefined, 'carol', 'alice']) {
      const asked = sub === undefined ? {} : { token: scene.token({ key: 'ES256', claims: { sub } }) };
      client.send(scene.request(asked));
      expect((await scene.answer(client)).status).toBe(sub === undefined ? 401 : 200);
      if (sub !== undefined) expect(scene.upstream.requests.at(-1)?.header('x-auth-subject')).toEqual([sub]);
    }
    await before.hold({ forwarded: 4 });
  });
});

describe('versions and hosts', () => {
  it('B-013: a missing, double or broken Host is refused', async () => {
    const before = await mark(scene);
    const body = `Content-Length: ${ping.length}\r\n\r\n${ping}`;
    const rest = good.slice(good.indexOf('\r\n') + 2);
    const requests = [
      `POST /mcp HTTP/1.0\r\n${rest}${body}`,
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n${rest}${body}`,
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n${rest}${body}`,
      `POST /mcp HTTP/1.1\r\nHost: localhost, evil.example\r\n${rest}${body}`,
      `POST /mcp HTTP/1.1\r\nHost: localhost evil.example\r\n${rest}${body}`,
      `POST /mcp HTTP/1.1\r\nHost: localhost/x\r\n${rest}${body}`,
      `POST /mcp HTTP/1.1\r\nHost: user@localhost\r\n${rest}${body}`,
      `POST /mcp HTTP/1.1\r\nHost:\r\n${rest}${body}`,
      `POST /mcp HTTP/1.1\r\nHost: localhost:99999999\r\n${rest}${body}`,
    ];
    for (const request of requests) {
      await using client = await scene.connect();
      client.send(request);
      expect((await scene.answer(client)).status).toBe(400);
    }
    await before.hold({ forwarded: 0, reasons: ['host_header'] });
    await expectUnparsable(`POST /mcp HTTP/1.1\r\n${rest}${body}`);
  });

  it.each([
    ['no version', 'POST /mcp'],
    ['HTTP/0.9', 'POST /mcp HTTP/0.9'],
    ['HTTP/2.0', 'POST /mcp HTTP/2.0'],
    ['the preface of HTTP/2 without its version', 'PRI /mcp'],
    ['RTSP', 'DESCRIBE /mcp RTSP/1.0'],
    ['RTSP of HTTP’s version', 'SETUP rtsp://localhost/mcp RTSP/1.1'],
  ])('B-013 and B-015: a good token with %s opens nothing, and is no defect', async (_name, line) => {
    await expectUnparsable(`${line}\r\n${good}Content-Length: ${ping.length}\r\n\r\n${ping}${smuggled()}`);
    expect(scene.gateway.written).not.toContain('"defect');
  });

  it('B-010: three requests in one packet, none of which is answered as it came, end no process', async () => {
    const refused = 'HEAD /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    const hostless = `POST /mcp HTTP/1.1\r\nContent-Length: ${ping.length}\r\n\r\n${ping}`;
    const waiting = 'POST /mcp HTTP/1.1\r\nHost: localhost\r\nExpect:\r\n\r\n';
    const before = await mark(scene);
    for (const bytes of [refused + hostless + waiting, waiting + hostless + waiting]) {
      await using client = await scene.connect();
      client.send(bytes);
      await client.closedByPeer();
    }
    // What nobody catches would have made the run of the tests red.
    expect((await scene.ask({ token: scene.token() })).status).toBe(200);
    await before.hold({ forwarded: 1, requests: 3 });
    expect(scene.gateway.written).not.toContain('"defect');
  });

  it('B-013: HTTP/1.0 with a Host is served no more than HTTP/1.1', async () => {
    const before = await mark(scene);
    for (const [lines, status] of [
      [good, 200],
      [good.replace(/Authorization.*\r\n/, ''), 401],
    ] as const) {
      await using client = await scene.connect();
      client.send(`POST /mcp HTTP/1.0\r\n${lines}Content-Length: ${ping.length}\r\n\r\n${ping}`);
      expect((await scene.answer(client)).status).toBe(status);
      await client.closedByPeer();
    }
    await before.hold({ forwarded: 1, reasons: ['ok', 'no_credentials'] });
  });

  it.each([
    ['HTTP/1.2', 'GET /mcp HTTP/1.2\r\nHost: localhost\r\n\r\n'],
    ['HTTP/3.0', 'GET /mcp HTTP/3.0\r\nHost: localhost\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a method in lower case', 'post /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a method with NUL', 'POST\x00 /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['TRACK', 'TRACK /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['NUL in the target', 'GET /mcp\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ])('B-013 and B-015: %s is refused by the parser', async (_name, bytes) =>
    expectUnparsable(bytes, [400, 505]),
  );

  it.each([
    [
      'websocket',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n',
    ],
    ['websocket without Connection', 'Upgrade: websocket\r\n'],
    [
      'h2c',
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n',
    ],
    ['HTTP2-Settings alone', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n'],
  ])('B-014: an upgrade to %s never happens, and needs the same token', async (_name, lines) => {
    const before = await mark(scene);
    for (const [headers, status] of [
      [good, 200],
      [good.replace(/Authorization.*\r\n/, ''), 401],
    ] as const) {
      await using client = await scene.connect();
      client.send(`POST /mcp HTTP/1.1\r\n${headers}${lines}Content-Length: ${ping.length}\r\n\r\n${ping}`);
      expect((await scene.answer(client)).status).toBe(status);
    }
    await before.hold({ forwarded: 1, reasons: ['ok', 'no_credentials'] });
    const names = scene.upstream.requests.at(-1)?.headerLines.map(([name]) => name.toLowerCase()) ?? [];
    for (const name of ['upgrade', 'http2-settings', 'sec-websocket-key']) expect(names).not.toContain(name);
  });

  it('B-014: CONNECT opens no tunnel', async () => {
    const before = await mark(scene);
    await using client = await scene.connect();
    client.send(
      `CONNECT 127.0.0.1:${scene.upstream.port} HTTP/1.1\r\n${good}\r\nGET /secret HTTP/1.1\r\n\r\n`,
    );
    await client.closedByPeer();
    expect(client.pending.toString('latin1')).not.toContain(' 200 ');
    await before.hold({ forwarded: 0, requests: 0 });
  });
});

describe('many headers', () => {
  it('B-030: many lines hide no other line, in front of it or behind it', async () => {
    const before = await mark(scene);
    const many = Array.from({ length: 240 }, () => 'a:b');
    expect((await scene.ask({ lines: [...many, `Authorization: Bearer ${token}`] })).status).toBe(200);
    expect((await scene.ask({ token, lines: [...many, `Authorization: Bearer ${token}`] })).status).toBe(400);
    expect((await scene.ask({ token, lines: [...many, 'Host: evil.example'] })).status).toBe(400);
    expect((await scene.ask({ token, lines: [...many, 'Origin: https://evil.example'] })).status).toBe(403);
    await before.hold({
      forwarded: 1,
      reasons: ['ok', 'several_authorization_headers', 'host_header', 'origin_not_listed'],
    });
  });

  it.each([1001, 2001, 3900])('B-030: %i lines are too many, and the connection ends', async (count) => {
    const lines = 'a:b\r\n'.repeat(count);
    const host = `Host: localhost:${scene.gateway.port}\r\n`;
    const authorization = `Authorization: Bearer ${token}\r\n`;
    for (const all of [
      lines,
      `${authorization}${lines}`,
      `${lines}${authorization}`,
      `${lines}Origin: https://evil.example\r\n`,
    ])
      await expectUnparsable(`GET /mcp HTTP/1.1\r\n${host}${all}\r\n`, [431]);
  });

  it('B-030: a header block or value over 16 KB is 431', async () => {
    const lines = [
      `X-A: ${'a'.repeat(17_000)}`,
      Array.from({ length: 3000 }, () => 'x-abcdef: d').join('\r\n'),
    ];
    for (const line of lines) await expectUnparsable(`POST /mcp HTTP/1.1\r\n${good}${line}\r\n\r\n`, [431]);
  });

  it("B-030: names of an object's own members are names like any other, and don't travel", async () => {
    const before = await mark(scene);
    const names = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'prototype',
      '__defineGetter__',
      'valueOf',
    ];
    const answer = await scene.ask({ token, lines: names.flatMap((name) => [`${name}: x`, `${name}: y`]) });
    expect(answer.status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
    const seen = scene.upstream.requests.at(-1)?.headerLines.map(([name]) => name.toLowerCase()) ?? [];
    for (const name of names) expect(seen).not.toContain(name.toLowerCase());
    expect(({} as { x?: string }).x).toBeUndefined();
  });
});
