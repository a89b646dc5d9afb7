/** Floods of requests without a good token, from one address and from very many (attack catalogue D-010, D-011). */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { metric } from '../integration/world.ts';
import { IntrospectionEndpoint } from '../support/introspection-endpoint.ts';
import { mark } from '../support/invariants.ts';
import { startIssuer } from '../support/issuer.ts';
import { eventually } from '../support/loopback.ts';
import { connectRaw } from '../support/raw-client.ts';
import type { RawResponse } from '../support/raw-response.ts';
import { mintKey } from '../support/signing-key.ts';
import { expectError, expectInvalidToken, expectNoCredentials } from './answers.ts';
import { protectedRoute, startScene, type Scene, type SceneOptions } from './scene.ts';

const limits = 'limits: { perAddress: { requests: 3, per: 1h } }\n';
const port = 'listen: { host: 127.0.0.1, port: $port, trustProxy: [127.0.0.1] }\n';

async function start(options: SceneOptions = {}): Promise<Scene> {
  return startScene({ routes: `${limits}${port}${protectedRoute}`, ...options });
}

function from(address: string): readonly string[] {
  return [`X-Forwarded-For: ${address}`];
}

function expectSlowDown(answer: RawResponse): void {
  expect(answer.status).toBe(429);
  expectError(answer, { code: 42900, message: 'Too many requests' });
  expect(Number(answer.header('retry-after')[0])).toBeGreaterThan(3000);
  expect(answer.header('www-authenticate')).toEqual([]);
}

/** A signature that someone has to look at before it is known to be wrong. */
function forged(scene: Scene): string {
  const { kid } = scene.issuer.key('ES256');
  return scene.token({ key: mintKey('ES256', kid) });
}

describe('an address that sends what is no good token', () => {
  it('D-010: is told to slow down, and costs no signature check any more', async () => {
    await using scene = await start();
    const before = await mark(scene);
    for (let index = 0; index < 3; index += 1)
      expectInvalidToken(await scene.ask({ token: forged(scene) }), scene);
    const failed = 'portcullis_token_signatures_total{outcome="failed"}';
    expect(await metric(scene.gateway, failed)).toBe(3);
    for (let index = 0; index < 20; index += 1) expectSlowDown(await scene.ask({ token: forged(scene) }));
    expectSlowDown(await scene.ask());
    expectSlowDown(await scene.ask({ lines: ['Authorization: Basic YTpi'] }));
    expect(await metric(scene.gateway, failed)).toBe(3);
    await before.hold({
      forwarded: 0,
      reasons: [
        ...Array.from({ length: 3 }, () => 'token_signature' as const),
        ...Array.from({ length: 22 }, () => 'address_rate' as const),
      ],
    });
    const series = 'portcullis_rate_limited_total{route="tools",limit="address"}';
    expect(await metric(scene.gateway, series)).toBe(22);
  });

  it('D-010: shuts out none of its neighbours whose token is known, nor other addresses', async () => {
    await using scene = await start();
    const known = scene.token({ key: 'ES256' });
    expect((await scene.ask({ token: known })).status).toBe(200);
    for (let index = 0; index < 3; index += 1) expectNoCredentials(await scene.ask(), scene);
    expectSlowDown(await scene.ask());
    for (let index = 0; index < 10; index += 1) expect((await scene.ask({ token: known })).status).toBe(200);
    // A token that nobody has looked at yet is the very thing that a flood consists of.
    const fresh = scene.token({ key: 'ES256' });
    expectSlowDown(await scene.ask({ token: fresh }));
    expect((await scene.ask({ token: fresh, lines: from('198.51.100.7') })).status).toBe(200);
    expect((await scene.ask({ token: fresh })).status).toBe(200);
    // What is public stays so: without it no one could log in.
    const metadata = '/.well-known/oauth-protected-resource/mcp';
    expect((await scene.ask({ method: 'GET', target: metadata })).status).toBe(200);
  });

  it('isn’t blamed for what its token lacks, or for an authorization server that is down', async () => {
    await using scene = await start();
    for (let index = 0; index < 10; index += 1)
      expect((await scene.ask({ token: scene.token({ key: 'ES256', claims: { scope: 'x' } }) })).status).toBe(
        403,
      );
    await scene.issuer.stop();
    for (let index = 0; index < 10; index += 1) {
      const token = scene.token({ header: { kid: 'new' }, key: 'ES256' });
      expect((await scene.ask({ token })).status).toBe(503);
    }
    expectNoCredentials(await scene.ask(), scene);
  });

  it('is let in again when the window is over', async () => {
    let now = Date.now();
    const issuer = await startIssuer({ algorithms: ['ES256'], now: () => Math.floor(now / 1000) });
    await using scene = await start({ issuers: [issuer], clock: () => now });
    for (let index = 0; index < 3; index += 1) await scene.ask();
    expectSlowDown(await scene.ask({ token: scene.token() }));
    now += 3_600_000;
    expect((await scene.ask({ token: scene.token() })).status).toBe(200);
  });

  it('D-010: has no more opaque tokens asked about, but those that were once active', async () => {
    const issuer = await startIssuer({ algorithms: ['ES256'] });
    const endpoint = new IntrospectionEndpoint(issuer);
    const servers = `authorizationServers:\n  - { name: as0, issuer: '${issuer.url}', introspection: { clientId: gateway, clientSecret: { env: SECRET }, cache: 0s } }`;
    await using scene = await start({ issuers: [issuer], servers, environment: { SECRET: 'x'.repeat(32) } });
    const known = endpoint.issue(scene.resource());
    expect((await scene.ask({ token: known })).status).toBe(200);
    const invented = (): string => randomBytes(24).toString('base64url');
    for (let index = 0; index < 3; index += 1)
      expectInvalidToken(await scene.ask({ token: invented() }), scene);
    const asked = endpoint.calls.length;
    for (let index = 0; index < 10; index += 1) expectSlowDown(await scene.ask({ token: invented() }));
    expect(endpoint.calls.length).toBe(asked);
    expect((await scene.ask({ token: known })).status).toBe(200);
    expect(endpoint.calls.length).toBe(asked + 1);
  });
});

