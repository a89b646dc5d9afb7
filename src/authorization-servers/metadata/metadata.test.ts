import { beforeEach, describe, expect, it } from 'vitest';

import type { AuthorizationServer } from '../../config/configuration.ts';
import type { MetadataPorts } from './metadata.ts';
import { ServerMetadata } from './metadata.ts';

const issuer = 'https://as.example/realms/corp';
const server = {
  issuers: [issuer],
  keys: { timeout: 5000, cooldown: 30_000 },
} as unknown as AuthorizationServer;
const inserted = 'https://as.example/.well-known/oauth-authorization-server/realms/corp';
const openid = 'https://as.example/.well-known/openid-configuration/realms/corp';
const appended = 'https://as.example/realms/corp/.well-known/openid-configuration';

let now: number;
let asked: string[];
let documents: Record<string, unknown>;
let hold: Promise<void> | undefined;

beforeEach(() => {
  now = 1_000_000;
  asked = [];
  documents = { [inserted]: { issuer, jwks_uri: 'https://as.example/keys' } };
  hold = undefined;
});

function metadata(ports: Partial<MetadataPorts> = {}): ServerMetadata {
  return new ServerMetadata(server, {
    clock: () => now,
    async fetch(url) {
      asked.push(url);
      await hold;
      return url in documents ? Response.json(documents[url]) : new Response('', { status: 404 });
    },
    ...ports,
  });
}

describe('metadata is found (W06)', () => {
  it.each([
    [inserted, [inserted]],
    [openid, [inserted, openid]],
    [appended, [inserted, openid, appended]],
  ])('at %s', async (url, path) => {
    documents = { [url]: { issuer, extra: { anything: [1] } } };
    expect(await metadata().get()).toMatchObject({ ok: true, metadata: { url, members: { issuer } } });
    expect(asked).toEqual(path);
  });

  it('at two addresses for an issuer without a path', async () => {
    const bare = { ...server, issuers: ['https://as.example'] } as AuthorizationServer;
    const urls: string[] = [];
    const fetch = (url: string): Promise<Response> => {
      urls.push(url);
      return Promise.resolve(new Response('', { status: 404 }));
    };
    await new ServerMetadata(bare, { clock: () => now, fetch }).get();
    expect(urls).toEqual([
      'https://as.example/.well-known/oauth-authorization-server',
      'https://as.example/.well-known/openid-configuration',
    ]);
  });

  it.each([null, [], 'x', 7, {}, { issuer: 7 }, { error: 'not_found' }])(
    'not in %j, and then at the next address',
    async (document) => {
      documents = { [inserted]: document, [openid]: { issuer } };
      expect(await metadata().get()).toMatchObject({ ok: true, metadata: { url: openid } });
    },
  );
});

describe('the issuer is compared byte for byte (W06, A-066)', () => {
  it.each([
    'https://as.example/realms/corp/',
    'https://AS.example/realms/corp',
    'https://as.example:443/realms/corp',
    'https://as.example/realms/Corp',
    'https://as.example/realms/c%6frp',
    'https://evil.example',
    '',
  ])('so %s is refused, though another document would agree', async (other) => {
    documents = { [inserted]: { issuer: other }, [openid]: { issuer }, [appended]: { issuer } };
    expect(await metadata().get()).toMatchObject({ ok: false, failure: 'invalid' });
    expect(asked).toEqual([inserted]);
  });
});

describe('the server is asked (W05, W06)', () => {
  it('once for all that want to know, and again after five minutes', async () => {
    const known = metadata();
    await Promise.all(Array.from({ length: 50 }, () => known.get()));
    now += 299_999;
    await known.get();
    expect(asked).toHaveLength(1);
    now += 1;
    await known.get();
    expect(asked).toHaveLength(2);
  });

  it('again at the next request after a failure, and five times in five seconds at most', async () => {
    documents = {};
    const known = metadata();
    expect(await known.get()).toMatchObject({ ok: false, failure: 'bad_status' });
    documents = { [inserted]: { issuer } };
    expect(await known.get()).toMatchObject({ ok: true });

    documents = {};
    const dead = metadata();
    asked = [];
    for (let at = 0; at < 1000; at += 1) expect(await dead.get()).toMatchObject({ ok: false });
    expect(asked).toHaveLength(15);
    now += 5000;
    await dead.get();
    expect(asked).toHaveLength(18);
  });

  it('and what it said last serves while it is down, also where it is silent', async () => {
    const known = metadata();
    await known.get();
    now += 3_600_000;
    documents = {};
    expect(await known.get()).toMatchObject({ ok: true, metadata: { members: { issuer } } });
    hold = new Promise(() => {});
    const startedAt = performance.now();
    expect(await known.get()).toMatchObject({ ok: true });
    expect(performance.now() - startedAt).toBeLessThan(4000);
  });

  it('and what it said last serves when it speaks for another issuer', async () => {
    const known = metadata();
    await known.get();
    now += 3_600_000;
    documents = { [inserted]: { issuer: 'https://evil.example' } };
    expect(await known.get()).toMatchObject({ ok: true, metadata: { members: { issuer } } });
  });

  it('not again soon after a failure where that is a tenant (W04)', async () => {
    documents = {};
    const tenant = metadata({ failureLifetimeMs: 30_000 });
    for (let at = 0; at < 10; at += 1) expect(await tenant.get()).toMatchObject({ failure: 'bad_status' });
    expect(asked).toHaveLength(3);
    now += 30_000;
    await tenant.get();
    expect(asked).toHaveLength(6);
  });

  it('not where nothing may be asked (W04)', async () => {
    const tenant = metadata({ mayAsk: () => false });
    expect(await tenant.get()).toMatchObject({ ok: false, failure: 'over_budget' });
    expect(asked).toEqual([]);
  });

  it('for all its addresses within one time-out', async () => {
    const silent = { ...server, keys: { ...server.keys, timeout: 50 } };
    const urls: string[] = [];
    const known = new ServerMetadata(silent, {
      clock: () => now,
      fetch: (url, { signal }) => {
        urls.push(url);
        return new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error));
        });
      },
    });
    expect(await known.get()).toMatchObject({ ok: false, failure: 'timeout' });
    expect(urls).toHaveLength(1);
  });
});
