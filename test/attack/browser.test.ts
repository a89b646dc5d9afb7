/** Pages that shouldn't be able to ask or to read (attack catalogue B-046, B-047). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mark } from '../support/invariants.ts';
import type { RawResponse } from '../support/raw-response.ts';
import { expectError } from './answers.ts';
import { startScene, type Scene } from './scene.ts';

let scene: Scene;
let token: string;
const page = 'https://app.example';
const preflight = [
  'Access-Control-Request-Method: POST',
  'Access-Control-Request-Headers: authorization, content-type, mcp-session-id',
];

beforeAll(async () => {
  scene = await startScene({
    routes: `routes:
  - { name: tools, path: /mcp, scopes: [mcp:use], origins: ['${page}'], upstream: '$upstream' }
  - { name: none, path: /none, upstream: '$upstream' }
  - { name: public, path: /open, access: open, upstream: '$upstream' }`,
  });
  token = scene.token({ key: 'ES256' });
});

afterAll(() => scene.close());

function cors(answer: RawResponse): readonly string[] {
  return answer.headerLines
    .map(([name]) => name.toLowerCase())
    .filter((name) => name.startsWith('access-control-'));
}

function expectForbidden(answer: RawResponse): void {
  expect(answer.status).toBe(403);
  expect(cors(answer)).toEqual([]);
  expect(answer.header('www-authenticate')).toEqual([]);
  expectError(answer, { code: 40300, message: 'This origin is not allowed' });
}

const foreign = [
  'https://evil.example',
  'null',
  'https://app.example.evil',
  'https://app.example.evil.example',
  'http://app.example',
  'https://appXexample',
  'https://app.example:443',
  'https://app.example:8443',
  'https://app.example.',
  'https://app.example/',
  'https://APP.example',
  'HTTPS://app.example',
  'https://x.app.example',
  'https://user@app.example',
  'https://app.example, https://evil.example',
  'https://app.example https://evil.example',
  '*',
  '',
  'file://',
  '\xff',
];

describe('a foreign page', () => {
  it.each(foreign)('B-046 and B-047: Origin %j is refused before its token is looked at', async (origin) => {
    const before = await mark(scene);
    expectForbidden(await scene.ask({ token, lines: [`Origin: ${origin}`] }));
    expectForbidden(await scene.ask({ lines: [`Origin: ${origin}`] }));
    expectForbidden(await scene.ask({ method: 'OPTIONS', lines: [`Origin: ${origin}`, ...preflight] }));
    expectForbidden(await scene.ask({ token, target: '/none', lines: [`Origin: ${origin}`] }));
    expectForbidden(await scene.ask({ target: '/open', lines: [`Origin: ${origin}`] }));
    await before.hold({ forwarded: 0, reasons: ['origin_not_listed'] });
  });

  it('B-047: a second Origin line is refused, whichever is the good one', async () => {
    const before = await mark(scene);
    const [good, evil] = [`Origin: ${page}`, 'Origin: https://evil.example'];
    for (const lines of [
      [good, evil],
      [evil, good],
      [good, good],
    ])
      expectForbidden(await scene.ask({ token, lines }));
    await before.hold({ forwarded: 0, reasons: ['origin_not_listed'] });
  });

  it('B-047: it is refused before its body has come', async () => {
    const before = await mark(scene);
    await using client = await scene.connect();
    client.send(
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`,
    );
    expectForbidden(await scene.answer(client));
    await before.hold({ forwarded: 0, reasons: ['origin_not_listed'] });
  });

  it('B-047: a rebound name is refused by its Host, with an allowed origin too', async () => {
    const before = await mark(scene);
    const answer = await scene.ask({ token, host: 'app.example', lines: [`Origin: ${page}`] });
    expect(answer.status).toBe(403);
    await before.hold({ forwarded: 0, reasons: ['host_not_listed'] });
  });
});

describe('an allowed page', () => {
  it('B-046: gets a preflight without a token, for its own origin alone, without credentials', async () => {
    const before = await mark(scene);
    const answer = await scene.ask({ method: 'OPTIONS', lines: [`Origin: ${page}`, ...preflight] });
    expect(answer.status).toBe(204);
    expect(answer.header('access-control-allow-origin')).toEqual([page]);
    expect(answer.header('access-control-allow-credentials')).toEqual([]);
    expect(answer.header('access-control-allow-methods')).toEqual(['GET, POST, DELETE']);
    expect(answer.header('access-control-allow-headers')).toEqual([
      'authorization, content-type, mcp-session-id',
    ]);
    expect(answer.header('vary').join()).toMatch(/origin/i);
    await before.hold({ forwarded: 0, reasons: ['ok'] });
  });

  it("B-046: requested headers that aren't names aren't reflected", async () => {
    const before = await mark(scene);
    for (const asked of ['a b', 'a;b', 'a"b', '<script>', 'a,,b']) {
      const lines = [
        `Origin: ${page}`,
        'Access-Control-Request-Method: POST',
        `Access-Control-Request-Headers: ${asked}`,
      ];
      const answer = await scene.ask({ method: 'OPTIONS', lines });
      expect(answer.header('access-control-allow-headers')).toEqual([]);
    }
    await before.hold({ forwarded: 0, reasons: ['ok'] });
  });

  it('B-046: still needs its token, and may read the challenge and the session', async () => {
    const before = await mark(scene);
    scene.upstream.answerOnce({
      headers: { 'access-control-allow-origin': '*', 'access-control-allow-credentials': 'true' },
      body: {},
    });
    for (const [asked, status] of [
      [{ token }, 200],
      [{}, 401],
      [{ token: 'bad.bad.bad' }, 401],
    ] as const) {
      const answer = await scene.ask({ ...asked, lines: [`Origin: ${page}`] });
      expect(answer.status).toBe(status);
      expect(answer.header('access-control-allow-origin')).toEqual([page]);
      expect(answer.header('access-control-allow-credentials')).toEqual([]);
      const exposed = answer.header('access-control-expose-headers').join().toLowerCase();
      expect(exposed).toContain('mcp-session-id');
      expect(exposed).toContain('www-authenticate');
    }
    await before.hold({ forwarded: 1, reasons: ['ok', 'no_credentials', 'token_malformed'] });
  });

  it('B-046: without an Origin no page is meant, and none is told anything', async () => {
    const before = await mark(scene);
    expect(cors(await scene.ask({ token }))).toEqual([]);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
  });

  it('B-046: the metadata may be read by every page, and never with credentials', async () => {
    const answer = await scene.ask({
      method: 'GET',
      target: '/.well-known/oauth-protected-resource/mcp',
      lines: ['Origin: https://evil.example'],
    });
    expect(answer.status).toBe(200);
    expect(answer.header('access-control-allow-origin')).toEqual(['*']);
    expect(answer.header('access-control-allow-credentials')).toEqual([]);
  });
});