describe('very many addresses', () => {
  /** That many requests over one connection; answers the statuses. */
  async function flood(scene: Scene, addresses: readonly string[]): Promise<ReadonlyMap<number, number>> {
    await using client = await connectRaw({ port: scene.gateway.port });
    const statuses = new Map<number, number>();
    for (let at = 0; at < addresses.length; at += 500) {
      const part = addresses.slice(at, at + 500);
      client.send(Buffer.concat(part.map((address) => scene.request({ lines: from(address) }))));
      for (let index = 0; index < part.length; index += 1) {
        const { status } = await client.response();
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }
    return statuses;
  }

  const held = (scene: Scene): Promise<number | undefined> =>
    metric(scene.gateway, 'portcullis_rate_windows_held{of="addresses"}');

  it('D-011: of one site count as one, however they rotate', async () => {
    await using scene = await start();
    const rotating = Array.from(
      { length: 1000 },
      (_, index) => `2001:db8:1:2:${index.toString(16)}:${(index * 7).toString(16)}::1`,
    );
    expect(await flood(scene, rotating)).toEqual(
      new Map([
        [401, 3],
        [429, 997],
      ]),
    );
    expect(await held(scene)).toBe(1);
    expectNoCredentials(await scene.ask({ lines: from('2001:db8:1:3::1') }), scene);
  });

  it('D-011: 10,000 of them leave no more than a number each, and what isn’t an address nothing', async () => {
    await using scene = await start();
    const addresses = Array.from({ length: 10_000 }, (_, index) => `10.${index >> 8}.${index & 255}.1`);
    expect(await flood(scene, addresses)).toEqual(new Map([[401, 10_000]]));
    expect(await held(scene)).toBe(10_000);
    const garbage = Array.from({ length: 500 }, (_, index) => `${index}-${'x'.repeat(500)}`);
    expect(await flood(scene, garbage)).toEqual(
      new Map([
        [401, 3],
        [429, 497],
      ]),
    );
    expect(await held(scene)).toBe(10_001);
    await eventually('they are audited', () => scene.gateway.audit.length === 10_500);
  });
});
