/** The address guard, against real sockets; names are looked up in the test. */
import type { LookupAddress } from 'node:dns';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isIP } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { AuthorizationServer } from '../../config/configuration.ts';
import type { AuthorityFetch } from './authority-fetch.ts';
import { openAuthorityFetch } from './authority-fetch.ts';
import { AddressRefused } from './guarded-connector.ts';

/** What each lookup answers, in order; the last one again. */
let names: Record<string, string[][]>;
let lookups: string[];
let connections = 0;
let port: number;
const opened: AuthorityFetch[] = [];

const site = createServer((_request, response) => response.end('{"here":true}'));
site.on('connection', () => (connections += 1));

beforeAll(async () => {
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  ({ port } = site.address() as AddressInfo);
});

afterAll(() => {
  for (const line of opened) line.close();
  site.closeAllConnections();
  site.close();
});

beforeEach(() => {
  names = {};
  lookups = [];
  connections = 0;
});

function addressesOf(name: string): LookupAddress[] {
  const answers = names[name] ?? [];
  const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
  return answer.map((address) => ({ address, family: isIP(address) }));
}

function open(server: Partial<AuthorizationServer> = {}): AuthorityFetch {
  const line = openAuthorityFetch(
    {
      issuers: ['https://as.example/realms/corp'],
      allowHosts: [],
      keys: { timeout: 3000 },
      ...server,
    } as unknown as AuthorizationServer,
    {
      lookup(name, _options, callback) {
        lookups.push(name);
        const addresses = addressesOf(name);
        if (addresses.length > 0) callback(null, addresses);
        else callback(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), []);
      },
    },
  );
  opened.push(line);
  return line;
}

/** `refused`, or the code of what the network said: then the guard had let it through. */
async function fateOf(url: string, server?: Partial<AuthorizationServer>): Promise<string> {
  try {
    const response = await open(server).fetch(url, {});
    await response.text();
    return String(response.status);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    if (cause instanceof AddressRefused) return 'refused';
    return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  }
}

describe('a literal address that a document names (A-067)', () => {
  it.each([
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[2002:7f00:1::]',
    '[2001:0:4136:e378:8000:63bf:3fff:fdd2]',
    '[fd00:ec2::254]',
    '[fe80::1]',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '0177.0.0.1',
    '127.1',
    '127.0.0.1.',
    '0',
    '0.0.0.0',
    '10.0.0.1',
    '169.254.169.254',
    '100.100.100.200',
    '192.168.0.1',
    '224.0.0.1',
    '１２７.0.0.1',
  ])('is refused as %s, and nothing connects', async (host) => {
    expect(await fateOf(`https://${host}:${port}/keys`)).toBe('refused');
    expect(connections).toBe(0);
    expect(lookups).toEqual([]);
  });
});

describe('a name that a document gives (A-067)', () => {
  it.each([
    ['to loopback', ['127.0.0.1']],
    ['to loopback of the other family', ['::1']],
    ['to the metadata of a cloud', ['169.254.169.254']],
    ['to a private address behind a public one', ['8.8.8.8', '10.0.0.1']],
    ['to a mapped address', ['::ffff:127.0.0.1']],
  ])('that leads %s is refused', async (_name, addresses) => {
    names = { 'keys.example': [addresses] };
    expect(await fateOf(`https://keys.example:${port}/keys`)).toBe('refused');
    expect(connections).toBe(0);
  });

  it('that leads elsewhere at each lookup is looked up once for each connection, and that answer counts', async () => {
    names = { 'keys.example': [['127.0.0.1'], ['8.8.8.8']] };
    expect(await fateOf(`https://keys.example:${port}/keys`)).toBe('refused');
    expect(lookups).toEqual(['keys.example']);
    expect(connections).toBe(0);
  });

  it.each(['localhost', 'localhost.', 'LOCALHOST'])('%s is one like any other', async (host) => {
    names = { localhost: [['127.0.0.1']], 'localhost.': [['127.0.0.1']] };
    expect(await fateOf(`https://${host}:${port}/keys`)).toBe('refused');
  });

  it("that isn't known is out of reach, not refused", async () => {
    expect(await fateOf('https://nowhere.example/keys')).toBe('ENOTFOUND');
  });
});

