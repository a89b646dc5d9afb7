/** Replicas behind a real balancer that takes turns: to clients they are one gateway (W15, A25, D-011, A-072). */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, only } from '../integration/world.ts';
import { startAuthorizationServer, type AuthorizationServer } from '../support/authorization-server.ts';
import { balancerMissing, balancerNote } from '../support/balancer.ts';
import { startBridge, type Bridge } from '../support/bridge.ts';
import { recordExchanges } from '../support/exchange-record.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually } from '../support/loopback.ts';
import { ProofKey } from '../support/proof-key.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { redisMissing, redisNote, startRedis, type RedisServer } from '../support/redis.ts';
import { startReplicas, type Replicas } from '../support/replicas.ts';
import { ScriptedLogin } from '../support/scripted-login.ts';
import { connectSdkV2 } from '../support/sdk-v2.ts';

const missing = balancerMissing ?? redisMissing;

describe.skipIf(missing !== undefined)(`three replicas${balancerNote}${redisNote}`, () => {
  let server: AuthorizationServer;
  let issuer: Issuer;
  let bridge: Bridge;
  let upstream: RecordingUpstream;
  let redis: RedisServer;
  let replicas: Replicas;

  beforeAll(async () => {
    [server, issuer, bridge, upstream, redis] = await Promise.all([
      startAuthorizationServer(),
      startIssuer({ algorithms: ['ES256'] }),
      startBridge(),
      startRecordingUpstream(),
      startRedis(),
    ]);
    replicas = await startReplicas({
      count: 3,
      environment: { REDIS_URL: redis.url, SESSION_KEY: randomBytes(32).toString('base64') },
      yaml: () => `state: { redis: { url: { env: REDIS_URL } } }
sessions: { key: { env: SESSION_KEY } }
authorizationServers:
  - { name: corp, issuer: '${server.issuer}' }
  - { name: scripted, issuer: '${issuer.url}' }
routes:
  - { name: tools, path: /mcp, authorizationServers: [corp], scopes: [mcp:use], upstream: '${bridge.url}' }
  - { name: bound, path: /bound, authorizationServers: [scripted], dpop: required, upstream: '${upstream.url}' }
  - { name: counted, path: /counted, authorizationServers: [scripted], rateLimit: { requests: 60, per: 1h }, upstream: '${upstream.url}' }
  - { name: plain, path: /plain, authorizationServers: [scripted], upstream: '${upstream.url}' }
`,
    });
  }, 120_000);
  afterAll(async () => {
    await replicas?.[Symbol.asyncDispose]();
    await Promise.all([server, issuer, bridge, upstream, redis].map((part) => part?.close()));
  });

  const tokenFor = (path: string, claims: Readonly<Record<string, unknown>> = {}): string =>
    issuer.token({ claims: { aud: `${replicas.url}${path}`, ...claims } });
  const status = async (path: string, token: string, port = replicas.port): Promise<number> =>
    (await ask(port, { target: path, token, headers: [['Host', `localhost:${replicas.port}`]] })).status;

  it('open each other’s sessions for their holder, and for nobody else, on no other route (A25)', async () => {
    upstream.answerOnce({ headers: { 'mcp-session-id': 'held-upstream' }, body: {} });
    const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: {} });
    const begin = await ask(replicas.port, { target: '/plain', token: tokenFor('/plain'), body });
    const id = only(begin, 'mcp-session-id') ?? '';
    expect(id).not.toContain('held');
    const go = async (port: number, path: string, token: string): Promise<number> => {
      const headers = [
        ['Host', `localhost:${replicas.port}`],
        ['Mcp-Session-Id', id],
      ] as const;
      return (await ask(port, { target: path, token, headers })).status;
    };
    for (const { port } of replicas.all) {
      expect(await go(port, '/plain', tokenFor('/plain'))).toBe(200);
      expect(upstream.requests.at(-1)?.header('mcp-session-id')).toEqual(['held-upstream']);
      expect(await go(port, '/plain', tokenFor('/plain', { sub: 'mallory' }))).toBe(404);
      expect(await go(port, '/counted', tokenFor('/counted', { sub: 'mallory' }))).toBe(404);
      expect(await go(port, '/plain', tokenFor('/plain'))).toBe(200);
    }
  });

  it('let a proof in once, whichever of them is asked (A-072)', async () => {
    const key = new ProofKey();
    const token = tokenFor('/bound', { cnf: { jkt: key.jkt } });
    const once = async (lines: readonly string[], port: number): Promise<number> => {
      const headers = lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 2)] as const;
      });
      const host = ['Host', `localhost:${replicas.port}`] as const;
      return (await ask(port, { target: '/bound', headers: [host, ...headers] })).status;
    };
    for (let round = 0; round < 5; round += 1) {
      const lines = key.lines({ url: `${replicas.url}/bound`, token });
      const ports = [...replicas.all.map(({ port }) => port), replicas.port, replicas.port];
      const statuses = await Promise.all(ports.map((port) => once(lines, port)));
      expect(statuses.toSorted((one, other) => one - other)).toEqual([200, 401, 401, 401, 401]);
    }
  });

  it('count one person’s requests together, within 5 % of the limit, and nobody else’s with them (D-011)', async () => {
    const passed = async (sub: string): Promise<number> => {
      const token = tokenFor('/counted', { sub });
      const statuses = await Promise.all(Array.from({ length: 100 }, () => status('/counted', token)));
      expect(statuses.filter((each) => each !== 200 && each !== 429)).toEqual([]);
      return statuses.filter((each) => each === 200).length;
    };
    for (const sub of ['bob', 'carol']) {
      const count = await passed(sub);
      expect(count).toBeGreaterThanOrEqual(57);
      expect(count).toBeLessThanOrEqual(63);
    }
    // A new token is no new allowance, at none of them.
    for (const { port } of replicas.all)
      expect(await status('/counted', tokenFor('/counted', { sub: 'bob' }), port)).toBe(429);
  });

  it('are one to an SDK client from its login to the stream, and stay so when one is killed and comes back (W15)', async () => {
    const record = recordExchanges(replicas.url);
    const login = new ScriptedLogin((url) => server.signIn(url, 'alice'));
    await using session = await connectSdkV2(`${replicas.url}/mcp`, login, { fetch: record.fetch });
    await eventually('the stream is open', () => record.lines.includes('GET /mcp 200'), 15_000);
    let progressed = 0;
    await session.client.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 0.8, steps: 4 } },
      { onprogress: () => (progressed += 1) },
    );
    expect(progressed).toBeGreaterThanOrEqual(2);
    const list = (): Promise<boolean> =>
      session.client.listTools().then(
        ({ tools }) => tools.length > 0,
        () => false,
      );
    const answered = replicas.all.map((replica) => replica.answered);
    for (let turn = 0; turn < 6; turn += 1) expect(await list()).toBe(true);
    await eventually('each of them has answered', () =>
      replicas.all.every((replica, index) => replica.answered > (answered[index] ?? 0)),
    );

    const token = tokenFor('/plain');
    const load = { noticed: false, ended: false, asked: 0, wrong: [] as number[] };
    const worker = async (): Promise<void> => {
      while (!load.ended) {
        const { noticed } = load;
        const answer = await status('/plain', token).catch(() => 0);
        load.asked += 1;
        if (answer !== 200 && noticed) load.wrong.push(answer);
      }
    };
    const workers = Promise.all([worker(), worker(), worker()]);
    const [victim] = replicas.all;
    const calls = [list(), list(), list()];
    await victim?.kill();
    // What was under way on it is lost; the balancer asks another where a connection is refused.
    await Promise.all(calls);
    await eventually('calls pass in the same session', list, 15_000);
    load.noticed = true;
    for (let turn = 0; turn < 6; turn += 1) expect(await list()).toBe(true);
    await victim?.start();
    const before = victim?.answered ?? 0;
    await eventually(
      'the new one takes part in the session',
      async () => (await list()) && (victim?.answered ?? 0) > before,
      15_000,
    );
    load.ended = true;
    await workers;
    expect([load.wrong, load.asked > 20]).toEqual([[], true]);
  }, 90_000);
});
