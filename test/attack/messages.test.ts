/** Bodies that two parsers would read differently, through the whole gateway (attack catalogue C-001 to C-014). */
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mark, type Reason } from '../support/invariants.ts';
import { expectError } from './answers.ts';
import { startScene, type Ask, type Scene } from './scene.ts';

let scene: Scene;
let token: string;

beforeAll(async () => {
  scene = await startScene();
  token = scene.token({ key: 'ES256' });
});

afterAll(() => scene.close());

const invalid = { code: -32600, message: 'Invalid request' };
const unreadable = { code: -32700, message: 'Parse error' };

/** 400 with the JSON-RPC error, and not a byte at the upstream. */
async function expectRefused(
  bodies: readonly (string | Buffer)[],
  reasons: readonly Reason[],
): Promise<void> {
  const before = await mark(scene);
  for (const body of bodies) {
    const answer = await scene.ask({ token, body });
    expect([body.toString('latin1').slice(0, 200), answer.status]).toEqual([expect.any(String), 400]);
    const { id, error } = JSON.parse(answer.body.toString()) as { id: unknown; error: { code: number } };
    expectError(answer, error.code === -32700 ? unreadable : invalid, id);
  }
  const events = await before.hold({ forwarded: 0 });
  for (const { reason } of events) expect(reasons).toContain(reason);
}

/** Served, with exactly these bytes. */
async function expectServed(bodies: readonly string[]): Promise<void> {
  const before = await mark(scene);
  for (const body of bodies) {
    const answer = await scene.ask({ token, body });
    if (answer.status !== 200 && answer.status !== 202)
      expect.fail(`${answer.status} for ${body.slice(0, 200)}`);
    expect(scene.upstream.requests.at(-1)?.body.toString()).toBe(body);
  }
  await before.hold({ forwarded: bodies.length, reasons: ['ok'] });
}

async function expectUnsupported(asks: readonly Ask[], reason: Reason): Promise<void> {
  const before = await mark(scene);
  for (const ask of asks) {
    const answer = await scene.ask({ token, ...ask });
    expect(answer.status).toBe(415);
    expect(answer.header('accept-encoding')).toEqual(['identity']);
  }
  await before.hold({ forwarded: 0, reasons: [reason] });
}

const call = '"jsonrpc":"2.0","id":1,"method":"tools/call"';

describe('members', () => {
  it('C-001: one that occurs twice is refused at every depth and in every spelling', async () => {
    await expectRefused(
      [
        `{${call},"method":"tools/list"}`,
        `{"method":"tools/list",${call}}`,
        `{${call},"\\u006dethod":"tools/list"}`,
        `{${call},"id":2}`,
        `{${call},"jsonrpc":"2.0"}`,
        `{${call},"params":{"name":"a"},"params":{"name":"b"}}`,
        `{${call},"params":{"name":"a","name":"b"}}`,
        `{${call},"params":{"name":"a","n\\u0061me":"b"}}`,
        `{${call},"params":{"name":"a","arguments":{"x":1,"x":2}}}`,
        `{${call},"params":{"name":"a","arguments":{"deep":[[{"x":1,"\\u0078":2}]]}}}`,
        `{${call},"params":{"_meta":{"a":1},"_meta":{"a":2}}}`,
        `[{${call}},{${call},"id":2}]`,
        `{${call},"params":{${Array.from({ length: 40 }, (_, at) => `"m${at}":1`).join(',')},"m0":2}}`,
      ],
      ['duplicate_member'],
    );
  });

  it('C-003: one that differs by case alone from a reserved one is refused', async () => {
    await expectRefused(
      [
        `{${call},"Method":"tools/list"}`,
        '{"jsonrpc":"2.0","id":1,"METHOD":"tools/call"}',
        `{${call},"Params":{"name":"b"}}`,
        `{${call},"ID":2}`,
        `{${call},"JsonRpc":"1.0"}`,
        `{${call},"Result":{}}`,
        `{${call},"ERROR":{}}`,
        `{${call},"param\u017f":{"name":"b"}}`,
        `{${call},"params":{"name":"a","Name":"b"}}`,
        `{${call},"params":{"NAME":"b"}}`,
        `{${call},"params":{"uri":"a","URI":"b"}}`,
        `{${call},"params":{"name":"a","Arguments":{}}}`,
        `{${call},"params":{"_Meta":{}}}`,
      ],
      ['member_case'],
    );
  });

  it('C-003: the names that MCP itself writes with capitals are no lookalikes', async () => {
    await expectServed([
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"x"}}',
      '{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"x"}}',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"Name":"b","ID":7},"_meta":{"progressToken":1}}}',
      '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}',
    ]);
  });

  it("C-014: names of an object's own members are data like any other, and pollute nothing", async () => {
    await expectServed([
      `{${call},"params":{"name":"__proto__","arguments":{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}},"toString":1}}}`,
      `{${call},"params":{"name":"constructor","_meta":{"__proto__":{"x":1}}}}`,
      '{"jsonrpc":"2.0","id":1,"method":"__proto__","params":{"__proto__":{"x":1}}}',
      '{"jsonrpc":"2.0","id":"__proto__","method":"constructor","__proto__":{"method":"tools/list"}}',
    ]);
    expect(({} as { x?: number }).x).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
    const metrics = await (await fetch(`${scene.gateway.opsUrl}/metrics`)).text();
    expect(metrics).not.toContain('rpc_method="__proto__"');
    expect(metrics).not.toContain('rpc_method="constructor"');
  });
});

