import { beforeEach, describe, expect, it } from 'vitest';

import type { Algorithm, AuthorizationServer } from '../../config/configuration.ts';
import type { KeyFetch } from '../../vocabulary/observer.ts';
import { KeyIndex } from './key-index.ts';
import type { FoundKeys, KeySetPorts } from './key-set.ts';
import { KeySet } from './key-set.ts';
import type { StartTimer } from './refresh-timer.ts';
import { refreshAfterMs } from './refresh-timer.ts';
import type { SigningKey } from './signing-key.ts';
import { readSigningKeys } from './signing-key.ts';

const minute = 60_000;
const server = {
  name: 'as',
  leeway: 5,
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
  mayAsk: boolean;
  /** The one timer that runs; in milliseconds from when it was started. */
  timer: { readonly afterMs: number; readonly run: () => void } | undefined;
  timers: number;
}

let publisher: Publisher;
let keys: KeySet;

beforeEach(() => {
  publisher = {
    now: 1_000_000,
    kids: ['a'],
    down: false,
    fetches: 0,
    reports: [],
    hold: undefined,
    mayAsk: true,
    timer: undefined,
    timers: 0,
  };
  keys = keySet();
});

function keySet(more: Partial<KeySetPorts> = {}): KeySet {
  return new KeySet(server, {
    clock: () => publisher.now,
    load: async () => {
      publisher.fetches += 1;
      const { kids } = publisher;
      await publisher.hold;
      return publisher.down
        ? { ok: false, failure: 'unreachable', detail: 'down' }
        : { ok: true, keys: keysNamed(kids) };
    },
    onFetch: (report) => publisher.reports.push(report),
    mayAsk: () => publisher.mayAsk,
    ...more,
  });
}

const startTimer: StartTimer = (afterMs, run) => {
  const timer = { afterMs, run };
  publisher.timer = timer;
  publisher.timers += 1;
  return () => {
    if (publisher.timer === timer) publisher.timer = undefined;
  };
};

function keysNamed(kids: readonly string[]): SigningKey[] {
  return readSigningKeys({ keys: kids.map((kid) => ({ kty: 'RSA', kid, n: `n-${kid}`, e: 'AQAB' })) }) ?? [];
}

const outcome = async (kid: string | undefined, issuedAtMs?: number): Promise<string> => {
  const found: FoundKeys = await keys.find(kid, 'RS256', issuedAtMs);
  return found.outcome === 'unavailable' ? `${found.reason} ${found.retryAfterSeconds}` : found.outcome;
};

