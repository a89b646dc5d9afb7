/** Metadata that speaks for someone else, or leads elsewhere (attack catalogue as far as documents go). */
import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mark } from '../support/invariants.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { closeServer, eventually, host, listenOnLoopback } from '../support/loopback.ts';
import { mintKey } from '../support/signing-key.ts';
import { expectError, expectInvalidToken } from './answers.ts';
import { startScene, type Scene } from './scene.ts';

/** Milliseconds that the gateways' clock is ahead. */
let aheadMs = 0;
/** Publishes the attacker's key, and counts who comes. */
let canary: { readonly url: string; hits: number; close(): Promise<void> };
const attacker = mintKey('ES256', 'attacker');

beforeAll(async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: [attacker.publicJwk] }));
  });
  server.on('connection', () => (canary.hits += 1));
  const port = await listenOnLoopback(server);
  canary = { url: `http://${host}:${port}`, hits: 0, close: () => closeServer(server) };
});

beforeEach(() => {
  canary.hits = 0;
});

afterAll(() => canary.close());

function startTimedIssuer(path: string): Promise<Issuer> {
  const now = (): number => Math.floor((Date.now() + aheadMs) / 1000);
  return startIssuer({ path, algorithms: ['ES256'], now });
}

/** A gateway whose first authorization server is as `spoil` makes it, beside a healthy one. */
async function startSpoilt(spoil: (issuer: Issuer) => void, path = '/realms/corp'): Promise<Scene> {
  const issuers = [await startTimedIssuer(path), await startTimedIssuer('/healthy')];
  const [first] = issuers;
  if (first !== undefined) spoil(first);
  return startScene({ issuers, clock: () => Date.now() + aheadMs });
}

/** Its tokens get 503, nobody else's do, no key of its documents is asked for. */
async function expectUnusable(scene: Scene): Promise<void> {
  const [spoilt, healthy] = scene.issuers;
  const before = await mark(scene);
  for (const token of [scene.token(), scene.token({ key: attacker })]) {
    const answer = await scene.ask({ token });
    expect(answer.status).toBe(503);
    expect(answer.header('retry-after')).toHaveLength(1);
    expect(answer.header('www-authenticate')).toEqual([]);
    expectError(answer, { code: 50300, message: 'The authorization server is unavailable' });
  }
  expect((await scene.ask({ token: scene.token({}, healthy) })).status).toBe(200);
  await before.hold({ forwarded: 1, reasons: ['keys_unavailable', 'keys_unavailable', 'ok'] });
  expect(spoilt?.hits(spoilt.paths.jwks)).toBe(0);
  expect(canary.hits).toBe(0);
  expect(scene.gateway.log).toContainEqual(
    expect.objectContaining({ level: 'warn', msg: expect.stringContaining('as0') as string }),
  );
}

