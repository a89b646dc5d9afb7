import { beforeEach, describe, expect, it } from 'vitest';

import type { AuthorizationServer } from '../config/configuration.ts';
import type { KeyFetch } from '../vocabulary/observer.ts';
import type { FoundKeys } from './key-set.ts';
import { KeySet } from './key-set.ts';
import type { SigningKey } from './signing-key.ts';
import { readSigningKeys } from './signing-key.ts';

const minute = 60_000;
const server = {
  name: 'as',
  keys: { ttl: 60 * minute, cooldown: 30_000, maxStale: 60 * minute, timeout: 5000 },
} as AuthorizationServer;

/** An authorization server that publishes what the test says, at the time the test says. */
interface Publisher {
  now: number;
  kids: readonly string[];
  down: boolean;
  fetches: number;
  reports: KeyFetch[];
  hold: Promise<void> | undefined;
}

let publisher: Publisher;
let keys: KeySet;

beforeEach(() => {
  publisher = { now: 1_000_000, kids: ['a'], down: false, fetches: 0, reports: [], hold: undefined };
  keys = new KeySet(server, {
    clock: () => publisher.now,
    load: async () => {
      publisher.fetches += 1;
      const { kids } = publisher;
      await publisher.hold;
      return publisher.down ? { ok: false, detail: 'down' } : { ok: true, keys: keysNamed(kids) };
    },
    onFetch: (report) => publisher.reports.push(report),
  });
});

function keysNamed(kids: readonly string[]): SigningKey[] {
  return readSigningKeys({ keys: kids.map((kid) => ({ kty: 'RSA', kid, n: `n-${kid}`, e: 'AQAB' })) }) ?? [];
}

const outcome = async (kid: string | undefined): Promise<string> => {
  const found: FoundKeys = await keys.find(kid, 'RS256');
  return found.outcome === 'unavailable' ? `${found.reason} ${found.retryAfterSeconds}` : found.outcome;
};

describe('the key set (A12, A13)', () => {
  it('asks once for fifty that come at once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcome('a')));
    expect(new Set(outcomes)).toEqual(new Set(['found']));
    expect(publisher.fetches).toBe(1);
  });

  it('answers at once for a key that it holds', async () => {
    await keys.ask();
    expect(keys.find('a', 'RS256')).not.toBeInstanceOf(Promise);
  });

  it('asks at most once in a cool-down, whatever a hundred invented kids say (A-060)', async () => {
    await keys.ask();
    for (let index = 0; index < 100; index += 1) {
      expect(await outcome(`invented-${index}`)).toBe('key_lookup_cooling_down 30');
    }
    expect(publisher.fetches).toBe(1);
    publisher.now += 30_000;
    expect(await outcome('invented-1')).toBe('unknown');
    expect(publisher.fetches).toBe(2);
    expect(await outcome('invented-2')).toBe('unknown');
    expect(publisher.fetches).toBe(2);
  });

  it('never calls the key of a rotation unknown (A-059)', async () => {
    await keys.ask();
    publisher.kids = ['a', 'b'];
    publisher.now += 10_000;
    expect(await outcome('b')).toBe('key_lookup_cooling_down 20');
    publisher.now += 20_000;
    expect(await outcome('b')).toBe('found');
    expect(publisher.fetches).toBe(2);
  });

  it('drops what was verified with a key that is no longer published', async () => {
    await keys.ask();
    const found = await keys.find('a', 'RS256');
    const key = found.outcome === 'found' ? found.keys[0] : undefined;
    if (key === undefined) throw new Error('expected a key');
    publisher.now += 30_000;
    await keys.ask();
    expect(keys.holds(key)).toBe(true);
    publisher.kids = ['b'];
    await keys.ask();
    expect(keys.holds(key)).toBe(false);
  });

  it('calls a key unknown at once that it held and that is no longer published', async () => {
    await keys.ask();
    publisher.kids = ['b'];
    publisher.now += 30_000;
    expect(await outcome('b')).toBe('found');
    expect(await outcome('a')).toBe('unknown');
  });

  it('serves the last keys while the server is down, and only for so long (A-061)', async () => {
    await keys.ask();
    publisher.down = true;
    publisher.now += 119 * minute;
    expect(await outcome('a')).toBe('found');
    publisher.now += 2 * minute;
    expect(await outcome('a')).toMatch(/^keys_unavailable/);
    publisher.down = false;
    publisher.now += minute;
    expect(await outcome('a')).toBe('found');
  });

  it('is unavailable, not ignorant, where it never had keys', async () => {
    publisher.down = true;
    expect(await outcome('a')).toBe('keys_unavailable 30');
    expect(await outcome('a')).toBe('keys_unavailable 30');
    expect(publisher.fetches).toBe(1);
    expect(publisher.reports).toMatchObject([{ outcome: 'failure', keys: 0, detail: 'down' }]);
  });

  it('waits no longer than two seconds for a slow server (A-062)', async () => {
    publisher.hold = new Promise(() => {});
    const startedAt = performance.now();
    expect(await outcome('a')).toMatch(/^keys_unavailable/);
    expect(performance.now() - startedAt).toBeLessThan(4000);
  });

  it('refreshes old keys behind the back of requests', async () => {
    await keys.ask();
    publisher.now += 60 * minute;
    expect(await outcome('a')).toBe('found');
    await keys.ask();
    expect(publisher.fetches).toBe(2);
    expect(keys.ageMs).toBe(0);
  });

  it('takes a token without a kid for that of the only fitting key, and never tries all', async () => {
    await keys.ask();
    expect(await outcome(undefined)).toBe('found');
    publisher.kids = ['a', 'b'];
    await keys.ask();
    publisher.now += 30_000;
    expect(await outcome(undefined)).toBe('unknown');
  });
});

describe('signing keys', () => {
  it('passes over keys that cannot verify an access token', () => {
    const read = readSigningKeys({
      keys: [
        { kty: 'oct', k: 'AA', kid: 'h' },
        { kty: 'RSA', use: 'enc', kid: 'e' },
        { kty: 'RSA', kid: 7 },
        null,
        'x',
        { kty: 'EC', crv: 'P-256', kid: 'ok' },
      ],
    });
    expect(read?.map(({ kid }) => kid)).toEqual(['ok']);
  });

  it.each([
    undefined,
    null,
    [],
    {},
    { keys: {} },
    { keys: Array.from({ length: 101 }, () => ({ kty: 'RSA' })) },
  ])('takes no key set from %j', (document) => {
    expect(readSigningKeys(document)).toBeUndefined();
  });
});
