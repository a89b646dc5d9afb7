/** Calls that no rule admits, in every disguise (attack catalogue, group C). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mark } from '../support/invariants.ts';
import type { RawResponse } from '../support/raw-response.ts';
import { startScene, type Scene } from './scene.ts';

const rules = `
    policy:
      - { name: readers, tools: [echo, 'get_*'], prompts: [hello], resources: ['file:///public/*'] }
      - { name: writers, tools: ['set_*'], scopes: [write] }
      - { name: meta, tools: [call_tool], when: 'call.arguments.tool_name == "echo"' }
      - { name: levels, methods: [logging/setLevel, 'vendor/*'] }`;

let scene: Scene;

beforeAll(async () => {
  scene = await startScene({
    routes: `routes:
  - name: tools
    path: /mcp
    scopes: [mcp:use]
    upstream: '$upstream'${rules}
  - name: told
    path: /told
    scopes: [mcp:use]
    hide: false
    upstream: '$upstream'${rules}
  - name: free
    path: /free
    upstream: '$upstream'
`,
  });
});

afterAll(() => scene.close());

const token = (scope = 'mcp:use', aud = '/mcp'): string =>
  scene.token({ key: 'ES256', claims: { scope, aud: scene.resource(aud) } });

const message = (method: string, params?: unknown, more: object = { id: 1 }): string =>
  JSON.stringify({ jsonrpc: '2.0', method, params, ...more });
const call = (name: unknown, args: unknown = {}): string => message('tools/call', { name, arguments: args });

const unknownTool = { jsonrpc: '2.0', id: 1, error: { code: -32602, message: 'Unknown tool' } };
const told = { jsonrpc: '2.0', id: 1, error: { code: 40300, message: 'This call is not allowed' } };

const bodyOf = (answer: RawResponse): unknown => JSON.parse(answer.body.toString());

async function expectAnswers(bodies: readonly string[], status: number, body: unknown): Promise<void> {
  const before = await mark(scene);
  for (const sent of bodies) {
    const answer = await scene.ask({ token: token(), body: sent });
    expect([sent.slice(0, 120), answer.status, bodyOf(answer)]).toEqual([expect.any(String), status, body]);
    expect(answer.header('www-authenticate')).toEqual([]);
    expect(answer.header('content-type')).toEqual(['application/json; charset=utf-8']);
    expect(answer.header('cache-control')).toEqual(['no-store']);
  }
  const events = await before.hold({ forwarded: 0, reasons: ['call_denied'] });
  for (const { decision } of events) expect(decision).toBe('deny');
}

async function expectServed(bodies: readonly string[], rule: string | null, scope?: string): Promise<void> {
  const before = await mark(scene);
  for (const body of bodies) {
    const answer = await scene.ask({ token: token(scope), body });
    expect([body.slice(0, 120), answer.status]).toEqual([expect.any(String), expect.any(Number)]);
    expect(answer.status).toBeLessThan(300);
    expect(scene.upstream.requests.at(-1)?.body.toString()).toBe(body);
  }
  const events = await before.hold({ forwarded: bodies.length, reasons: ['ok'] });
  for (const event of events) expect(event['rule']).toBe(rule);
}

describe('a revision that the gateway does not know (C-023)', () => {
  const versions = ['2027-01-01', '2026-07-29', '2025-11-26', 'latest', '1', '2026-07-28, 2025-11-25'];
  const linesOf = (version: string): readonly string[] => [`MCP-Protocol-Version: ${version}`];

  it('is refused on a route with rules, whatever is asked and by which method', async () => {
    const before = await mark(scene);
    for (const version of versions) {
      for (const body of [call('echo'), message('ping'), message('initialize', {})]) {
        const answer = await scene.ask({ token: token(), lines: linesOf(version), body });
        expect([answer.status, bodyOf(answer)]).toMatchObject([
          400,
          { id: 1, error: { code: -32022, data: { supported: expect.arrayContaining(['2026-07-28']) } } },
        ]);
      }
      for (const method of ['GET', 'DELETE'])
        expect((await scene.ask({ token: token(), method, lines: linesOf(version) })).status).toBe(400);
    }
    const claimed = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2027-01-01' }, name: 'echo' };
    expect((await scene.ask({ token: token(), body: message('tools/call', claimed) })).status).toBe(400);
    await before.hold({ forwarded: 0, reasons: ['revision_unknown'] });
  });

  it('goes on to the upstream on a route without rules', async () => {
    const before = await mark(scene);
    for (const version of ['2025-11-26', 'latest', '1']) {
      const aud = scene.resource('/free');
      const answer = await scene.ask({
        token: scene.token({ key: 'ES256', claims: { aud } }),
        target: '/free',
        lines: linesOf(version),
        body: call('echo'),
      });
      expect(answer.status).toBe(200);
    }
    await before.hold({ forwarded: 3, reasons: ['ok'] });
  });

  it('of before is no matter for headers of later ones: the body decides', async () => {
    const before = await mark(scene);
    const lines = [...linesOf('2025-11-25'), 'Mcp-Method: ping', 'Mcp-Name: echo'];
    const answer = await scene.ask({ token: token(), lines, body: call('delete_all') });
    expect(bodyOf(answer)).toEqual(unknownTool);
    await before.hold({ forwarded: 0, reasons: ['call_denied'] });
    expect(
      (await scene.ask({ token: token(), lines: linesOf(' 2025-11-25 '), body: call('echo') })).status,
    ).toBe(200);
  });
});

describe('a tool that no rule admits', () => {
  it('is answered as one that is not there, in every spelling (C-048, C-016)', async () => {
    const names = [
      'delete_all',
      'Echo',
      'ECHO',
      'echo ',
      ' echo',
      'server.echo',
      'ns/echo',
      'forget_x',
      'xget_',
      'é',
    ];
    await expectAnswers(
      names.map((name) => call(name)),
      200,
      unknownTool,
    );
  });

  it('is no other for the names of an object’s own members (C-014)', async () => {
    await expectAnswers(
      ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'].map((name) => call(name)),
      200,
      unknownTool,
    );
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    await expectServed(
      [
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}}}',
      ],
      'readers',
    );
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('cannot hide behind a name that says nothing', async () => {
    await expectAnswers(
      [
        call(undefined),
        call(7),
        call(null),
        call(''),
        call(['echo']),
        call({ name: 'echo' }),
        message('tools/call'),
        message('tools/call', ['echo']),
        message('tools/call', { uri: 'echo' }),
        message('tools/call', { name: 'delete_all', uri: 'echo', type: 'ref/resource' }),
        message('tools/call', { name: 'delete_all', ref: { type: 'ref/prompt', name: 'echo' } }),
      ],
      200,
      unknownTool,
    );
  });

  it('cannot be reached through another tool without a rule for that (C-048)', async () => {
    await expectServed([call('call_tool', { tool_name: 'echo' })], 'meta');
    await expectAnswers(
      [
        call('call_tool', { tool_name: 'delete_all' }),
        call('call_tool', { tool_name: ['echo'] }),
        call('call_tool', { Tool_Name: 'delete_all', tool_name: 'echo' }),
        call('call_tool'),
      ],
      200,
      unknownTool,
    );
  });

  it('stays refused in a body of two megabytes and behind kind headers (C-020)', async () => {
    const before = await mark(scene);
    const body = call('delete_all', { padding: 'x'.repeat(2 * 1024 * 1024) });
    const lines = ['MCP-Protocol-Version: 2025-11-25', 'Mcp-Method: tools/list', 'Mcp-Name: echo'];
    const answer = await scene.ask({ token: token(), body, lines });
    expect([answer.status, bodyOf(answer)]).toEqual([200, unknownTool]);
    await before.hold({ forwarded: 0, reasons: ['call_denied'] });
  });

  it('gets bytes of one kind whether it exists or not, but for the id (P2, C-048)', async () => {
    const answers = await Promise.all(
      ['delete_all', 'no_such_tool'].map((name) => scene.ask({ token: token(), body: call(name) })),
    );
    const [one, other] = answers.map(({ status, headerLines, body }) => ({
      status,
      lines: headerLines.filter(([name]) => !/^(?:x-request-id|date)$/i.test(name)),
      body: body.toString(),
    }));
    expect(one).toEqual(other);
  });

  it('is told to be refused where nothing is hidden', async () => {
    const before = await mark(scene);
    for (const body of [call('delete_all'), message('prompts/get', { name: 'x' }), message('tasks/list')]) {
      const answer = await scene.ask({ token: token('mcp:use', '/told'), target: '/told', body });
      expect([answer.status, bodyOf(answer)]).toEqual([403, told]);
      expect(answer.header('www-authenticate')).toEqual([]);
    }
    await before.hold({ forwarded: 0, reasons: ['call_denied'] });
  });
});

describe('a method', () => {
  it('that no rule names is not there, known or not (C-016, C-049)', async () => {
    const methods = [
      'tools/call ',
      'TOOLS/CALL',
      'tools//call',
      'tools/../tools/call',
      'tools%2Fcall',
      'tools/callx',
      'rpc.discover',
      'tasks/get',
      'tasks/list',
      'tasks/cancel',
      'subscriptions/listen',
      '__proto__',
      'constructor',
    ];
    await expectAnswers(
      methods.map((method) => message(method, { name: 'echo', taskId: 't' })),
      200,
      { jsonrpc: '2.0', id: 1, error: { code: -32601, message: 'Method not found' } },
    );
  });

  it('of 2026-07-28 that no rule names is 404, as that revision has it (C-016)', async () => {
    const before = await mark(scene);
    const lines = ['MCP-Protocol-Version: 2026-07-28', 'Mcp-Method: vendors/x'];
    const answer = await scene.ask({ token: token(), body: message('vendors/x', {}), lines });
    expect([answer.status, bodyOf(answer)]).toMatchObject([404, { id: 1, error: { code: -32601 } }]);
    await before.hold({ forwarded: 0, reasons: ['call_denied'] });
  });

  it('that a session lives by needs no rule (C-017)', async () => {
    const methods = [
      'initialize',
      'ping',
      'server/discover',
      'tools/list',
      'prompts/list',
      'resources/list',
      'resources/templates/list',
    ];
    await expectServed(
      methods.map((method) => message(method, {})),
      null,
    );
    await expectServed(
      ['initialized', 'cancelled', 'progress', 'roots/list_changed', 'unheard_of'].map((name) =>
        message(`notifications/${name}`, {}, {}),
      ),
      null,
    );
    await expectServed([message('logging/setLevel', { level: 'info' }), message('vendor/x')], 'levels');
  });

  it('about a prompt or resource is judged by what it is about (C-049, C-050)', async () => {
    const uri = 'file:///public/a.txt';
    await expectServed(
      [
        message('prompts/get', { name: 'hello' }),
        message('completion/complete', { ref: { type: 'ref/prompt', name: 'hello' }, argument: {} }),
        message('completion/complete', { ref: { type: 'ref/resource', uri }, argument: {} }),
        message('resources/read', { uri }),
        message('resources/subscribe', { uri }),
        message('resources/unsubscribe', { uri }),
        message('subscriptions/listen', { notifications: { resourceSubscriptions: [uri, `${uri}2`] } }),
      ],
      'readers',
    );
    const hidden = (kind: string): object => ({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32602, message: `Unknown ${kind}` },
    });
    await expectAnswers(
      [
        message('prompts/get', { name: 'secret' }),
        message('completion/complete', { ref: { type: 'ref/prompt', name: 'secret' }, argument: {} }),
      ],
      200,
      hidden('prompt'),
    );
    const uris = [
      'file:///etc/passwd',
      'file:///public/../etc/passwd',
      'file:///public/%2e%2e/etc/passwd',
      'file:///public/%252e%252e/etc/passwd',
      'file:///public/..\\etc',
      'file:///PUBLIC/a',
      'file:///public',
      'file://_public/a',
    ];
    await expectAnswers(
      [
        ...uris.flatMap((other) => [
          message('resources/read', { uri: other }),
          message('resources/subscribe', { uri: other }),
          message('subscriptions/listen', { notifications: { resourceSubscriptions: [uri, other] } }),
        ]),
        message('resources/read', { name: uri }),
        message('completion/complete', { ref: { type: 'ref/resource', uri: 'file:///etc' }, argument: {} }),
      ],
      200,
      hidden('resource'),
    );
  });

  it.each(['{"Type":"ref/prompt"}', '{"type":"ref/prompt","Name":"x"}', '{"type":"ref/resource","URI":"x"}'])(
    'with a look-alike in its ref is refused before anything is judged: %s (C-003)',
    async (ref) => {
      const before = await mark(scene);
      const body = `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":${ref}}}`;
      expect((await scene.ask({ token: token(), body })).status).toBe(400);
      const filter = `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"ResourceSubscriptions":["x"]}}}`;
      expect((await scene.ask({ token: token(), body: filter })).status).toBe(400);
      await before.hold({ forwarded: 0, reasons: ['member_case'] });
    },
  );
});

describe('a message that expects no answer', () => {
  it('is judged like a request (C-042)', async () => {
    const before = await mark(scene);
    for (const body of [
      message('tools/call', { name: 'delete_all' }, {}),
      message('vendors/x', {}, {}),
      message('resources/read', { uri: 'file:///etc' }, {}),
    ]) {
      const answer = await scene.ask({ token: token(), body });
      expect([answer.status, bodyOf(answer)]).toEqual([403, { ...told, id: null }]);
    }
    await before.hold({ forwarded: 0, reasons: ['call_denied'] });
    await expectServed([message('tools/call', { name: 'echo' }, {})], 'readers');
  });

  it('needs no rule where it answers the server', async () => {
    await expectServed(['{"jsonrpc":"2.0","id":1,"result":{}}'], null);
  });
});

describe('a batch', () => {
  it('is refused whole for one message that no rule admits, wherever it stands (C-011)', async () => {
    const before = await mark(scene);
    const [good, bad] = [call('echo'), call('delete_all')];
    for (const messages of [
      [good, bad],
      [bad, good],
      [good, good, bad],
      [bad],
      [message('ping'), message('vendors/x')],
      [call('set_x'), bad],
    ]) {
      const answer = await scene.ask({ token: token(), body: `[${messages.join(',')}]` });
      expect([answer.status, bodyOf(answer)]).toEqual([403, { ...told, id: null }]);
    }
    await before.hold({ forwarded: 0, reasons: ['call_denied'] });
    await expectServed([`[${good},${call('get_x')},${message('ping')}]`], 'readers');
  });

  it('that lacks only scopes asks for all of them (C-011, A20)', async () => {
    const before = await mark(scene);
    const answer = await scene.ask({ token: token(), body: `[${call('echo')},${call('set_x')}]` });
    expect(answer.status).toBe(403);
    expect(answer.header('www-authenticate').join()).toContain('scope="mcp:use write"');
    await before.hold({ forwarded: 0, reasons: ['scope_insufficient'] });
  });
});

it('a name in a thousand disguises never reaches the upstream, and adds no series (C-048, W14)', async () => {
  // Node's own come and go with what the process does.
  const series = async (): Promise<readonly string[]> =>
    (await (await fetch(`${scene.gateway.opsUrl}/metrics`)).text())
      .split('\n')
      .filter((line) => line.startsWith('portcullis_'))
      .map((line) => line.slice(0, line.lastIndexOf(' ')));
  await expectAnswers([call('first')], 200, unknownTool);
  const before = await series();
  await expectAnswers(
    Array.from({ length: 200 }, (_, index) => call(`tool ${index} \u0000\n"\\`)),
    200,
    unknownTool,
  );
  expect(await series()).toEqual(before);
});

it('the rules are asked with the token of each request, within a session too (C-035)', async () => {
  const before = await mark(scene);
  const statuses: number[] = [];
  for (const scope of ['mcp:use write', 'mcp:use', 'mcp:use write'])
    statuses.push((await scene.ask({ token: token(scope), body: call('set_x') })).status);
  expect(statuses).toEqual([200, 403, 200]);
  await before.hold({ forwarded: 2, reasons: ['ok', 'scope_insufficient', 'ok'] });
});

it('a refusal has the status of its kind and the id of its call, whatever the client accepts (C-053)', async () => {
  const before = await mark(scene);
  for (const accept of ['text/event-stream', 'application/json, text/event-stream', '*/*']) {
    const lines = [`Accept: ${accept}`];
    const scopes = await scene.ask({
      token: token(),
      body: message('tools/call', { name: 'set_x' }, { id: 'é' }),
      lines,
    });
    expect([scopes.status, bodyOf(scopes)]).toMatchObject([403, { id: 'é', error: { code: 40301 } }]);
    const hidden = await scene.ask({
      token: token(),
      body: message('tools/call', { name: 'x' }, { id: 'é' }),
      lines,
    });
    expect([hidden.status, bodyOf(hidden)]).toMatchObject([200, { id: 'é', error: { code: -32602 } }]);
  }
  const reasons = (['scope_insufficient', 'call_denied'] as const).flatMap((reason) => [
    reason,
    reason,
    reason,
  ]);
  await before.hold({ forwarded: 0, reasons });
});