describe('the key set (A12, A13)', () => {
  it('asks once for fifty that come at once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcome('a')));
    expect(new Set(outcomes)).toEqual(new Set(['found']));
    expect(publisher.fetches).toBe(1);
  });

  it('takes the word of a server that has never had any, and not of one that had', async () => {
    publisher.kids = [];
    await keys.ask();
    expect(publisher.reports.at(-1)).toMatchObject({ outcome: 'success', keys: 0 });
    publisher.now += 30_000;
    expect(await outcome('invented')).toBe('unknown');
    publisher.kids = ['a'];
    publisher.now += 30_000;
    expect(await outcome('a')).toBe('found');
    publisher.kids = [];
    publisher.now += 60 * minute;
    await keys.ask();
    expect(publisher.reports.at(-1)).toMatchObject({ outcome: 'invalid', keys: 1 });
    expect(await outcome('a')).toBe('found');
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

  it('forgets only the kids that were seen longest ago, however many are invented', async () => {
    await keys.ask();
    publisher.now += 10_000;
    await outcome('old');
    for (let at = 0; at < 1500; at += 1) {
      await outcome(`invented-${at}`);
      if (at % 500 === 0) await outcome('seen now and then');
    }
    publisher.now += 20_000;
    expect(await outcome('another')).toBe('unknown');
    // Seen before that fetch began, so it is known to be missing; what was forgotten is new again.
    expect(await outcome('seen now and then')).toBe('unknown');
    expect(await outcome('invented-1499')).toBe('unknown');
    expect(await outcome('old')).toBe('key_lookup_cooling_down 30');
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

  it('never calls it unknown because someone had named it before it was published (A-059)', async () => {
    await keys.ask();
    publisher.now += 30_000;
    expect(await outcome('b', publisher.now)).toBe('unknown');
    // What that fetch brought is no news of a token that was issued after it began.
    publisher.kids = ['a', 'b'];
    publisher.now += 10_000;
    expect(await outcome('b', publisher.now - 1000)).toBe('key_lookup_cooling_down 20');
    expect(await outcome('b', publisher.now - 10_000)).toBe('unknown');
    publisher.now += 20_000;
    expect(await outcome('b', publisher.now - 21_000)).toBe('found');
    expect(publisher.fetches).toBe(3);
  });

  it('settles with one more fetch whether a young token has a key, and asks no more often for it (A-060)', async () => {
    await keys.ask();
    publisher.now += 30_000;
    await outcome('b', publisher.now);
    publisher.now += 10_000;
    const issuedAtMs = publisher.now;
    for (let index = 0; index < 100; index += 1)
      expect(await outcome('b', issuedAtMs)).toBe('key_lookup_cooling_down 20');
    expect(publisher.fetches).toBe(2);
    publisher.now += 20_000;
    expect(await outcome('b', issuedAtMs)).toBe('unknown');
    expect(await outcome('b', issuedAtMs)).toBe('unknown');
    expect(publisher.fetches).toBe(3);
  });

  it('takes no token for young that says it comes from the future, beyond the leeway', async () => {
    await keys.ask();
    publisher.now += 30_000;
    await outcome('b');
    expect(await outcome('b', publisher.now + 5000)).toBe('key_lookup_cooling_down 30');
    expect(await outcome('b', publisher.now + 5001)).toBe('unknown');
    expect(await outcome('b', Infinity)).toBe('unknown');
    expect(await outcome('b', Number.NaN)).toBe('unknown');
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
    expect(publisher.reports).toMatchObject([{ outcome: 'unreachable', keys: 0, detail: 'down' }]);
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

describe('a background refresh (A12)', () => {
  const background = { startTimer, random: () => 0.5 };
  const ranOut = async (): Promise<void> => {
    const { timer } = publisher;
    publisher.now += timer?.afterMs ?? 0;
    timer?.run();
    await keys.ask();
  };

  beforeEach(() => {
    keys = keySet({ background });
  });

  it('comes before the keys are old, though nobody asks', async () => {
    await keys.ask();
    for (let hours = 0; hours < 5; hours += 1) {
      expect(publisher.timer?.afterMs).toBeLessThan(60 * minute);
      await ranOut();
      expect(keys.ageMs).toBe(0);
    }
    expect(publisher.fetches).toBe(6);
  });

  it('goes on through an outage, once or less in a cool-down, and brings the keys back', async () => {
    publisher.down = true;
    await keys.ask();
    for (let tries = 0; tries < 5; tries += 1) {
      expect(publisher.timer?.afterMs).toBeGreaterThanOrEqual(30_000);
      expect(publisher.timer?.afterMs).toBeLessThanOrEqual(60_000);
      await ranOut();
    }
    expect(publisher.fetches).toBe(6);
    publisher.down = false;
    await ranOut();
    expect(await outcome('a')).toBe('found');
  });

  it('keeps to the cool-down where a request asked in between', async () => {
    await keys.ask();
    const late = publisher.timer;
    publisher.now += 40 * minute;
    await outcome('invented');
    expect(publisher.fetches).toBe(2);
    late?.run();
    expect(publisher.fetches).toBe(2);
    expect(publisher.timer).toBeDefined();
  });

  it('runs one timer, and none after the end', async () => {
    await keys.ask();
    publisher.now += 31_000;
    await keys.ask();
    expect(publisher.timer).toBeDefined();
    keys.close();
    expect(publisher.timer).toBeUndefined();
  });

  it('does not begin again with a fetch that ends after the end', async () => {
    const held = Promise.withResolvers<void>();
    publisher.hold = held.promise;
    const asked = keys.ask();
    keys.close();
    held.resolve();
    await asked;
    expect(publisher.timers).toBe(0);
    expect(publisher.reports).toEqual([]);
  });

  it('is spread over time, below the TTL and never within the cool-down', () => {
    const after = (last: 'success' | 'failure', random: number): number =>
      refreshAfterMs(server.keys, last, random);
    expect([after('success', 0), after('success', 0.99)]).toEqual([
      48 * minute,
      expect.closeTo(56.91 * minute),
    ]);
    expect([after('failure', 0), after('failure', 0.5)]).toEqual([30_000, 45_000]);
    const quick = { ...server.keys, ttl: 1000 };
    expect(refreshAfterMs(quick, 'success', 0)).toBe(30_000);
  });
});

describe('the key set, when it may not ask (W04)', () => {
  it('says so at once, and the cool-down does not begin', async () => {
    publisher.mayAsk = false;
    expect(await outcome('a')).toBe('keys_unavailable 1');
    publisher.mayAsk = true;
    expect(await outcome('a')).toBe('found');
  });

  it('ends what was verified with its keys when it is closed', async () => {
    await keys.ask();
    const found = await keys.find('a', 'RS256');
    const key = found.outcome === 'found' ? found.keys[0] : undefined;
    if (key === undefined) throw new Error('expected a key');
    expect(keys.holds(key)).toBe(true);
    keys.close();
    expect(keys.holds(key)).toBe(false);
  });
});

describe('the key set under load (A-062)', () => {
  it('keeps a thousand waiting and no more', async () => {
    publisher.hold = new Promise(() => {});
    const waiting = Array.from({ length: 1000 }, () => outcome('a'));
    const startedAt = performance.now();
    expect(await outcome('a')).toMatch(/^keys_unavailable/);
    expect(performance.now() - startedAt).toBeLessThan(1500);
    expect(new Set(await Promise.all(waiting)).size).toBe(1);
    expect(publisher.fetches).toBe(1);
  });

  it('asks on when the clock was set back', async () => {
    await keys.ask();
    publisher.now -= 24 * 60 * minute;
    publisher.kids = ['b'];
    expect(await outcome('b')).toBe('found');
  });
});

describe('the index of keys', () => {
  it('finds a key by its own kid and kind, two of one kid apart (A-006, A-009)', () => {
    const published = readSigningKeys({
      keys: [
        { kty: 'RSA', kid: 'k', n: 'n', e: 'AQAB' },
        { kty: 'EC', crv: 'P-256', kid: 'k', x: 'x', y: 'y' },
        { kty: 'OKP', crv: 'Ed25519', x: 'x' },
      ],
    });
    const index = new KeyIndex(published ?? []);
    const kinds = (kid: string | undefined, algorithm: Algorithm): readonly (string | undefined)[] =>
      index.find(kid, algorithm).map(({ jwk }) => jwk.kty);
    expect(kinds('k', 'RS256')).toEqual(['RSA']);
    expect(kinds('k', 'ES256')).toEqual(['EC']);
    expect(kinds('k', 'ES384')).toEqual([]);
    expect(kinds('k', 'EdDSA')).toEqual([]);
    expect(kinds(undefined, 'EdDSA')).toEqual(['OKP']);
    for (const kid of ['', 'K', '__proto__', 'constructor', 'undefined'])
      expect(kinds(kid, 'EdDSA')).toEqual([]);
  });
});

describe('signing keys', () => {
  it('passes over keys that cannot verify an access token', () => {
    const read = readSigningKeys({
      keys: [
        { kty: 'oct', k: 'AA', kid: 'h' },
        { kty: 'RSA', use: 'enc', kid: 'e' },
        { kty: 'RSA', kid: 7, n: 'n', e: 'AQAB' },
        { kty: 'RSA', kid: 'one', n: 'n', e: 'AQ' },
        { kty: 'RSA', kid: 'one, longer', n: 'n', e: 'AAAB' },
        { kty: 'RSA', kid: 'even', n: 'n', e: 'AQAA' },
        { kty: 'RSA', kid: 'none', n: 'n' },
        { kty: 'RSA', kid: 'three', n: 'n', e: 'Aw' },
        null,
        'x',
        { kty: 'EC', crv: 'P-256', kid: 'ok' },
      ],
    });
    expect(read?.map(({ kid }) => kid)).toEqual(['three', 'ok']);
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
