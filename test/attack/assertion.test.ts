/** Attempts to pass for somebody else by an assertion: forged, repeated, smuggled past, or of another route. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assertionsOf } from '../../docs/snippets/verify-assertion.ts';
import { mark } from '../support/invariants.ts';
import { startIssuer } from '../support/issuer.ts';
import { startScene, type Scene } from './scene.ts';

const name = 'io.portcullis/assertion';
const escaped = 'io.p\\u006frtcullis\\/assertion';
const kelvinCase = 'io.portculli\u017f/a\u017f\u017fertion';

const routes = `routes:
  - { path: /mcp, identity: { assertion: { meta: true } }, upstream: '$upstream' }
  - { path: /other, identity: { assertion: {} }, upstream: { url: '$upstream', resource: 'https://other.example/mcp' } }
  - { path: /plain, upstream: '$upstream' }
  - { path: /open, access: open, upstream: '$upstream' }
`;

let scene: Scene;
let token: string;

beforeAll(async () => {
  const issuer = await startIssuer({ audience: 'tools', algorithms: ['ES256'] });
  scene = await startScene({
    issuers: [issuer],
    servers: `authorizationServers: [{ name: as0, issuer: '${issuer.url}', audiences: [tools] }]`,
    routes,
  });
  token = issuer.token();
});

afterAll(() => scene.close());

const newest = (): Scene['upstream']['requests'][number] | undefined => scene.upstream.requests.at(-1);
const call = '"jsonrpc":"2.0","id":1,"method":"tools/call"';

/** Bodies with `forged` wherever a client could put an assertion for a server to find it. */
function bodiesWith(forged: string): readonly string[] {
  const names = [name, escaped, kelvinCase, name.toUpperCase(), 'IO.Portcullis/Assertion'];
  const all = `{${names
    .slice(2)
    .map((spelt) => `"${spelt}":${forged}`)
    .join(',')},"a":1, "${name}" : ${forged} }`;
  return [...names.map((spelt) => `{"${spelt}":{"x":[${forged}]}}`), all].flatMap((meta) => [
    `{"p\\u0061rams":{"\\u005fmeta":${meta},"name":"a"},${call}}`,
    `[{${call},"params":{"name":"a","_meta":${meta}}},{"jsonrpc":"2.0","method":"notifications/x","params":{"_meta":${meta}}},{"jsonrpc":"2.0","id":2,"result":{"_meta":${meta}}}]`,
  ]);
}

/** What the messages that arrived last carry in `_meta`: of requests first, then of all others. */
function arrivedMetas(): { readonly requests: readonly Meta[]; readonly others: readonly Meta[] } {
  const parsed: unknown = JSON.parse(newest()?.body.toString() ?? '');
  const messages = (Array.isArray(parsed) ? parsed : [parsed]) as readonly ArrivedMessage[];
  const isRequest = (message: ArrivedMessage): boolean => 'method' in message && 'id' in message;
  const metaOf = ({ params, result }: ArrivedMessage): Meta => (params ?? result ?? {})['_meta'] ?? {};
  return {
    requests: messages.filter(isRequest).map(metaOf),
    others: messages.filter((message) => !isRequest(message)).map(metaOf),
  };
}

type Meta = Readonly<Record<string, unknown>>;

interface ArrivedMessage {
  readonly params?: Readonly<Record<string, Meta>>;
  readonly result?: Readonly<Record<string, Meta>>;
}

