/** Remembered signatures and the verdicts that must not be remembered (attack catalogue ). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mark } from '../support/invariants.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { expectExpiredToken, expectInsufficientScope, expectInvalidToken } from './answers.ts';
import { startScene, type Scene } from './scene.ts';

let scene: Scene;
/** Milliseconds that the gateway's clock is ahead. */
let aheadMs = 0;

beforeAll(async () => {
  scene = await startScene({
    clock: () => Date.now() + aheadMs,
    issuers: [
      await startIssuer({ algorithms: ['ES256'] }),
      await startIssuer({ path: '/b', algorithms: ['ES256'] }),
    ],
    routes: `routes:
  - { name: tools, path: /mcp, scopes: [mcp:use], default: true, upstream: '$upstream' }
  - { name: strict, path: /strict, scopes: [mcp:use, mcp:admin], authorizationServers: [as0], upstream: '$upstream' }
  - { name: other, path: /other, upstream: '$upstream' }
  - { name: leaves, path: /leaves, streams: { closeOnExpiry: 300ms }, upstream: '$upstream' }`,
  });
});

afterAll(() => scene.close());

function other(): Issuer {
  const issuer = scene.issuers[1];
  if (issuer === undefined) throw new Error('two issuers are started');
  return issuer;
}

const now = (): number => Math.floor((Date.now() + aheadMs) / 1000);

describe('a remembered signature', () => {
  it("A-047: ends with the token's time, to the second", async () => {
    const exp = now() + 60;
    const token = scene.token({ claims: { exp } });
    const before = await mark(scene);
    expect((await scene.ask({ token })).status).toBe(200);
    expect((await scene.ask({ token })).status).toBe(200);
    aheadMs += 45_000;
    expect((await scene.ask({ token })).status).toBe(200);
    // To the moment at which it ends (RFC 7519 §4.1.4: "on or after").
    aheadMs = exp * 1000 - Date.now();
    expectExpiredToken(await scene.ask({ token }), scene);
    expectExpiredToken(await scene.ask({ token }), scene);
    await before.hold({ forwarded: 3, reasons: ['ok', 'ok', 'ok', 'token_expired', 'token_expired'] });
  });

  it('A-047, C-036: a stream ends with its token and the grace', async () => {
    scene.upstream.answerOnce((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
    });
    const token = scene.token({ claims: { exp: now() + 2, aud: scene.resource('/leaves') } });
    const before = await mark(scene);
    const startedAt = performance.now();
    const answer = await scene.ask({ method: 'GET', target: '/leaves', token });
    expect(answer.status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    const [event] = await before.hold({ forwarded: 1, reasons: ['ok'] });
    expect(event?.['end']).toBe('token_expired');
    await expect.poll(() => scene.upstream.requests.at(-1)?.aborted).toBe(true);
  });

  it('A-048: belongs to the whole token: prefixes, suffixes and common parts are other tokens', async () => {
    const [alice, bob] = ['alice', 'bob'].map((sub) => scene.token({ claims: { sub, jti: 'same' } }));
    if (alice === undefined || bob === undefined) throw new Error('two tokens are made');
    const before = await mark(scene);
    expect((await scene.ask({ token: alice })).status).toBe(200);
    const [header, payload, signature] = alice.split('.');
    const crossed = [
      `${header}.${payload}.${bob.split('.')[2]}`,
      `${header}.${bob.split('.')[1]}.${signature}`,
      alice.slice(0, -1),
      alice.slice(1),
      `${alice}.`,
      `.${alice}`,
      `${alice}.x`,
      `${alice}AAAA`,
      `${alice}=`,
      alice.toUpperCase(),
    ];
    for (const token of crossed) expectInvalidToken(await scene.ask({ token }), scene);
    const events = await before.hold({ forwarded: 1 });
    expect(events.filter(({ decision }) => decision === 'allow')).toHaveLength(1);
  });

  it('A-048: 40 people at once, over and over, each arrive as themselves', async () => {
    const people = Array.from({ length: 40 }, (_, at) => `person-${at}`);
    const tokens = people.map((sub) => scene.token({ claims: { sub, jti: 'same' } }));
    const from = scene.upstream.requests.length;
    const before = await mark(scene);
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all(
        tokens.map((token, at) =>
          scene.ask({ token, body: `{"jsonrpc":"2.0","id":"${people[at]}","method":"ping"}` }),
        ),
      );
      expect(answers.map(({ body }) => (JSON.parse(body.toString()) as { id: string }).id)).toEqual(people);
    }
    await before.hold({ forwarded: 120, reasons: ['ok'] });
    for (const request of scene.upstream.requests.slice(from)) {
      const { id } = JSON.parse(request.body.toString()) as { id: string };
      expect(request.header('x-auth-subject')).toEqual([id]);
    }
  });

  it('A-049: a verdict of one route says nothing on another, however often they alternate', async () => {
    const token = scene.token({ claims: { aud: [scene.resource(), scene.resource('/strict')] } });
    const before = await mark(scene);
    for (let round = 0; round < 10; round += 1) {
      expect((await scene.ask({ token })).status).toBe(200);
      expectInsufficientScope(await scene.ask({ token, target: '/strict' }), scene, {
        path: '/strict',
        scope: 'mcp:use mcp:admin',
      });
      expectInvalidToken(await scene.ask({ token, target: '/other' }), scene, { path: '/other', scope: '' });
    }
    const events = await before.hold({ forwarded: 10 });
    const counts = Map.groupBy(events, ({ reason }) => reason);
    expect([...counts].map(([reason, { length }]) => [reason, length])).toEqual([
      ['ok', 10],
      ['scope_insufficient', 10],
      ['token_audience', 10],
    ]);
  });

  it("A-049: a token that one authorization server's route took is refused where that server isn't trusted", async () => {
    const aud = [scene.resource(), scene.resource('/strict')];
    const token = scene.token({ claims: { aud, scope: 'mcp:use mcp:admin' } }, other());
    const before = await mark(scene);
    expect((await scene.ask({ token })).status).toBe(200);
    expectInvalidToken(await scene.ask({ token, target: '/strict' }), scene, {
      path: '/strict',
      scope: 'mcp:use mcp:admin',
    });
    expect((await scene.ask({ token })).status).toBe(200);
    await before.hold({ forwarded: 2, reasons: ['ok', 'issuer_not_trusted', 'ok'] });
  });
});

describe('one subject of two issuers', () => {
  it('A-032: are two people: the upstream and the audit are told the issuer', async () => {
    const tokens = [scene.token({ claims: { sub: '42' } }), scene.token({ claims: { sub: '42' } }, other())];
    const from = scene.upstream.requests.length;
    const before = await mark(scene);
    for (let round = 0; round < 3; round += 1)
      for (const token of tokens) expect((await scene.ask({ token })).status).toBe(200);
    const events = await before.hold({ forwarded: 6, reasons: ['ok'] });
    const issuers = [0, 1, 2].flatMap(() => scene.issuers.map(({ url }) => url));
    const seen = scene.upstream.requests.slice(from);
    expect(seen.map((request) => request.header('x-auth-issuer')[0])).toEqual(issuers);
    expect(events.map(({ principal }) => (principal as { issuer: string }).issuer)).toEqual(issuers);
  });
});