describe('metadata of another issuer', () => {
  const spellings: readonly (readonly [string, (url: string) => unknown])[] = [
    ['with a slash at its end', (url) => `${url}/`],
    ['in another case', (url) => url.replace('corp', 'CORP')],
    ['with its host in another case', (url) => url.replace(host, 'LocalHost')],
    ['at the same address by number', (url) => url.replace(host, '127.0.0.1')],
    ['on another host', () => 'https://login.example.evil/realms/corp'],
    ['of another realm', (url) => url.replace('corp', 'other')],
    ['with a space', (url) => `${url} `],
    ['with a dot segment', (url) => url.replace('/corp', '/x/../corp')],
    ['with an escape', (url) => url.replace('corp', '%63orp')],
    ['with a query', (url) => `${url}?`],
    ['as a list', (url) => [url]],
    ['as an object', (url) => ({ [url]: true })],
    ['as nothing', () => null],
    ['that is missing', () => undefined],
  ];

  it.each(spellings)('A-066: %s makes the server unusable, and is never adopted', async (_name, spelling) => {
    // All else is as it should be: its keys are at home.
    await using scene = await startSpoilt((issuer) => issuer.describe({ issuer: spelling(issuer.url) }));
    await expectUnusable(scene);
    const said = spelling(scene.issuer.url);
    if (typeof said !== 'string') return;
    const before = await mark(scene);
    for (const key of [attacker, scene.issuer.key('ES256')])
      expectInvalidToken(await scene.ask({ token: scene.token({ key, claims: { iss: said } }) }), scene);
    await before.hold({ forwarded: 0, reasons: ['issuer_not_trusted'] });
  });

  it('A-066: in the first of documents that disagree is the end; the others are not shopped among', async () => {
    await using scene = await startSpoilt((issuer) => {
      const body = { issuer: 'https://login.example.evil', jwks_uri: `${canary.url}/jwks` };
      issuer.behave(issuer.paths.oauth, { body });
    });
    await expectUnusable(scene);
  });

  it('A-066: behind a first document that agrees changes nothing', async () => {
    await using scene = await startSpoilt((issuer) => {
      const body = { issuer: 'https://login.example.evil', jwks_uri: `${canary.url}/jwks` };
      issuer.behave(issuer.paths.openid, { body });
      issuer.behave(issuer.paths.openidAppended, { body });
    });
    const before = await mark(scene);
    expect((await scene.ask({ token: scene.token() })).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
    expect(canary.hits).toBe(0);
  });

  it('A-066: that appears later leaves the held keys in force, and its own are never fetched', async () => {
    await using scene = await startSpoilt(() => {});
    const { issuer } = scene;
    expect((await scene.ask({ token: scene.token() })).status).toBe(200);
    issuer.describe({ issuer: `${issuer.url}/`, jwks_uri: `${canary.url}/jwks` });
    // Past the ages of metadata and keys.
    aheadMs += 3_700_000;
    const before = await mark(scene);
    const asked = issuer.hits(issuer.paths.oauth);
    expect((await scene.ask({ token: scene.token() })).status).toBe(200);
    await eventually('the metadata is asked for again', () => issuer.hits(issuer.paths.oauth) > asked);
    aheadMs += 31_000;
    expect((await scene.ask({ token: scene.token({ key: attacker }) })).status).not.toBe(200);
    expect((await scene.ask({ token: scene.token() })).status).toBe(200);
    await before.hold({ forwarded: 2 });
    expect(canary.hits).toBe(0);
  });
});

describe('metadata that leads elsewhere', () => {
  const jwks = encodeURIComponent(JSON.stringify({ keys: [attacker.publicJwk] }));
  const addresses: readonly (readonly [string, (issuer: Issuer) => unknown])[] = [
    ['data', () => `data:application/json,${jwks}`],
    ['a file', () => 'file:///etc/passwd'],
    ['a blob', () => 'blob:http://localhost/x'],
    ['a script', () => 'javascript:1'],
    ['ftp', () => `ftp://${host}/jwks`],
    ['no URL', () => 'jwks'],
    ['a path', (issuer) => issuer.paths.jwks],
    ['a URL without a scheme', (issuer) => `//${new URL(issuer.url).host}/jwks`],
    ['nothing', () => ''],
    ['null', () => null],
    ['a list', (issuer) => [issuer.jwksUri]],
    ['an object', (issuer) => ({ href: issuer.jwksUri, toString: issuer.jwksUri })],
    ['a number', () => 7],
    ['plain http on another port', () => `${canary.url}/jwks`],
    ['plain http at the same address by number', () => `${canary.url.replace(host, '127.0.0.1')}/jwks`],
    ['credentials in the address', (issuer) => issuer.jwksUri.replace('//', '//user:pass@')],
    [
      'its own host as user name',
      (issuer) => `http://${new URL(issuer.url).host}@${canary.url.slice(7)}/jwks`,
    ],
    ['its own host behind a backslash', (issuer) => `${canary.url}\\@${new URL(issuer.url).host}/jwks`],
  ];

  it.each(addresses)(
    'A-067: %s as jwks_uri is asked for nothing; the server is unusable',
    async (_name, jwksUri) => {
      await using scene = await startSpoilt((issuer) => issuer.describe({ jwks_uri: jwksUri(issuer) }));
      await expectUnusable(scene);
    },
  );

  it.each([301, 302, 303, 307, 308])(
    'A-067: a redirect (%i) is followed neither for metadata nor for keys, not even at home',
    async (status) => {
      for (const to of [`${canary.url}/jwks`, '/healthy/jwks']) {
        await using scene = await startSpoilt((issuer) => {
          issuer.behave(issuer.paths.jwks, { status, headers: { location: to }, body: '' });
        });
        const before = await mark(scene);
        for (const key of [attacker, scene.issuer.key('ES256')])
          expect((await scene.ask({ token: scene.token({ key }) })).status).toBe(503);
        await before.hold({ forwarded: 0, reasons: ['keys_unavailable'] });
        await using lost = await startSpoilt((issuer) => {
          for (const path of [issuer.paths.oauth, issuer.paths.openid, issuer.paths.openidAppended])
            issuer.behave(path, { status, headers: { location: to }, body: '' });
        });
        await expectUnusable(lost);
      }
      expect(canary.hits).toBe(0);
    },
  );

  it('A-066: members of a prototype are no metadata, nor is JSON that is no object', async () => {
    for (const text of [
      (issuer: Issuer) => `{"__proto__":{"issuer":"${issuer.url}","jwks_uri":"${canary.url}/jwks"}}`,
      (issuer: Issuer) => `[{"issuer":"${issuer.url}","jwks_uri":"${issuer.jwksUri}"}]`,
      (issuer: Issuer) => `"${issuer.url}"`,
      () => 'null',
      () => '{}',
    ]) {
      await using scene = await startSpoilt((issuer) => {
        for (const path of [issuer.paths.oauth, issuer.paths.openid, issuer.paths.openidAppended])
          issuer.behave(path, { body: text(issuer) });
      });
      await expectUnusable(scene);
    }
  });
});