describe('what the operator wrote', () => {
  const reached = (fate: string): boolean => fate !== 'refused' && connections === 1;

  it('may be private: the issuer, at any of its ports', async () => {
    names = { 'as.example': [['127.0.0.1']] };
    expect(reached(await fateOf(`https://as.example:${port}/keys`))).toBe(true);
  });

  it('may be private: an address, in any spelling', async () => {
    expect(reached(await fateOf(`https://127.0.0.1:${port}/keys`, { issuers: ['https://127.1'] }))).toBe(
      true,
    );
  });

  it('may be private: the address of the keys', async () => {
    names = { 'keys.internal': [['127.0.0.1']] };
    const jwksUri = `http://keys.internal:${port}/keys`;
    expect(await fateOf(jwksUri, { jwksUri })).toBe('200');
  });

  it('may be private: the introspection endpoint', async () => {
    names = { 'ask.internal': [['127.0.0.1']] };
    const endpoint = `http://ask.internal:${port}/introspect`;
    const introspection = { endpoint } as NonNullable<AuthorizationServer['introspection']>;
    expect(await fateOf(endpoint, { introspection })).toBe('200');
  });

  it('may be private: a host of allowHosts, and none besides it', async () => {
    names = { 'keys.internal': [['127.0.0.1']], 'a.keys.internal': [['127.0.0.1']] };
    const allowHosts = ['keys.internal', '[::1]'];
    expect(reached(await fateOf(`https://keys.internal:${port}/keys`, { allowHosts }))).toBe(true);
    expect(await fateOf(`https://a.keys.internal:${port}/keys`, { allowHosts })).toBe('refused');
    // Nobody listens there.
    expect(await fateOf(`https://[::1]:${port}/keys`, { allowHosts })).not.toBe('refused');
  });

  it('guards the way with authorities of its own too', async () => {
    expect(await fateOf(`https://127.0.0.1:${port}/keys`, { ca: '' })).toBe('refused');
  });
});

describe('plain http', () => {
  it('is for origins of the file alone, wherever they are', async () => {
    names = { 'as.internal': [['127.0.0.1']] };
    const issuers = [`http://as.internal:${port}`] as const;
    expect(await fateOf(`http://as.internal:${port}/keys`, { issuers })).toBe('200');
    expect(await fateOf(`http://as.internal:${port + 1}/keys`, { issuers })).toBe('refused');
    expect(await fateOf(`http://as.example:${port}/keys`)).toBe('refused');
    expect(await fateOf('http://8.8.8.8/keys')).toBe('refused');
    expect(await fateOf(`http://keys.internal:${port}/keys`, { allowHosts: ['keys.internal'] })).toBe(
      'refused',
    );
    expect(connections).toBe(1);
  });

  it.each([
    'file:///etc/passwd',
    'data:application/json,{}',
    'ftp://as.example/x',
    'https://a:b@as.example/',
    'x',
  ])('and https alone: not %s', async (url) => expect(await fateOf(url)).toBe('refused'));
});

describe('every request to an authorization server', () => {
  it('follows no redirect, whatever the caller says, and carries its method and body', async () => {
    const sent: (RequestInit | undefined)[] = [];
    const server = { issuers: ['https://as.example'], allowHosts: [], keys: { timeout: 3000 } };
    const line = openAuthorityFetch(server as unknown as AuthorizationServer, {
      fetch: (_url, init) => {
        sent.push(init);
        return Promise.resolve(new Response(null, { status: 302 }));
      },
    });
    const init = { method: 'POST', body: 'token=x', redirect: 'follow' } as const;
    expect((await line.fetch('https://as.example/introspect', init)).status).toBe(302);
    expect(sent).toMatchObject([{ method: 'POST', body: 'token=x', redirect: 'manual' }]);
    expect(sent[0]?.signal).toBeInstanceOf(AbortSignal);
  });

  it('is over once it was closed: what goes on meanwhile opens nothing', async () => {
    const line = open({ issuers: [`http://localhost:${port}`] });
    names['localhost'] = [['127.0.0.1']];
    expect((await line.fetch(`http://localhost:${port}/`, {})).status).toBe(200);
    connections = 0;
    line.close();
    await expect(line.fetch(`http://localhost:${port}/`, {})).rejects.toThrow('no longer asks');
    expect(connections).toBe(0);
  });

  it('ends with the time-out of the server where the caller sets none', async () => {
    const server = { issuers: ['https://as.example'], allowHosts: [], keys: { timeout: 20 } };
    const line = openAuthorityFetch(server as unknown as AuthorizationServer, {
      fetch: (_url, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    });
    await expect(line.fetch('https://as.example/', {})).rejects.toThrow(/timeout/);
  });

  it('names no query when it is refused', async () => {
    await expect(open().fetch('http://other.example/x?code=secret', {})).rejects.toThrow(
      /^"http:\/\/other\.example\/x" isn't asked/,
    );
  });
});
