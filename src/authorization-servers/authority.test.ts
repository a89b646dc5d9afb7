import { setTimeout as sleep } from 'node:timers/promises';

import { beforeEach, describe, expect, it } from 'vitest';

import type { AuthorizationServer, Configuration } from '../config/configuration.ts';
import type { KeyFetch, Observer } from '../vocabulary/observer.ts';
import { Authorities } from './authority.ts';

const base = {
  name: 'corp',
  issuers: ['https://as.example'],
  allowHosts: [],
  keys: { ttl: 3_600_000, cooldown: 30_000, maxStale: 3_600_000, timeout: 60_000 },
} as unknown as AuthorizationServer;

const serverOf = (tenant: string): AuthorizationServer => ({
  ...base,
  tenant,
  issuers: [`https://as.example/t/${tenant}`],
});

let now: number;
let asked: string[];
let reports: KeyFetch[];
let known: (tenant: string) => boolean;
let authorities: Authorities;

/** Metadata and keys of every tenant that is known. */
function answer(url: string): Response {
  const { pathname } = new URL(url);
  const tenant = /\/t\/([^/]+)/.exec(pathname)?.[1] ?? '';
  if (!known(tenant)) return new Response('', { status: 404 });
  const issuer = `https://as.example/t/${tenant}`;
  if (pathname.endsWith('/keys'))
    return Response.json({ keys: [{ kty: 'EC', crv: 'P-256', kid: tenant, x: 'x', y: 'y' }] });
  return Response.json({ issuer, jwks_uri: `${issuer}/keys` });
}

function makeAuthorities(): Authorities {
  const configuration = { authorizationServers: [base] } as unknown as Configuration;
  const observer: Pick<Observer, 'keysFetched'> = { keysFetched: (report) => void reports.push(report) };
  return new Authorities(configuration, {
    clock: () => now,
    observer: observer as Observer,
    fetch(url) {
      asked.push(url);
      return Promise.resolve(answer(url));
    },
  });
}

beforeEach(() => {
  now = 1_000_000;
  asked = [];
  reports = [];
  known = (tenant) => !tenant.startsWith('invented');
  authorities = makeAuthorities();
});

async function outcome(tenant: string): Promise<string> {
  const found = await authorities.of(serverOf(tenant)).keys.find(tenant, 'ES256');
  return found.outcome === 'unavailable' ? `${found.reason} ${found.retryAfterSeconds}` : found.outcome;
}

/** Until what was answered has been read. */
const settled = (): Promise<void> => sleep(50);

describe('the authorities', () => {
  it('are those of the configuration, and no other server has one', () => {
    expect(authorities.of(base).server).toBe(base);
    expect(() => authorities.of({ ...base })).toThrow(/isn't in the configuration/);
    expect(authorities.configured).toHaveLength(1);
  });

  it('of tenants are fetched when they are needed, and kept (W04)', async () => {
    expect(await outcome('a')).toBe('found');
    expect(await outcome('a')).toBe('found');
    expect(asked).toEqual([
      'https://as.example/.well-known/oauth-authorization-server/t/a',
      'https://as.example/t/a/keys',
    ]);
    expect(reports).toMatchObject([{ authorizationServer: 'corp', outcome: 'success', keys: 1 }]);
  });

  it('of tenants cause ten fetches in a second in all, seven of them for new ones; who is too many hears when to come again (W04)', async () => {
    const all = Promise.all(Array.from({ length: 200 }, (_, at) => outcome(`invented-${at}`)));
    expect(await outcome('good')).toBe('keys_unavailable 1');
    expect(asked).toHaveLength(7);
    // Those that have begun go first, each to three addresses; then it is the next one's turn.
    for (const [seconds, fetched] of [14, 21].entries()) {
      await settled();
      now = 1_000_000 + 1000 * (seconds + 1);
      expect(await outcome('good')).toBe('keys_unavailable 1');
      await expect.poll(() => asked.length, { timeout: 10_000 }).toBe(fetched);
    }
    const outcomes = await all;
    expect(outcomes.filter((text) => text === 'keys_unavailable 1')).toHaveLength(193);
    await settled();
    expect(asked).toHaveLength(21);
    now += 1000;
    expect(await outcome('good')).toBe('found');
  });

  it('of tenants that have answered are asked for again through any flood of invented ones (W04)', async () => {
    for (const tenant of ['a', 'b', 'c']) {
      expect(await outcome(tenant)).toBe('found');
      now += 1000;
    }
    now += 7_200_000;
    const flood: Promise<string>[] = [];
    const inTheFlood = async (): Promise<readonly string[]> => {
      now += 1000;
      for (let at = 0; at < 50; at += 1) flood.push(outcome(`invented-${now}-${at}`));
      return Promise.all(['a', 'b', 'c'].map(outcome));
    };
    await expect.poll(inTheFlood, { timeout: 10_000 }).toEqual(['found', 'found', 'found']);
    now += 60_000;
    await Promise.all(flood);
  });

  it('of tenants that do not exist are asked for once in a cool-down (W04)', async () => {
    expect(await outcome('invented')).toBe('keys_unavailable 30');
    const before = asked.length;
    now += 29_000;
    for (let at = 0; at < 20; at += 1) expect(await outcome('invented')).toBe('keys_unavailable 1');
    expect(asked).toHaveLength(before);
    now += 1000;
    await outcome('invented');
    expect(asked).toHaveLength(2 * before);
  });

  it('of tenants whose metadata failed are not asked for it again in the cool-down, whoever wants it (W04)', async () => {
    const { metadata } = authorities.of(serverOf('invented'));
    for (let at = 0; at < 5; at += 1) expect(await metadata.get()).toMatchObject({ failure: 'bad_status' });
    expect(asked).toHaveLength(3);
    now += 30_000;
    known = () => true;
    expect(await metadata.get()).toMatchObject({ ok: true });
    expect(asked).toHaveLength(4);
  });

  it('of tenants stay few through 10,000 invented ones, and the good one stays (W04)', async () => {
    expect(await outcome('good')).toBe('found');
    const good = authorities.of(serverOf('good'));
    for (let at = 0; at < 10_000; at += 1) {
      now += 500;
      void authorities.of(serverOf(`invented-${at}`)).keys.find('k', 'ES256');
      if (at % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(authorities.tenantsHeld).toBeLessThanOrEqual(2100);
    expect(authorities.of(serverOf('good'))).toBe(good);
    const askedForGood = asked.filter((url) => url.includes('/t/good'));
    expect(askedForGood).toHaveLength(2);
  });

  it('of tenants have no timers', async () => {
    let timers = 0;
    const timed = new Authorities({ authorizationServers: [base] } as unknown as Configuration, {
      clock: () => now,
      observer: { keysFetched: () => undefined } as unknown as Observer,
      fetch: (url) => Promise.resolve(answer(url)),
      startTimer: () => {
        timers += 1;
        return () => {
          timers -= 1;
        };
      },
    });
    await timed.of(serverOf('a')).keys.ask();
    expect(timers).toBe(0);
    await timed.askNew();
    expect(timers).toBe(1);
    timed.close();
    expect(timers).toBe(0);
  });
});