describe('the label of a body', () => {
  const body = `{${call},"params":{"name":"a"}}`;

  it('C-005: anything but JSON is refused before it is read', async () => {
    const types = [
      'text/plain',
      'text/json',
      'application/octet-stream',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded',
      'application/json-rpc',
      'application/jsonx',
      'application/vnd.api+json',
      'application/json, text/plain',
      'application/json; charset=utf-8; x=y',
      'xapplication/json',
      '*/*',
      'application/*',
      '',
    ];
    await expectUnsupported(
      types.map((contentType) => ({ body, contentType })),
      'content_type',
    );
    await expectUnsupported([{ body: null, lines: [`Content-Length: 0`] }], 'content_type');
  });

  it('C-007: another character set is refused, whatever the bytes are', async () => {
    const charsets = [
      'utf-16',
      'utf-16le',
      'utf-7',
      'latin1',
      'iso-8859-1',
      'us-ascii',
      'utf-32',
      '"utf-16"',
    ];
    await expectUnsupported(
      charsets.map((charset) => ({ body, contentType: `application/json; charset=${charset}` })),
      'charset',
    );
    const before = await mark(scene);
    for (const contentType of [
      'application/json; charset=utf-8',
      'Application/JSON;Charset="UTF-8"',
      'application/json;',
    ])
      expect((await scene.ask({ token, body, contentType })).status).toBe(200);
    await before.hold({ forwarded: 3, reasons: ['ok'] });
  });

  it('C-007: byte order marks, UTF-16 and broken UTF-8 are no JSON', async () => {
    await expectRefused(
      [
        `\uFEFF${body}`,
        `\uFEFF{${call},"method":"x"}`,
        Buffer.from(body, 'utf16le'),
        Buffer.from(body, 'utf16le').swap16(),
        Buffer.from(`\uFEFF${body}`, 'utf16le'),
        Buffer.from(body.replace('"a"', '"\xff"'), 'latin1'),
        Buffer.concat([
          Buffer.from(`{${call},"params":{"name":"`),
          Buffer.from([0xc0, 0xae]),
          Buffer.from('"}}'),
        ]),
        Buffer.concat([
          Buffer.from(`{${call},"params":{"name":"`),
          Buffer.from([0xed, 0xa0, 0x80]),
          Buffer.from('"}}'),
        ]),
        `{${call},"params":{"name":"\\ud800"}}`,
        Buffer.from('+AHs-', 'latin1'),
      ],
      ['not_json', 'not_utf8'],
    );
  });

  it('C-008: a compressed body is refused before it is unpacked', async () => {
    const packed = gzipSync(Buffer.alloc(10 * 1024 * 1024));
    const encodings: readonly (readonly [string, Buffer])[] = [
      ['gzip', gzipSync(body)],
      ['deflate', deflateSync(body)],
      ['br', Buffer.from(body)],
      ['zstd', Buffer.from(body)],
      ['gzip, gzip', gzipSync(gzipSync(body))],
      ['identity, gzip', gzipSync(body)],
      ['x-unknown', Buffer.from(body)],
      ['', Buffer.from(body)],
      ['gzip', packed],
    ];
    await expectUnsupported(
      encodings.map(([encoding, bytes]) => ({ body: bytes, lines: [`Content-Encoding: ${encoding}`] })),
      'content_encoding',
    );
    await expectUnsupported(
      [{ body, lines: ['Content-Encoding: identity', 'Content-Encoding: gzip'] }],
      'content_encoding',
    );
    const before = await mark(scene);
    expect((await scene.ask({ token, body, lines: ['Content-Encoding: identity'] })).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['ok'] });
    expect(scene.upstream.requests.at(-1)?.header('content-encoding')).toEqual([]);
  });
});