describe('a forged assertion in _meta (N4)', () => {
  it.each(['/mcp', '/other', '/plain', '/open'])(
    'never reaches a server through %s, whether the route signs or not',
    async (target) => {
      const before = await mark(scene);
      const bodies = bodiesWith('"mallory"');
      for (const body of bodies) {
        const answer = await scene.ask({ target, body, ...(target === '/open' ? {} : { token }) });
        if (answer.status >= 300) expect.fail(`${answer.status} for ${body}`);
        expect(newest()?.body.toString()).not.toContain('mallory');
      }
      const identity = target === '/open' ? 'none' : 'principal';
      await before.hold({ forwarded: bodies.length, reasons: ['ok'], identity });
    },
  );

  it('gives way to the gateway’s own, once, in every request and nowhere else', async () => {
    for (const body of bodiesWith('"mallory"')) {
      await scene.ask({ target: '/mcp', token, body });
      const [own = ''] = newest()?.header('x-auth-assertion') ?? [];
      const { requests, others } = arrivedMetas();
      for (const meta of requests) expect({ a: 1, ...meta }).toEqual({ a: 1, [name]: own });
      for (const meta of others) expect({ a: 1, ...meta }).toEqual({ a: 1 });
    }
  });

  it('is refused where two readers could find two (C-001)', async () => {
    const bodies = [
      `{${call},"params":{"_meta":{"${name}":"a","${name}":"b"}}}`,
      `{${call},"params":{"_meta":{"${name}":"a","${escaped}":"b"}}}`,
      `{${call},"params":{"_meta":{},"_meta":{"${name}":"b"}}}`,
      `{${call},"params":{"_meta":{},"\\u005fmeta":{"${name}":"b"}}}`,
      `{${call},"params":{},"params":{"_meta":{"${name}":"b"}}}`,
      `{${call},"params":{"_Meta":{"${name}":"b"}}}`,
      `{${call},"Params":{"_meta":{"${name}":"b"}}}`,
    ];
    const before = await mark(scene);
    for (const body of bodies) expect((await scene.ask({ token, body })).status).toBe(400);
    const events = await before.hold({ forwarded: 0 });
    expect(events.map(({ reason }) => reason)).toEqual([
      ...Array.from({ length: 5 }, () => 'duplicate_member'),
      'member_case',
      'member_case',
    ]);
  });
});

describe('a forged assertion in a header (N1)', () => {
  it('never arrives in any spelling, nor beside the gateway’s own', async () => {
    const spellings = [
      'X-Auth-Assertion',
      'x-auth-assertion',
      'X_Auth_Assertion',
      'X-Auth_Assertion',
      'X.Auth.Assertion',
    ];
    const lines = spellings.flatMap((spelt) => [`${spelt}: mallory`, `${spelt}: root`]);
    const before = await mark(scene);
    for (const target of ['/mcp', '/other', '/plain']) {
      expect(
        (await scene.ask({ target, token, lines: [...lines, 'Connection: X-Auth-Assertion'] })).status,
      ).toBe(200);
      const arrived = (newest()?.headerLines ?? []).filter(([found]) => /^x.auth.assertion$/i.test(found));
      expect(arrived).toHaveLength(target === '/plain' ? 0 : 1);
      expect(JSON.stringify(newest()?.headerLines)).not.toMatch(/mallory|root/);
    }
    await before.hold({ forwarded: 3, reasons: ['ok'] });
  });
});

describe('a genuine assertion in the wrong place (N3)', () => {
  it('of another route is refused by the server that checks it', async () => {
    const whoAsks = assertionsOf(scene.gateway.url, scene.upstream.url);
    await scene.ask({ target: '/mcp', token });
    await expect(whoAsks(newest()?.header('x-auth-assertion')[0] ?? '')).resolves.toMatchObject({
      sub: 'alice',
    });
    await scene.ask({ target: '/other', token });
    await expect(whoAsks(newest()?.header('x-auth-assertion')[0] ?? '')).rejects.toThrow('"aud"');
  });

  it('opens nothing as a token at the gateway that signed it (A-016)', async () => {
    await scene.ask({ target: '/mcp', token });
    const assertion = newest()?.header('x-auth-assertion')[0] ?? '';
    const before = await mark(scene);
    for (const target of ['/mcp', '/other', '/plain'])
      expect((await scene.ask({ target, token: assertion })).status).toBe(401);
    await before.hold({ forwarded: 0, reasons: ['issuer_not_trusted'] });
  });
});
