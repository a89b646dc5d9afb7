import { setTimeout as sleep } from 'node:timers/promises';

import { beforeEach, describe, expect, it } from 'vitest';

import type {
  RecordClaim,
  RecordName,
  RecordOutcome,
  RecordReading,
  RecordStore,
} from '../../state/records/record-store.ts';
import { recordName } from '../../state/records/record-store.ts';
import { KeptLogins } from './kept-logins.ts';
import { Recoveries } from './recoveries.ts';
import type { Refreshed } from './refresh.ts';
import type { StoredLogin } from './stored-login.ts';

const name = recordName('github', ['login']);
const login: StoredLogin = {
  upstream: 'https://mcp.example.com/mcp',
  issuer: 'https://login.example.com',
  resource: 'https://mcp.example.com/mcp',
  client: { from: 'configuration', clientId: 'gate' },
  accessToken: 'access-1',
  refreshToken: 'refresh-1',
};
const renewed: StoredLogin = { ...login, accessToken: 'access-2', refreshToken: 'refresh-2' };

/** A store of one process that does as the test says. */
class Shelf implements RecordStore {
  texts = new Map<string, string>();
  asks = 0;
  reads = 0;
  writes: string[] = [];
  trouble: 'none' | 'unwritable' | 'gone' = 'none';
  claimed = false;
  claims = 0;

  put(made: StoredLogin): void {
    this.texts.set(name, JSON.stringify(made));
  }

  read(at: RecordName, known?: string): Promise<RecordReading> {
    const text = this.texts.get(at);
    this.asks += 1;
    if (this.trouble === 'gone') return Promise.resolve({ is: 'unavailable', detail: 'gone' });
    if (text === undefined) return Promise.resolve({ is: 'absent' });
    if (text === known) return Promise.resolve({ is: 'same' });
    this.reads += 1;
    return Promise.resolve({ is: 'read', text, version: text });
  }

  write(at: RecordName, text: string): Promise<RecordOutcome> {
    if (this.trouble !== 'none') return Promise.resolve({ is: 'unavailable', detail: 'ENOSPC' });
    this.writes.push(text);
    this.texts.set(at, text);
    return Promise.resolve({ is: 'kept' });
  }

  remove(at: RecordName): Promise<RecordOutcome> {
    this.texts.delete(at);
    return Promise.resolve({ is: 'kept' });
  }

  claim(): Promise<RecordClaim> {
    if (this.trouble !== 'none') return Promise.resolve({ is: 'unavailable', detail: this.trouble });
    this.claims += 1;
    if (this.claimed) return Promise.resolve({ is: 'taken' });
    this.claimed = true;
    const release = (): Promise<void> => Promise.resolve(void (this.claimed = false));
    return Promise.resolve({ is: 'held', release });
  }
}

let shelf: Shelf;
let now: number;
let asked: string[];
let unsaved: string[];
let refresh: (held: StoredLogin, signal: AbortSignal) => Promise<Refreshed>;

beforeEach(() => {
  shelf = new Shelf();
  shelf.put(login);
  now = 1_000_000;
  asked = [];
  unsaved = [];
  refresh = () => Promise.resolve({ is: 'refreshed', login: renewed });
});

function world(longestMs = 10_000): { logins: KeptLogins; recoveries: Recoveries } {
  const logins = new KeptLogins(shelf, () => now);
  const recoveries = new Recoveries({
    logins,
    store: shelf,
    clock: () => now,
    longestMs,
    graceMs: 100,
    onUnsaved: (detail) => unsaved.push(detail),
    refresh(held, signal) {
      asked.push(held.refreshToken);
      return refresh(held, signal);
    },
  });
  return { logins, recoveries };
}

const dead = { name, accessToken: 'access-1' };

