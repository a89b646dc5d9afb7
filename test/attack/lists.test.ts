/** Lists that a server sends in every disguise: what a caller may not use never reaches them (attack catalogue C-046, C-047, C-049, C-052, D-009). */
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventStream } from '../support/event-stream.ts';
import { mark } from '../support/invariants.ts';
import type { RawClient } from '../support/raw-client.ts';
import type { RawResponse } from '../support/raw-response.ts';
import type { PlainReply, Reply } from '../support/recording-upstream.ts';
import { startScene, type Scene } from './scene.ts';

const policy = `
    policy: [{ name: readers, tools: ['get_*'], prompts: [hello], resources: ['file:///public/*'] }, { name: writers, tools: [put], scopes: [write] }]`;

let scene: Scene;

beforeAll(async () => {
  scene = await startScene({
    routes: `routes:
  - name: tools
    path: /mcp
    scopes: [mcp:use]
    upstream: '$upstream'${policy}
  - name: shown
    path: /shown
    scopes: [mcp:use]
    hide: false
    upstream: '$upstream'${policy}
  - name: legacy
    path: /sse
    scopes: [mcp:use]
    upstream: { url: '$upstream', transport: sse, sharedProcess: isolated }${policy}
`,
  });
});

afterAll(() => scene.close());

const token = (aud = '/mcp'): string =>
  scene.token({ key: 'ES256', claims: { scope: 'mcp:use', aud: scene.resource(aud) } });
const message = (method: string, id: number = 1): string => JSON.stringify({ jsonrpc: '2.0', id, method });

