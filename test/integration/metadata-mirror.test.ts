/** The authorization server's metadata at the gateway's own origin, for clients of MCP 2025-03-26. */
import { describe, expect, it } from 'vitest';
import { startAuthorizationServer } from '../support/authorization-server.ts';
import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { reserveFreePort } from '../support/loopback.ts';
import { ask, json, only } from './world.ts';

const bare = '/.well-known/oauth-authorization-server';

interface Options {
  readonly top?: string;
  readonly base?: string;
  readonly clock?: () => number;
}

/** Two authorization servers, two protected routes and an open one. */
async function startMirror(
  issuers: readonly [Issuer, Issuer],
  { top = 'discovery: { mirror: corp }', base = '', clock = Date.now }: Options = {},
): Promise<RunningGateway> {
  const port = await reserveFreePort();
  const [corp, other] = issuers;
  const server = ({ url, jwksUri }: Issuer, name: string): string =>
    `{ name: ${name}, issuer: '${url}', jwksUri: '${jwksUri}', keys: { timeout: 300ms } }`;
  return startGateway(
    `publicUrl: http://localhost:${port}${base}
${top}
authorizationServers: [${server(corp, 'corp')}, ${server(other, 'other')}]
routes:
  - { path: /tools, upstream: 'http://localhost:1/mcp' }
  - { path: /apart, authorizationServers: [other], upstream: 'http://localhost:1/mcp' }
  - { path: /hidden, discovery: off, upstream: 'http://localhost:1/mcp' }
  - { path: /open, access: open, upstream: 'http://localhost:1/mcp' }
`,
    { port, clock },
  );
}

type TwoIssuers = readonly [Issuer, Issuer] & AsyncDisposable;

async function twoIssuers(): Promise<TwoIssuers> {
  const corp = await startIssuer({ algorithms: ['ES256'], path: '/corp' });
  const other = await startIssuer({ algorithms: ['ES256'] });
  const closeBoth = async (): Promise<void> => void (await Promise.all([corp.close(), other.close()]));
  return Object.assign([corp, other] as const, { [Symbol.asyncDispose]: closeBoth });
}

/** Spelt in a way that no serialiser of ours would choose. */
function oddly(issuer: Issuer): string {
  return `{\r\n  "issuer" : "${issuer.url.replaceAll('/', '\\/')}",\n\t"jwks_uri":"${issuer.jwksUri}",
  "scopes_supported":["a\\"b","\\u00e9","offline_access"], "big": 12345678901234567890, "one": 1.0,
  "nested": { "z": null, "a": [ ] }, "ünïcode": "✓"}\n`;
}

