/** Traces: of a real process that loads an SDK first, as the guide says, and of a gateway without one. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as send } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChild, type Child } from '../support/child-process.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually, reserveFreePort } from '../support/loopback.ts';
import { prometheusMissing, prometheusNote, startPrometheus } from '../support/prometheus.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { startTraceCollector, type Span, type TraceCollector } from '../support/trace-collector.ts';
import { startWorld, toolCall, type World } from './world.ts';
import { program } from '../support/program.ts';

const pathOf = (path: string): string => new URL(path, import.meta.url).pathname;

/** The gateway listens on 127.0.0.1 alone, and believes the one peer that comes from the other address. */
const proxy = '127.0.0.2';
const stranger = '127.0.0.1';
const traceId = '0af7651916cd43dd8448eb211c80319c';
const parent = `00-${traceId}-b7ad6b7169203331-01`;

interface Call {
  readonly port: number;
  readonly from: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
}

async function call({ port, from, token, headers = {}, body = toolCall() }: Call): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const request = send({
    host: '127.0.0.1',
    port,
    path: '/mcp',
    method: 'POST',
    localAddress: from,
    agent: false,
    headers: {
      host: `localhost:${port}`,
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
  });
  request.once('error', reject);
  request.once('response', (response) => {
    response.resume();
    response.once('end', () => resolve(response.statusCode ?? 0));
  });
  request.end(body);
  return promise;
}

describe('a gateway that an SDK is loaded into', () => {
  let issuer: Issuer;
  let upstream: RecordingUpstream;
  let collector: TraceCollector;
  let gateway: Child;
  let folder: string;
  let port: number;
  let opsPort: number;
  let token: string;

  beforeAll(async () => {
    [port, opsPort] = [await reserveFreePort(), await reserveFreePort()];
    issuer = await startIssuer({ algorithms: ['ES256'], audience: `http://localhost:${port}/mcp` });
    upstream = await startRecordingUpstream();
    collector = await startTraceCollector();
    token = issuer.token();
    folder = mkdtempSync(join(tmpdir(), 'portcullis-traces-'));
    const file = join(folder, 'config.yaml');
    writeFileSync(
      file,
      `publicUrl: http://localhost:${port}
listen: { host: 127.0.0.1, port: ${port}, trustProxy: [${proxy}] }
ops: { host: 127.0.0.1, port: ${opsPort} }
authorizationServers: [{ issuer: '${issuer.url}' }]
routes: [{ name: tools, path: /mcp, upstream: '${upstream.url}' }]
`,
    );
    gateway = await startChild({
      name: 'the gateway',
      args: [
        ...['../../docs/snippets/traces.mjs', '../support/instrumented-client.ts'].flatMap((preload) => [
          '--import',
          pathOf(preload),
        ]),
        program,
        '--config',
        file,
      ],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '100' },
      readyUrl: `http://127.0.0.1:${opsPort}/readyz`,
      withinMs: 30_000,
    });
  }, 60_000);
  afterAll(async () => {
    await gateway.close();
    await Promise.all([issuer.close(), upstream.close(), Promise.resolve(collector[Symbol.asyncDispose]())]);
    rmSync(folder, { recursive: true, force: true });
  });

  const served = (): readonly Span[] => collector.spans.filter(({ kind }) => kind === 2);

  /** Makes one call; answers its span, and what the upstream was told of it. */
  async function traced(asked: Omit<Call, 'port'>) {
    const before = { spans: served().length, requests: upstream.requests.length };
    const status = await call({ port, ...asked });
    await eventually('the span arrives', () => served().length > before.spans, 10_000);
    expect(served()).toHaveLength(before.spans + 1);
    const span = served()[before.spans];
    if (span === undefined) throw new Error('there is no span');
    return { status, span, forwarded: upstream.requests[before.requests] };
  }

  it('makes one span of a request, with route, method, status and reason, and no person in it', async () => {
    const { status, span, forwarded } = await traced({ from: stranger, token });
    expect(status).toBe(200);
    expect(span).toMatchObject({ service: 'portcullis', scope: 'portcullis', name: 'POST tools', kind: 2 });
    expect(span.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': 'tools',
      'http.response.status_code': 200,
      'mcp.method.name': 'tools/call',
      'portcullis.request_id': expect.any(String) as string,
      'portcullis.decision': 'allow',
      'portcullis.reason': 'ok',
      'portcullis.upstream.status_code': 200,
    });
    expect(forwarded?.header('traceparent')).toEqual([`00-${span.traceId}-${span.spanId}-01`]);
    await eventually('the log line is written', () =>
      gateway.output.some((line) => line.includes(`"traceId":"${span.traceId}"`)),
    );
  });

  it('says why a request was refused, and calls only faults behind the gate errors', async () => {
    const refused = await traced({ from: stranger });
    expect(refused.span.attributes).toMatchObject({
      'http.response.status_code': 401,
      'portcullis.decision': 'deny',
      'portcullis.reason': 'no_credentials',
    });
    expect(refused.span.statusCode).toBe(0);
    upstream.answerOnce({ bytes: 'nonsense\r\n\r\n' });
    const failed = await traced({ from: stranger, token });
    expect(failed.span.attributes).toMatchObject({
      'http.response.status_code': 502,
      'error.type': 'garbage',
    });
    expect(failed.span.statusCode).toBe(2);
  });

  it('continues the trace of a trusted proxy, with its state', async () => {
    const headers = { traceparent: parent, tracestate: 'vendor=1', baggage: 'user=alice' };
    const { span, forwarded } = await traced({ from: proxy, token, headers });
    expect(span).toMatchObject({ traceId, parentSpanId: 'b7ad6b7169203331' });
    expect(forwarded?.header('traceparent')).toEqual([`00-${traceId}-${span.spanId}-01`]);
    expect(forwarded?.header('tracestate')).toEqual(['vendor=1']);
    expect(forwarded?.header('baggage')).toEqual([]);
  });

  it.each([
    ['of a stranger', stranger, { traceparent: parent, tracestate: 'vendor=1' }],
    ['of a proxy that says two', proxy, { traceparent: [parent, parent.replace('b7', 'b8')] }],
    ['of a proxy that is malformed', proxy, { traceparent: `${parent}-more`, tracestate: 'vendor=1' }],
  ])(
    'begins a trace of its own where one %s is at hand, and tells of one alone',
    async (_what, from, headers) => {
      const { span, forwarded } = await traced({ from, token, headers });
      expect(span.traceId).not.toBe(traceId);
      expect(span.parentSpanId).toBeUndefined();
      expect(forwarded?.header('traceparent')).toEqual([`00-${span.traceId}-${span.spanId}-01`]);
      expect(forwarded?.header('tracestate')).toEqual([]);
    },
  );

  it('never tells of a token, a subject or a tool (E-001)', async () => {
    await traced({ from: stranger, token, body: toolCall(1, 'tool-of-a-caller') });
    await traced({ from: stranger, token: `${token}x` });
    const [, claims = '', signature = ''] = token.split('.');
    for (const secret of [claims.slice(0, 24), signature.slice(0, 24), 'alice', 'tool-of-a-caller'])
      expect([secret, collector.text.includes(secret)]).toEqual([secret, false]);
  });

  it.skipIf(prometheusMissing !== undefined)(
    `shows Prometheus which trace a duration is of${prometheusNote}`,
    async () => {
      const { span } = await traced({ from: stranger, token });
      const metrics = await fetch(`http://127.0.0.1:${opsPort}/metrics`);
      expect(metrics.headers.get('content-type')).toContain('application/openmetrics-text');
      await using prometheus = await startPrometheus([`127.0.0.1:${opsPort}`]);
      const exemplars = async (): Promise<string> =>
        JSON.stringify(
          await prometheus.ask('/api/v1/query_exemplars', {
            query: 'portcullis_request_duration_seconds_bucket',
            start: String(Date.now() / 1000 - 300),
            end: String(Date.now() / 1000 + 60),
          }),
        );
      await eventually(
        'the exemplar is there',
        async () => (await exemplars()).includes(span.traceId),
        15_000,
      );
      expect(await prometheus.query('portcullis_requests_total{status="200"}')).not.toEqual([]);
    },
  );
});