const answer = (result: string, id = 1): string => `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
/** `hidden` is what must never be seen. */
const full = answer('{"tools":[{"name":"get_a"},{"name":"hidden_x"},{"name":"put"}],"nextCursor":"n"}');
const kept = answer('{"tools":[{"name":"get_a"},{"name":"put"}],"nextCursor":"n"}');
const failed = '{"jsonrpc":"2.0","id":1,"error":{"code":50200,"message":"The MCP server failed"}}';

const json = { 'content-type': 'application/json' };
const events = { 'content-type': 'text/event-stream' };

function asText({ body, headerLines }: RawResponse): string {
  return `${JSON.stringify(headerLines)}${body.toString('latin1')}`;
}

async function list(reply: Reply, method = 'tools/list'): Promise<RawResponse> {
  scene.upstream.answerOnce(reply);
  const response = await scene.ask({
    token: token(),
    body: message(method),
    lines: ['Accept-Encoding: gzip, br'],
  });
  expect(asText(response)).not.toMatch(/hidden/i);
  return response;
}

describe('a list of tools', () => {
  it.each([
    ['Application/JSON', 200],
    ['application/json ; charset="UTF-8"', 200],
    ['application/json;charset=us-ascii', 200],
    ['text/json', 200],
    ['text/plain', 200],
    ['application/octet-stream', 200],
    ['application/json', 201],
    ['application/json', 202],
    ['application/json', 206],
    ['application/json', 400],
    ['application/json', 404],
    ['application/json', 500],
    ['application/json', 503],
  ])('is filtered as %s with status %i (C-047)', async (type, status) => {
    const before = await mark(scene);
    const response = await list({
      status,
      headers: { 'content-type': type, 'cache-control': 'public, max-age=60' },
      body: full,
    });
    expect([response.status, response.body.toString()]).toEqual([status, kept]);
    expect(response.header('content-length')).toEqual([String(kept.length)]);
    expect(response.header('cache-control')).toEqual(['no-store']);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
  });

  it('is filtered without a type, without a length, and in any pieces (C-047)', async () => {
    const response = await list(async (_request, raw) => {
      raw.writeHead(200, { 'transfer-encoding': 'chunked' });
      for (const piece of full.match(/.{1,9}/g) ?? []) {
        raw.write(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
      raw.end();
    });
    expect([response.status, response.body.toString()]).toEqual([200, kept]);
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['zstd', zstdCompressSync],
  ])('is asked for as it is, and refused in %s, bomb or not (C-047, D-009)', async (encoding, compress) => {
    const before = await mark(scene);
    for (const body of [full, Buffer.alloc(1024 * 1024)]) {
      const response = await list({
        headers: { ...json, 'content-encoding': encoding },
        body: compress(body),
      });
      expect([response.status, response.body.toString()]).toEqual([502, failed]);
      const streamed = await list({
        headers: { ...events, 'content-encoding': encoding },
        body: compress(body),
      });
      expect(streamed.status).toBe(502);
    }
    expect(scene.upstream.requests.at(-1)?.header('accept-encoding')).toEqual(['identity']);
    await before.hold({ forwarded: 4, reasons: ['garbage'] });
  });

  it.each([
    ['text/event-stream, application/json', full],
    ['text/event-streams', `data: ${full}\n\n`],
    ['x-text/event-stream', `data: ${full}\n\n`],
    ['text/event-stream; as=application/json', full],
    ['application/json; charset=utf-16', full],
    ['application/json; charset=utf-7', full],
    ['text/event-stream; charset=utf-8; charset=utf-7', `data: ${full}\n\n`],
    ["text/event-stream; charset*=us-ascii''utf-7", `data: ${full}\n\n`],
    ['text/event-stream; charset=utf-16', `data: ${full}\n\n`],
  ])('is refused as %s, which clients read in more than one way (C-047)', async (type, body) => {
    expect((await list({ headers: { 'content-type': type }, body })).status).toBe(502);
  });

  it.each([
    ['UTF-16', Buffer.from(full, 'utf16le')],
    ['UTF-16 with a byte order mark', Buffer.from(`\ufeff${full}`, 'utf16le')],
    ['a byte order mark', `\ufeff${full}`],
    ['no UTF-8', Buffer.from(full.replace('hidden', 'h\xffidden'), 'latin1')],
    ['a result beside an error', full.replace('"result"', '"error":{"code":1,"message":"x"},"result"')],
    ['a result twice', full.replace('"result"', '"result":{"tools":[]},"result"')],
    ['a list twice', full.replace('"tools"', '"tools":[],"tools"')],
    ['lenient JSON', full.replace('"name":"get_a"', "'name':'get_a'")],
    ['another case', full.replace('"tools"', '"Tools"')],
    ['another case of the result', full.replace('"result"', '"Result"')],
    ['a notification', full.replace('"id":1', '"method":"notifications/x"')],
    ['a request', full.replace('"id":1', '"id":1,"method":"x"')],
    ['a map', answer('{"tools":{"hidden_x":{"name":"hidden_x"}}}')],
    ['two answers in one body', `${full}\n${full}`],
    ['events', `data: ${full}\n\n`],
    ['parts', `--x\r\nContent-Type: application/json\r\n\r\n${full}\r\n--x--`],
    ['a batch with one that is broken', `[${full},${full.replace('"id":1', '"id":null')}]`],
    ['depth', full.replace('"nextCursor":"n"', `"x":${'['.repeat(100)}${']'.repeat(100)}`)],
  ])('that can be read in two ways is a 502: %s (C-046)', async (_what, body) => {
    const before = await mark(scene);
    const response = await list({ headers: json, body });
    expect([response.status, response.body.toString()]).toEqual([502, failed]);
    const [event] = await before.hold({ forwarded: 1, reasons: ['garbage'] });
    expect(event?.decision).toBe('allow');
  });

  it('is filtered in spelling of every kind, and what does not say its name is left out (C-046)', async () => {
    const names = [
      '"hidden_x"',
      '"\\u0068idden"',
      '"get"',
      '"Get_a"',
      '" get_a"',
      '7',
      'null',
      '["get_a"]',
      '""',
    ];
    const items = [...names, '"get_b","name":"hidden_x"', '"get_b","Name":"hidden_x"']
      .map((name) => `{"name":${name}}`)
      .join(',');
    const response = await list({
      headers: json,
      body: answer(`{"tools":[${items},{"name":"\\u0067et_a","x":1.0}],"cacheScope":"public"}`),
    });
    expect(response.body.toString()).toBe(
      answer('{"tools":[{"name":"\\u0067et_a","x":1.0}],"cacheScope":"private"}'),
    );
  });

  it('is private to who asked for it, for one caller after the other (C-052)', async () => {
    const body = answer(
      '{"tools":[{"name":"get_a"},{"name":"hidden_x"}],"ttlMs":60000,"cacheScope":"public"}',
    );
    const response = await list({ headers: { ...json, 'cache-control': 'public' }, body });
    expect(response.body.toString()).toBe(
      answer('{"tools":[{"name":"get_a"}],"ttlMs":60000,"cacheScope":"private"}'),
    );
    expect(response.header('cache-control')).toEqual(['no-store']);
  });

  it('longer than can be held is a 502 (D-009)', async () => {
    const body = `{"jsonrpc":"2.0","id":1,"result":{"tools":[${'{"name":"hidden_x"},'.repeat(230_000)}{"name":"get_a"}]}}`;
    expect((await list({ headers: json, body })).status).toBe(502);
  });
});

describe('other lists', () => {
  it.each([
    ['prompts/list', 'prompts', '{"name":"hello"}', '{"name":"hidden"}'],
    ['resources/list', 'resources', '{"uri":"file:///public/a"}', '{"uri":"file:///hidden"}'],
    ['resources/list', 'resources', '{"uri":"file:///public/a"}', '{"uri":"file:///public/../hidden"}'],
    [
      'resources/templates/list',
      'resourceTemplates',
      '{"uriTemplate":"file:///{p}"}',
      '{"uriTemplate":"file:///hidden/{p}"}',
    ],
  ])('are filtered too: %s (P2, C-049)', async (method, name, shown, hidden) => {
    const response = await list({ headers: json, body: answer(`{"${name}":[${hidden},${shown}]}`) }, method);
    expect(response.body.toString()).toBe(answer(`{"${name}":[${shown}]}`));
  });

  it('are filtered in the answer to anything else, where a confused server puts them (C-046)', async () => {
    for (const method of ['ping', 'initialize', 'server/discover', 'prompts/list', 'notifications/x'])
      expect((await list({ headers: json, body: full }, method)).body.toString()).toBe(kept);
    scene.upstream.answerOnce({ headers: json, body: full });
    const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_a"}}';
    expect((await scene.ask({ token: token(), body: call })).body.toString()).toBe(kept);
    scene.upstream.answerOnce({ headers: json, body: `[${full}]` });
    expect((await scene.ask({ token: token(), body: `[${call}]` })).body.toString()).toBe(`[${kept}]`);
    scene.upstream.answerOnce({ headers: json, body: full });
    expect((await scene.ask({ token: token(), method: 'DELETE' })).body.toString()).toBe(kept);
  });
});

describe('an event stream', () => {
  it.each([
    [
      'split data',
      `data: {"jsonrpc":"2.0","id":1,\ndata: "result":{"tools":[{"name":\ndata: "hidden_x"}]}}\n\n`,
    ],
    ['two messages in one event', `data: ${full}\ndata: ${full}\n\n`],
    ['two messages in a batch', `data: [${full},${full}]\n\n`],
    ['mixed terminators', `event: message\r\ndata: ${full}\r\rdata: ${full}\n\r\n`],
    [
      'CR for a line to some, space to others',
      `data: {"jsonrpc":"2.0","id":1,"result":{\r"tools":[{"name":"hidden_x"}]}}\n\n`,
    ],
    ['a byte order mark', `\ufeffdata: ${full}\n\n`],
    ['a byte order mark further on', `data: 1\n\n\ufeffdata: ${full}\n\n`],
    ['a notification with a result', `data: ${full.replace('"id":1', '"method":"notifications/x"')}\n\n`],
    ['an error beside the result', `data: ${full.replace('"result"', '"error":{},"result"')}\n\n`],
    ['comments', `: ${full}\n\n:${full}\ndata: ${full}\n\n`],
    ['fields that are none', `tools: ${full}\n${full}\ndata : ${full}\n\n`],
    ['other types of event', `event: x\ndata: ${full}\n\nevent: endpoint\ndata: ${full}\n\n`],
    ['a member twice', `data: ${full.replace('"tools"', '"tools":[],"tools"')}\n\n`],
    ['nothing at its end', `data: ${full}`],
    ['UTF-16', Buffer.from(`data: ${full}\n\n`, 'utf16le')],
    ['NUL', `data: ${full.replaceAll('"tools"', '"too\0ls"')}\n\n`],
  ])('never shows what is hidden: %s (C-046)', async (_what, body) => {
    const before = await mark(scene);
    scene.upstream.answerOnce({ headers: events, body });
    await using client = await scene.connect();
    client.send(scene.request({ token: token(), body: message('tools/list') }));
    // One that can't go on is broken off.
    await client.received('\r\n0\r\n\r\n').catch(() => client.closedByPeer());
    scene.asked += 1;
    expect(client.pending.toString('latin1')).not.toContain('hidden');
    await before.hold({ forwarded: 1 });
  });

  it('gives an error to the request whose answer cannot be filtered, and goes on; the log says why (C-046)', async () => {
    const before = await mark(scene);
    const doubled = full.replace('"tools"', '"tools":[],"tools"');
    const response = await list({ headers: events, body: `id: 1\ndata: ${doubled}\n\ndata: ${full}\n\n` });
    expect(response.body.toString()).toBe(`id: 1\ndata: ${failed}\n\ndata: ${kept}\n\n`);
    const [event] = await before.hold({ forwarded: 1, reasons: ['ok'] });
    expect(scene.gateway.log.find(({ requestId }) => requestId === event?.requestId)).toMatchObject({
      detail: "a list that can't be filtered: two lists of one name",
    });
  });

  it('that a client resumes or listens on is filtered, each list as it comes (C-046)', async () => {
    const stream = new EventStream();
    scene.upstream.answerOnce({ headers: { 'mcp-session-id': 's-1' }, body: {} });
    const session = (await scene.ask({ token: token(), body: message('initialize') })).header(
      'mcp-session-id',
    )[0];
    await using client = await open(stream, [`Mcp-Session-Id: ${session}`, 'Last-Event-ID: 7']);
    await stream.write(`id: 8\ndata: ${full}\n\n`);
    await client.received(`id: 8\ndata: ${kept}\n\n`);
    await stream.send(JSON.parse(full));
    await client.received(`event: message\ndata: ${kept}\n\n`);
    // Nobody knows for whom: nothing more of this stream.
    await stream.write('data: {"result":{"tools":[{"name":"hidden_x"}]}}\n\n');
    await client.closedByPeer();
    expect(client.pending.toString()).not.toContain('hidden');
  });

  it('of the older transport carries the lists, filtered (C-046)', async () => {
    const stream = new EventStream();
    await using client = await open(stream, ['Accept: text/event-stream'], '/sse');
    await stream.write(
      `event: endpoint\ndata: /message?sessionId=1\n\nevent: message\r\ndata: ${full}\r\n\r\n`,
    );
    await client.received(`event: message\ndata: ${kept}\n\n`);
    expect(client.pending.toString()).toMatch(/data: \/sse\?session=/);
    expect(client.pending.toString()).not.toContain('hidden');
  });

  async function open(stream: EventStream, lines: readonly string[], target = '/mcp'): Promise<RawClient> {
    scene.upstream.answerOnce(stream);
    const client = await scene.connect();
    client.send(scene.request({ method: 'GET', target, token: token(target), lines }));
    await stream.opened();
    return client;
  }
});

it('a route that hides nothing passes lists as they are, in any encoding', async () => {
  const replies: readonly PlainReply[] = [
    { headers: { ...json, 'cache-control': 'public' }, body: full },
    { headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync(full) },
    { headers: events, body: `: ${full}\r\rdata: ${full}` },
  ];
  for (const reply of replies) {
    scene.upstream.answerOnce(reply);
    const response = await scene.ask({
      token: token('/shown'),
      target: '/shown',
      body: message('tools/list'),
      lines: ['Accept-Encoding: gzip'],
    });
    expect(response.body).toEqual(Buffer.from(reply.body as string | Buffer));
    expect(scene.upstream.requests.at(-1)?.header('accept-encoding')).toEqual(['gzip']);
  }
});