describe('W12 discovery.mirror', () => {
  it('is the authorization server’s document byte for byte, for any page, without a token (W12)', async () => {
    await using issuers = await twoIssuers();
    const [corp] = issuers;
    const document = oddly(corp);
    corp.behave(corp.paths.oauth, { body: document });
    await using gateway = await startMirror(issuers);
    for (const target of [bare, `${bare}/tools`]) {
      const response = await ask(gateway.port, { method: 'GET', target });
      expect(response.status).toBe(200);
      expect(response.body.equals(Buffer.from(document))).toBe(true);
      expect(only(response, 'content-type')).toMatch(/^application\/json/);
      expect(only(response, 'access-control-allow-origin')).toBe('*');
      const head = await ask(gateway.port, { method: 'HEAD', target });
      expect([head.status, head.body.length]).toEqual([200, 0]);
      expect(only(head, 'content-length')).toBe(String(Buffer.byteLength(document)));
      const preflight = await ask(gateway.port, {
        method: 'OPTIONS',
        target,
        headers: [
          ['Origin', 'https://anywhere.example'],
          ['Access-Control-Request-Method', 'GET'],
          ['Access-Control-Request-Headers', 'mcp-protocol-version'],
        ],
      });
      expect(preflight.status).toBe(204);
      expect(only(preflight, 'access-control-allow-origin')).toBe('*');
      expect(only(preflight, 'access-control-allow-headers')).toBe('mcp-protocol-version');
    }
  });

  it('has every member of a real authorization server’s document, the true issuer among them (W12)', async () => {
    await using server = await startAuthorizationServer({ path: '/realms/corp' });
    await using gateway = await startGateway(`
authorizationServers: [{ name: corp, issuer: '${server.issuer}' }]
discovery: { mirror: corp }
routes: [{ path: /mcp, upstream: 'http://localhost:1/mcp' }]
`);
    const told = await fetch(`${server.origin}/.well-known/oauth-authorization-server/realms/corp`);
    const mirrored = await fetch(`${gateway.url}${bare}`);
    expect(mirrored.status).toBe(200);
    const text = await mirrored.text();
    expect(text).toBe(await told.text());
    expect(JSON.parse(text)).toMatchObject({ issuer: server.issuer });
  });

  it('is served for the paths of routes that take the server’s tokens, and 404 JSON everywhere else (W12)', async () => {
    await using issuers = await twoIssuers();
    await using gateway = await startMirror(issuers, { base: '/base' });
    for (const target of [bare, `${bare}/base`, `${bare}/base/tools`, `${bare}/base/tools?x=1`])
      expect([target, (await ask(gateway.port, { method: 'GET', target })).status]).toEqual([target, 200]);
    for (const target of [
      `${bare}/`,
      `${bare}/tools`,
      `${bare}/base/apart`,
      `${bare}/base/hidden`,
      `${bare}/base/open`,
      `${bare}/base/tools/`,
      `${bare}/corp`,
      '/.well-known/openid-configuration',
      '/.well-known/openid-configuration/base/tools',
      '/base/.well-known/oauth-authorization-server',
    ]) {
      const response = await ask(gateway.port, { method: 'GET', target });
      expect([target, response.status]).toEqual([target, 404]);
      expect(json(response)).toMatchObject({ error: { code: 40400 } });
      expect(response.header('www-authenticate')).toEqual([]);
    }
  });

  it('is off unless the file asks for it: 404 JSON, and no one is asked (W12)', async () => {
    await using issuers = await twoIssuers();
    await using gateway = await startMirror(issuers, { top: '' });
    for (const target of [bare, `${bare}/tools`]) {
      for (const method of ['GET', 'HEAD']) {
        const response = await ask(gateway.port, { method, target });
        expect([response.status, only(response, 'access-control-allow-origin')]).toEqual([404, '*']);
        expect(only(response, 'content-type')).toMatch(/^application\/json/);
      }
    }
    expect(issuers[0].hits(issuers[0].paths.oauth)).toBe(0);
  });

  it('follows the server’s document after five minutes, and keeps the old one while the server is down (W12)', async () => {
    await using issuers = await twoIssuers();
    const [corp] = issuers;
    let now = Date.now();
    await using gateway = await startMirror(issuers, { clock: () => now });
    const mirrored = async (): Promise<unknown> => {
      const response = await ask(gateway.port, { method: 'GET', target: bare });
      expect(response.status).toBe(200);
      return (json(response) as Record<string, unknown>)['version'];
    };
    corp.describe({ version: 1 });
    expect(await mirrored()).toBe(1);
    corp.describe({ version: 2 });
    now += 299_000;
    expect(await mirrored()).toBe(1);
    expect(corp.hits(corp.paths.oauth)).toBe(1);
    now += 2_000;
    expect(await mirrored()).toBe(2);
    for (const path of Object.values(corp.paths)) corp.behave(path, 'reset');
    now += 3_600_000;
    expect(await mirrored()).toBe(2);
  });

  it.each(['reset', 'hang', { status: 500 }, { body: { issuer: 'https://evil.example' } }] as const)(
    'of a server that was never heard is 503 with Retry-After, for any page to read, and never a made-up document (W12): %j',
    async (behaviour) => {
      await using issuers = await twoIssuers();
      const [corp] = issuers;
      for (const path of [corp.paths.oauth, corp.paths.openid, corp.paths.openidAppended])
        corp.behave(path, behaviour);
      await using gateway = await startMirror(issuers);
      const response = await ask(gateway.port, { method: 'GET', target: bare });
      expect(response.status).toBe(503);
      expect(Number(only(response, 'retry-after'))).toBeGreaterThan(0);
      expect(json(response)).toMatchObject({ error: { code: 50300 } });
      expect(only(response, 'access-control-allow-origin')).toBe('*');
      expect(response.body.toString()).not.toMatch(/evil|localhost/);
      const event = await gateway.auditEvent(({ status }) => status === 503);
      expect(event).toMatchObject({ reason: 'metadata_unavailable' });
      const log = gateway.log.find((line) => line['requestId'] === event.requestId);
      expect(log?.['detail']).toContain(corp.origin);
      for (const path of [corp.paths.oauth, corp.paths.openid, corp.paths.openidAppended])
        corp.behave(path, 'normal');
      expect((await ask(gateway.port, { method: 'GET', target: bare })).status).toBe(200);
    },
  );

  it.each([
    ['discovery: { mirror: crop }', 'discovery.mirror: found "crop", expected one of corp, other'],
    ['discovery: {}', 'discovery.mirror: found nothing'],
    ['discovery: { mirror: [corp] }', 'discovery.mirror: found a list'],
  ])('that names no server is a fault: %s (W12)', async (top, says) => {
    await using issuers = await twoIssuers();
    await expect(startMirror(issuers, { top })).rejects.toThrow(says);
  });
});