it('the guide shows the preload as it is', () => {
  const [guide, snippet] = ['../../docs/guides/observability.md', '../../docs/snippets/traces.mjs'].map(
    (path) => readFileSync(pathOf(path), 'utf8'),
  );
  expect(guide).toContain(`\`\`\`js\n${snippet}\`\`\`\n`);
});

describe('a gateway without an SDK', () => {
  let world: World;

  beforeAll(async () => {
    world = await startWorld({
      yaml: ({ issuer, upstream, publicUrl }) => `
listen: { host: 127.0.0.1, port: ${new URL(publicUrl).port}, trustProxy: [${proxy}, '::1'] }
authorizationServers: [{ issuer: '${issuer.url}' }]
routes: [{ name: tools, path: /mcp, upstream: '${upstream.url}' }]
`,
    });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  it.each([
    {
      who: 'a proxy',
      from: proxy,
      headers: { traceparent: parent, tracestate: ['a=1', 'b=2'] },
      parents: [parent],
      states: ['a=1, b=2'],
    },
    { who: 'a stranger', from: stranger, headers: { traceparent: parent, tracestate: 'a=1' } },
    { who: 'a proxy, twice', from: proxy, headers: { traceparent: [parent, parent] } },
    { who: 'a proxy, without the trace', from: proxy, headers: { tracestate: 'a=1' } },
  ])('passes on what $who says of a trace, or nothing', async (said) => {
    const { from, headers, parents = [], states = [] } = said;
    const { gateway, issuer, upstream } = world;
    const before = upstream.requests.length;
    expect(await call({ port: gateway.port, from, token: issuer.token(), headers })).toBe(200);
    const forwarded = upstream.requests[before];
    expect(forwarded?.header('traceparent')).toEqual(parents);
    expect(forwarded?.header('tracestate')).toEqual(states);
  });

  it('shows metrics as plain text, without exemplars', async () => {
    const metrics = await fetch(`${world.gateway.opsUrl}/metrics`);
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    expect(await metrics.text()).not.toContain('trace_id');
  });
});