describe('a recovery', () => {
  it('is one for all who come with the same token, also with what comes right after (H03)', async () => {
    const { recoveries } = world();
    const all = await Promise.all(Array.from({ length: 10 }, () => recoveries.recover(dead)));
    for (const recovered of all) expect(recovered).toMatchObject({ is: 'login', login: renewed });
    expect(shelf.claims).toBe(1);
    expect(await recoveries.recover(dead)).toMatchObject({ is: 'login', by: 'another-process' });
    expect(asked).toEqual(['refresh-1']);
  });

  it('takes what another process has put into the store, and asks nobody (H02, H04)', async () => {
    const { logins, recoveries } = world();
    await logins.look(name);
    shelf.put(renewed);
    expect(await recoveries.recover(dead)).toEqual({ is: 'login', login: renewed, by: 'another-process' });
    expect(asked).toEqual([]);
  });

  it('has the new refresh token saved before anyone gets the new access token (H04)', async () => {
    const { recoveries } = world();
    let savedWhenTold: string | undefined;
    await recoveries.recover(dead).then(() => (savedWhenTold = shelf.writes.at(-1)));
    expect(JSON.parse(savedWhenTold ?? '')).toEqual(renewed);
  });

  it('asks for no refresh where there is no refresh token, or no login (H04, H06)', async () => {
    const { refreshToken: _none, ...bare } = login;
    shelf.put(bare);
    expect(await world().recoveries.recover(dead)).toMatchObject({ is: 'login-needed' });
    shelf.texts.clear();
    expect(await world().recoveries.recover(dead)).toMatchObject({ is: 'login-needed' });
    expect(asked).toEqual([]);
  });

  it('fails promptly with a refresh token that was refused, and asks no more about it until there is another (H04)', async () => {
    refresh = () => Promise.resolve({ is: 'refused', detail: 'invalid_grant' });
    const { recoveries } = world();
    for (let tries = 0; tries < 3; tries += 1) {
      expect(await recoveries.recover(dead)).toEqual({
        is: 'login-needed',
        detail: 'invalid_grant',
        ...(tries > 0 && { isRemembered: true }),
      });
      now += 3_600_000;
    }
    expect(asked).toEqual(['refresh-1']);
    shelf.put({ ...login, refreshToken: 'refresh-9' });
    refresh = () => Promise.resolve({ is: 'refreshed', login: renewed });
    expect(await recoveries.recover(dead)).toMatchObject({ is: 'login', login: renewed });
  });

  it('leaves a server that fails alone for five seconds, and keeps the refresh token for then', async () => {
    refresh = () => Promise.resolve({ is: 'failed', detail: 'ECONNREFUSED' });
    const { recoveries } = world();
    for (let tries = 0; tries < 5; tries += 1)
      expect(await recoveries.recover(dead)).toMatchObject({ is: 'failed', detail: 'ECONNREFUSED' });
    expect(asked).toHaveLength(1);
    now += 5000;
    refresh = () => Promise.resolve({ is: 'refreshed', login: renewed });
    expect(await recoveries.recover(dead)).toMatchObject({ is: 'login', login: renewed });
  });

  it('takes no longer than it may, and what comes later is saved all the same (H04)', async () => {
    const late = Promise.withResolvers<Refreshed>();
    refresh = () => late.promise;
    const { logins, recoveries } = world(50);
    const startedAt = performance.now();
    expect(await recoveries.recover(dead)).toMatchObject({ is: 'failed' });
    expect(performance.now() - startedAt).toBeLessThan(5000);
    late.resolve({ is: 'refreshed', login: renewed });
    await expect.poll(() => shelf.claimed).toBe(false);
    expect(await logins.look(name)).toMatchObject({ login: renewed });
  });

  it('waits for another process that refreshes, and takes what that one got (H03)', async () => {
    shelf.claimed = true;
    const { recoveries } = world();
    const waiting = recoveries.recover(dead);
    await sleep(20);
    shelf.put(renewed);
    expect(await waiting).toEqual({ is: 'login', login: renewed, by: 'another-process' });
    expect(asked).toEqual([]);
  });

  it('doesn’t put an old login in the place of one that a person has made meanwhile (H09)', async () => {
    const made: StoredLogin = { ...login, accessToken: 'access-9', refreshToken: 'refresh-9' };
    refresh = () => {
      shelf.put(made);
      return Promise.resolve({ is: 'refreshed', login: renewed });
    };
    expect(await world().recoveries.recover(dead)).toMatchObject({ is: 'login', login: made });
    expect(JSON.parse(shelf.texts.get(name) ?? '')).toEqual(made);
  });

  it('ends with a stop, after the grace that an answer on its way needs (H08)', async () => {
    refresh = (_login, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ is: 'failed', detail: 'aborted' }));
      });
    const { recoveries } = world();
    const running = recoveries.recover(dead);
    const startedAt = performance.now();
    await recoveries.close();
    expect(performance.now() - startedAt).toBeGreaterThan(80);
    expect((await running).is).toMatch(/^(?:stopping|failed)$/);
    expect(await recoveries.recover({ ...dead, accessToken: 'access-1' })).not.toMatchObject({ is: 'login' });
  });
});

describe('a store that fails loses no login', () => {
  it.each(['gone', 'unwritable'] as const)('no refresh is begun while it is %s', async (trouble) => {
    const { logins, recoveries } = world();
    await logins.look(name);
    shelf.trouble = trouble;
    expect(await recoveries.recover(dead)).toEqual({ is: 'store-unavailable', detail: trouble });
    expect(asked).toEqual([]);
    shelf.trouble = 'none';
    expect(await recoveries.recover(dead)).toMatchObject({ is: 'login', login: renewed });
  });

  it('a new token that can’t be saved is used, told of, and saved as soon as that works', async () => {
    const { logins, recoveries } = world();
    refresh = () => {
      shelf.trouble = 'unwritable';
      return Promise.resolve({ is: 'refreshed', login: renewed });
    };
    expect(await recoveries.recover(dead)).toMatchObject({ is: 'login', login: renewed });
    expect(unsaved).toEqual(['ENOSPC']);
    expect(await logins.look(name)).toEqual({ is: 'login', login: renewed });
    now += 1000;
    expect(await logins.look(name)).toEqual({ is: 'login', login: renewed });
    shelf.trouble = 'none';
    now += 1000;
    await logins.look(name);
    expect(JSON.parse(shelf.texts.get(name) ?? '')).toEqual(renewed);
  });
});

describe('a kept login', () => {
  it('is looked at once for all requests of one moment, and again for the next (H02)', async () => {
    const { logins } = world();
    await logins.look(name);
    const asks = shelf.asks;
    await Promise.all(Array.from({ length: 50 }, () => logins.glance(name)));
    expect(shelf.asks - asks).toBe(1);
    shelf.put(renewed);
    expect(await logins.glance(name)).toEqual({ is: 'login', login: renewed });
  });

  it('is read once and then only asked about, until it changes (H02)', async () => {
    const { logins } = world();
    for (let looks = 0; looks < 5; looks += 1)
      expect(await logins.look(name)).toEqual({ is: 'login', login });
    expect(shelf.reads).toBe(1);
    shelf.put(renewed);
    expect(await logins.look(name)).toEqual({ is: 'login', login: renewed });
    shelf.texts.delete(name);
    expect(await logins.look(name)).toEqual({ is: 'absent' });
    shelf.texts.set(name, '{"accessToken":"half a rec');
    expect(await logins.look(name)).toEqual({ is: 'absent' });
  });
});
