/** Two replicas behind a real balancer are replaced one after the other while people work (W15, A27, D-016). */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ask, only } from '../integration/world.ts';
import { balancerMissing, balancerNote } from '../support/balancer.ts';
import { startIssuer } from '../support/issuer.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { startReplicas } from '../support/replicas.ts';

const steps = 4;

/** What the upstream answers takes its time: a plain answer, or events with one between them and the last. */
interface Kind {
  readonly name: 'plain' | 'stream';
  readonly takesMs: number;
}

const kinds: readonly Kind[] = [
  { name: 'plain', takesMs: 0 },
  { name: 'plain', takesMs: 150 },
  { name: 'stream', takesMs: 400 },
  { name: 'stream', takesMs: 2_000 },
];

it.skipIf(balancerMissing !== undefined)(
  `a rolling restart under load loses no answer and no session (W15, A27, D-016)${balancerNote}`,
  async () => {
    await using issuer = await startIssuer({ algorithms: ['ES256'] });
    await using upstream = await startRecordingUpstream();
    await using replicas = await startReplicas({
      count: 2,
      environment: { SESSION_KEY: randomBytes(32).toString('base64') },
      yaml: () => `stop: { delay: 1s, drain: 15s }
sessions: { key: { env: SESSION_KEY } }
authorizationServers: [{ name: scripted, issuer: '${issuer.url}' }]
routes: [{ name: tools, path: /mcp, limits: { perPrincipal: { calls: 200 } }, upstream: '${upstream.url}' }]
`,
    });
    const token = issuer.token({ claims: { aud: `${replicas.url}/mcp` } });
    upstream.answerOnce({ headers: { 'mcp-session-id': 'held-upstream' }, body: {} });
    const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: {} });
    const session = only(await ask(replicas.port, { token, body }), 'mcp-session-id') ?? '';
    expect(session).not.toBe('');

    upstream.answer(async (request, response) => {
      const { id, params } = JSON.parse(request.body.toString()) as { id: string; params: Kind };
      const result = { jsonrpc: '2.0', id, result: { session: request.header('mcp-session-id') } };
      if (params.name === 'plain') {
        await sleep(params.takesMs);
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(result));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let step = 0; step < steps; step += 1) {
        response.write(
          `data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"at":${step}}}\n\n`,
        );
        await sleep(params.takesMs / steps);
      }
      response.end(`data: ${JSON.stringify(result)}\n\n`);
    });

    const load = { ended: false, whole: 0 };
    const wrong: string[] = [];
    const call = async (kind: Kind, id: string): Promise<void> => {
      const answer = await fetch(`${replicas.url}/mcp`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-session-id': session,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: kind }),
      });
      const text = await answer.text();
      const isWhole =
        answer.status === 200 &&
        text.includes(`"id":"${id}","result":{"session":["held-upstream"]}`) &&
        text.split('notifications/progress').length === (kind.name === 'stream' ? steps + 1 : 1);
      if (isWhole) load.whole += 1;
      else wrong.push(`${kind.name} of ${kind.takesMs} ms: ${answer.status} ${text.slice(0, 200)}`);
    };
    const worker = async (kind: Kind, who: number): Promise<void> => {
      for (let turn = 0; !load.ended; turn += 1) {
        await call(kind, `${who}-${turn}`).catch((error: Error) =>
          wrong.push(
            `${kind.name} of ${kind.takesMs} ms: ${error.message} ${(error.cause as Error | undefined)?.message}`,
          ),
        );
        await sleep(5);
      }
    };
    const workers = Promise.all(
      Array.from({ length: 16 }, (_, who) => worker(kinds[who % kinds.length] as Kind, who)),
    );

    for (const replica of replicas.all) {
      await sleep(1_000);
      await replica.stop();
      const before = replica.answered;
      await replica.start();
      await expect.poll(() => replica.answered > before, { timeout: 15_000 }).toBe(true);
    }
    await sleep(500);
    load.ended = true;
    await workers;
    expect(wrong).toEqual([]);
    expect(load.whole).toBeGreaterThan(100);
    const exits = replicas.all
      .flatMap(({ output }) => output)
      .filter((line) => line.includes('"level":"fatal"'));
    expect(exits).toEqual([]);
  },
  180_000,
);