describe('the shape of a message', () => {
  it("C-010: what isn't one JSON-RPC message is refused", async () => {
    await expectRefused(
      [
        JSON.stringify(`{${call}}`),
        '1',
        'null',
        'true',
        '{}',
        '[[]]',
        `[[{${call}}]]`,
        '{"jsonrpc":"1.0","id":1,"method":"ping"}',
        '{"id":1,"method":"ping"}',
        '{"jsonrpc":2.0,"id":1,"method":"ping"}',
        '{"jsonrpc":"2.0","id":1,"method":7}',
        '{"jsonrpc":"2.0","id":1,"method":["tools/call"]}',
        '{"jsonrpc":"2.0","id":1,"method":""}',
        '{"jsonrpc":"2.0","id":1}',
        `{"jsonrpc":"2.0","id":1,"method":"${'m'.repeat(257)}"}`,
        '{"jsonrpc":"2.0","id":null,"method":"ping"}',
        '{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
        '{"jsonrpc":"2.0","id":1e2,"method":"ping"}',
        '{"jsonrpc":"2.0","id":1.0,"method":"ping"}',
        '{"jsonrpc":"2.0","id":-0,"method":"ping"}',
        // A plain spelling of the same number elsewhere says nothing of the message's own.
        '{"jsonrpc":"2.0","id":1e0,"method":"ping","params":{"id":1}}',
        '[{"jsonrpc":"2.0","id":1.0,"method":"ping"},{"jsonrpc":"2.0","id":1,"method":"ping"}]',
        '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}',
        '{"jsonrpc":"2.0","id":[1],"method":"ping"}',
        '{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}',
        `{${call},"result":{}}`,
        '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}',
      ],
      ['shape', 'id', 'method', 'batch'],
    );
  });

  it('C-010: lenient JSON is no JSON', async () => {
    const head = `{${call}`;
    await expectRefused(
      [
        '',
        ' ',
        `${head},"params":{"a":NaN}}`,
        `${head},"params":{"a":Infinity}}`,
        `${head},"params":{"a":01}}`,
        `${head},"params":{"a":+1}}`,
        `${head},"params":{"a":.5}}`,
        `${head},"params":{"a":0x1}}`,
        `${head},}`,
        `${head}}]`,
        `${head}}x`,
        `${head}}${head}}`,
        `${head}}\n${head}}`,
        `${head}} // comment`,
        `/* comment */${head}}`,
        `${head},'params':{}}`,
        `${head},params:{}}`,
        `${head},"params":{"a":"\t"}}`,
        `${head},"params":{"a":"\\x41"}}`,
        `${head},"params":{"a":"\\u00g0"}}`,
        `${head},"params":{"a":True}}`,
        `${head},"params":[1,]}`,
        `${head},"params":[,1]}`,
        `\u00a0${head}}`,
        `\x0c${head}}`,
        `${head}}\x00`,
        head,
      ],
      ['not_json'],
    );
  });

  it('C-011: a batch is judged whole: one bad message refuses it, more than 50 are too many', async () => {
    const one = (id: number): string => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`;
    const many = (count: number): string =>
      `[${Array.from({ length: count }, (_, id) => one(id)).join(',')}]`;
    await expectRefused(
      [
        '[]',
        '[ ]',
        `[${one(1)},{}]`,
        `[${one(1)},7]`,
        `[{},${one(1)}]`,
        `[${one(1)},[${one(2)}]]`,
        many(51),
        many(10_000),
        `[${one(1)},]`,
        `[${one(1)}`,
      ],
      ['batch', 'shape', 'not_json', 'id', 'method'],
    );
    await expectServed([
      `[${one(1)}]`,
      many(50),
      '[{"jsonrpc":"2.0","method":"notifications/initialized"}]',
      '[{"jsonrpc":"2.0","id":1,"result":{}}]',
    ]);
  });

  it('C-013: deep, wide and long bodies are refused or served without a pause', async () => {
    const startedAt = performance.now();
    const deep = (depth: number): string => `{${call},"params":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    await expectRefused(
      [
        deep(5000),
        deep(200_000),
        `{${call},"params":${'{"a":'.repeat(70)}1${'}'.repeat(70)}}`,
        '['.repeat(100_000),
        '{"a":'.repeat(100_000),
      ],
      ['too_deep', 'too_many', 'not_json', 'shape', 'batch'],
    );
    const wide = `{${call},"params":{${Array.from({ length: 45_000 }, (_, at) => `"m${at}":1`).join(',')}}}`;
    const escapes = `{${call},"params":{"a":"${'\\u0041'.repeat(100_000)}"}}`;
    await expectServed([wide, escapes, deep(60)]);
    const before = await mark(scene);
    const tooLong = await scene.ask({
      token,
      body: `{${call},"params":{"a":"${'x'.repeat(4 * 1024 * 1024)}"}}`,
    });
    expect(tooLong.status).toBe(413);
    expectError(tooLong, { code: 41300, message: 'The body is too large' });
    await before.hold({ forwarded: 0, reasons: ['body_too_large'] });
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it("C-013: a batch isn't read once more for each of its messages", async () => {
    const filler = Array.from({ length: 45_000 }, () => '{"id":1.0}').join(',');
    const long = `{"jsonrpc":"2.0","method":"notifications/x","params":{"a":[${filler}]}}`;
    const batch = (count: number): string =>
      `[${long},${Array.from({ length: count }, (_, id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`).join(',')}]`;
    const before = await mark(scene);
    const took: number[] = [];
    for (const count of [1, 1, 49]) {
      const startedAt = performance.now();
      expect([200, 202]).toContain((await scene.ask({ token, body: batch(count) })).status);
      took.push(performance.now() - startedAt);
    }
    // The first also warms up; a wide margin for a busy machine.
    expect(took[2]).toBeLessThan(3 * (took[1] ?? 0) + 150);
    await before.hold({ forwarded: 3, reasons: ['ok'] });
  });
});
