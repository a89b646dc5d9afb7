/** Sessions of others, and headers that say something else than the body (attack catalogue A-032, C-018 to C-038, C-045). */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventStream } from '../support/event-stream.ts';
import { mark } from '../support/invariants.ts';
import { startIssuer } from '../support/issuer.ts';
import { expectError } from './answers.ts';
import { startScene, type Ask, type Scene } from './scene.ts';

let scene: Scene;
let ada: string;
let eve: string;

beforeAll(async () => {
  scene = await startScene({
    routes: `routes:
  - { name: tools, path: /mcp, scopes: [mcp:use], upstream: '$upstream' }
  - { name: twin, path: /twin, audiences: ['$resource'], scopes: [mcp:use], upstream: '$upstream' }`.replace(
      '$resource',
      'http://localhost:$port/mcp',
    ),
  });
  ada = scene.token({ key: 'ES256', claims: { sub: 'ada' } });
  eve = scene.token({ key: 'ES256', claims: { sub: 'eve' } });
});

afterAll(() => scene.close());

const initialize = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}';

async function begin(token: string, target = '/mcp', id = 's-1'): Promise<string> {
  scene.upstream.answerOnce({ headers: { 'mcp-session-id': id }, body: {} });
  const answer = await scene.ask({ token, target, body: initialize });
  expect(answer.status).toBe(200);
  return answer.header('mcp-session-id')[0] ?? '';
}

const within = (session: string, more: Ask = {}): Ask => ({
  ...more,
  lines: [`Mcp-Session-Id: ${session}`, ...(more.lines ?? [])],
});

describe('a session', () => {
  it.each(['POST', 'GET', 'DELETE'])(
    'C-027: of another person is 404 for %s, and 401 without a token',
    async (method) => {
      const session = await begin(ada);
      const before = await mark(scene);
      const stolen = await scene.ask(within(session, { method, token: eve }));
      expect(stolen.status).toBe(404);
      expectError(stolen, { code: 40400, message: 'No such session' }, method === 'POST' ? 1 : null);
      expect((await scene.ask(within(session, { method }))).status).toBe(401);
      await before.hold({ forwarded: 0, reasons: ['session_unknown', 'no_credentials'] });
      expect((await scene.ask(within(session, { token: ada }))).status).toBe(200);
      expect(scene.upstream.requests.at(-1)?.header('mcp-session-id')).toEqual(['s-1']);
    },
  );

  it('C-028: has no stream that another person could take over; the same one may open a second', async () => {
    const session = await begin(ada);
    const before = await mark(scene);
    const streams = [new EventStream(), new EventStream()];
    const clients = [];
    for (const stream of streams) {
      scene.upstream.answerOnce(stream);
      const client = await scene.connect();
      client.send(scene.request(within(session, { method: 'GET', token: ada })));
      await stream.opened();
      clients.push(client);
    }
    expect((await scene.ask(within(session, { method: 'GET', token: eve }))).status).toBe(404);
    for (const [index, stream] of streams.entries()) {
      await stream.send({ index });
      await clients[index]?.received(`"index":${index}`, 2_000);
      await stream.end();
    }
    for (const client of clients) {
      await scene.answer(client);
      await client.close();
    }
    await before.hold({ forwarded: 2, reasons: ['ok', 'ok', 'session_unknown'] });
  });

  it('C-029: of one route is 404 on another, though both upstreams give the same ids', async () => {
    const session = await begin(ada);
    expect(await begin(ada, '/twin')).not.toBe(session);
    const before = await mark(scene);
    expect((await scene.ask(within(session, { target: '/twin', token: ada }))).status).toBe(404);
    await before.hold({ forwarded: 0, reasons: ['session_unknown'] });
  });

  it.each([
    'x'.repeat(10_000),
    '\u00e9',
    'a,b',
    '*',
    's-1',
    'KEYS *',
    '${jndi}',
    '/../x',
    '%00',
    'e30.e30.e30',
  ])(
    'C-033: that is no seal of ours is 404 whatever it looks like, and stays out of the log: %j',
    async (made) => {
      const before = await mark(scene);
      expect((await scene.ask(within(made, { token: ada }))).status).toBe(404);
      await before.hold({ forwarded: 0, reasons: ['session_unknown'] });
      if (made.length > 3) expect(scene.gateway.written).not.toContain(made);
    },
  );

  it('C-033: said twice is 400, equal or not', async () => {
    const session = await begin(ada);
    const before = await mark(scene);
    const twice = await scene.ask(within(session, { token: ada, lines: [`mcp-session-id: ${session}`] }));
    expect(twice.status).toBe(400);
    await before.hold({ forwarded: 0, reasons: ['duplicate_header'] });
  });

  it.each(['7', '../..', 'x'.repeat(2_000), '*'])(
    'C-037: gives Last-Event-ID %j to its own upstream session alone; without one it is 404',
    async (id) => {
      const session = await begin(ada);
      const lines = [`Last-Event-ID: ${id}`];
      const before = await mark(scene);
      expect((await scene.ask(within(session, { method: 'GET', token: eve, lines }))).status).toBe(404);
      expect((await scene.ask({ method: 'GET', token: eve, lines })).status).toBe(404);
      await before.hold({ forwarded: 0, reasons: ['session_unknown', 'session_unknown'] });
      await scene.ask(within(session, { method: 'GET', token: ada, lines }));
      expect(scene.upstream.requests.at(-1)?.header('last-event-id')).toEqual([id]);
    },
  );

  it('C-038: shared by one upstream with a hundred people never mixes up their answers, though all say id 1', async () => {
    scene.upstream.answer(async (request, response) => {
      // Answers leave in another order than requests came.
      await sleep(Math.random() * 20);
      const nonce = request.header('mcp-param-nonce')[0];
      const subject = request.header('x-auth-subject')[0];
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { nonce, subject } }));
    });
    const before = await mark(scene);
    const people = Array.from({ length: 100 }, (_value, index) => `person-${index}`);
    const tokens = people.map((sub) => scene.token({ key: 'ES256', claims: { sub } }));
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(
        people.map(async (subject, index) => {
          const nonce = `${round}-${index}`;
          const answer = await scene.ask({
            token: tokens[index] ?? '',
            lines: [`Mcp-Param-Nonce: ${nonce}`],
          });
          expect(JSON.parse(answer.body.toString())).toEqual({
            jsonrpc: '2.0',
            id: 1,
            result: { nonce, subject },
          });
        }),
      );
    }
    scene.upstream.answer({ body: { jsonrpc: '2.0', id: 1, result: {} } });
    await before.hold({ forwarded: 500, reasons: ['ok'] });
  });
});

describe('one subject of two authorization servers', () => {
  it('A-032: are two people: neither a session nor an allowance of the one is the other’s', async () => {
    const issuers = [
      await startIssuer({ algorithms: ['ES256'] }),
      await startIssuer({ algorithms: ['ES256'], path: '/other' }),
    ];
    await using both = await startScene({
      issuers,
      routes: `routes:
  - { name: tools, path: /mcp, upstream: '$upstream' }
  - { name: few, path: /few, rateLimit: { requests: 2, per: 1h }, upstream: '$upstream' }`,
    });
    const [one, other] = issuers.map((issuer) =>
      both.token({ claims: { sub: '42', aud: [both.resource(), both.resource('/few')] } }, issuer),
    );
    if (one === undefined || other === undefined) throw new Error('two tokens are made');
    both.upstream.answerOnce({ headers: { 'mcp-session-id': 's-1' }, body: {} });
    const begun = await both.ask({ token: one, body: initialize });
    const lines = [`Mcp-Session-Id: ${begun.header('mcp-session-id')[0]}`];
    const before = await mark(both);
    const statuses: number[] = [];
    for (const ask of [
      { token: other, lines },
      { token: one, lines },
      ...Array.from({ length: 3 }, () => ({ token: one, target: '/few' })),
      ...Array.from({ length: 3 }, () => ({ token: other, target: '/few' })),
    ])
      statuses.push((await both.ask(ask)).status);
    expect(statuses).toEqual([404, 200, 200, 200, 429, 200, 200, 429]);
    await before.hold({
      forwarded: 5,
      reasons: ['session_unknown', 'ok', 'ok', 'ok', 'principal_rate', 'ok', 'ok', 'principal_rate'],
    });
  });
});

describe('a request of 2026-07-28', () => {
  const modern = 'MCP-Protocol-Version: 2026-07-28';
  const call = (method: string, params: object = {}): string =>
    JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });

  it.each([
    ['another method', 'tools/call', { name: 'echo' }, ['Mcp-Method: tools/list', 'Mcp-Name: echo']],
    ['the reverse', 'tools/list', {}, ['Mcp-Method: tools/call', 'Mcp-Name: echo']],
    ['no method', 'tools/list', {}, []],
    ['another case', 'tools/list', {}, ['Mcp-Method: Tools/List']],
  ])('C-018: whose header names %s is −32020, and goes nowhere', async (_what, method, params, lines) => {
    const before = await mark(scene);
    const answer = await scene.ask({ token: ada, body: call(method, params), lines: [modern, ...lines] });
    expect(answer.status).toBe(400);
    expectError(answer, { code: -32020, message: 'Header mismatch' }, 1);
    await before.hold({ forwarded: 0, reasons: ['method_header'] });
  });

  it.each(['42', '42.0', '=?base64?NDI=?=', '=?base64?!?=', 'other', ''])(
    'C-025: may say what it likes in Mcp-Param-*: %j passes untouched and decides nothing',
    async (value) => {
      const lines = [modern, 'Mcp-Method: tools/call', 'Mcp-Name: echo', `Mcp-Param-Count: ${value}`];
      const body = call('tools/call', { name: 'echo', arguments: { count: 42 } });
      const before = await mark(scene);
      expect((await scene.ask({ token: ada, body, lines })).status).toBe(200);
      await before.hold({ forwarded: 1, reasons: ['ok'] });
      expect(scene.upstream.requests.at(-1)?.header('mcp-param-count')).toEqual([value]);
    },
  );

  it.each([
    ['tools/call', { name: 'echo' }],
    ['prompts/get', { name: 'echo' }],
    ['resources/read', { uri: 'echo' }],
    ['tasks/get', { taskId: 'echo' }],
  ])(
    'C-019: of %s whose name the header tells otherwise is −32020, and goes nowhere',
    async (method, params) => {
      const before = await mark(scene);
      const named = [modern, `Mcp-Method: ${method}`];
      const wrong = [
        named,
        ...['other', 'Echo', 'echo x', 'echo,echo'].map((name) => [...named, `Mcp-Name: ${name}`]),
      ];
      for (const lines of wrong) {
        const answer = await scene.ask({ token: ada, body: call(method, params), lines });
        expect([lines.at(-1), answer.status]).toEqual([lines.at(-1), 400]);
        expectError(answer, { code: -32020, message: 'Header mismatch' }, 1);
      }
      await before.hold({ forwarded: 0, reasons: ['name_header'] });
      const agreeing = [...named, 'Mcp-Name: echo'];
      expect((await scene.ask({ token: ada, body: call(method, params), lines: agreeing })).status).toBe(200);
    },
  );

  it('C-019: that has no name may not bring one', async () => {
    const before = await mark(scene);
    const lines = [modern, 'Mcp-Method: tools/list', 'Mcp-Name: echo'];
    expectError(
      await scene.ask({ token: ada, body: call('tools/list'), lines }),
      { code: -32020, message: 'Header mismatch' },
      1,
    );
    await before.hold({ forwarded: 0, reasons: ['name_header'] });
  });

  it('C-022: whose name is in Base64 is compared decoded, once and in one form, and stays out of the log', async () => {
    const name = 'gr\u00fc\u00dfe\r\nX-Injected: 1';
    const sentinel = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;
    const ask = (written: string) =>
      scene.ask({
        token: ada,
        body: call('tools/call', { name }),
        lines: [modern, 'Mcp-Method: tools/call', `Mcp-Name: ${written}`],
      });
    const before = await mark(scene);
    const wrong = [
      sentinel('delete_all'),
      sentinel(sentinel(name)),
      sentinel(name).replace('base64', 'BASE64'),
      sentinel(name).replace(/=*\?=$/, '?='),
      sentinel(name).replace('?=', '=?='),
      `=?base64?${Buffer.from(name).toString('base64url')}-?=`,
      '=?base64?/w==?=',
      '=?base64??=',
    ];
    for (const written of wrong) {
      const answer = await ask(written);
      expect([written, answer.status]).toEqual([written, 400]);
      expectError(answer, { code: -32020, message: 'Header mismatch' }, 1);
    }
    await before.hold({ forwarded: 0, reasons: ['name_header'] });
    expect((await ask(sentinel(name))).status).toBe(200);
    expect(scene.gateway.written).not.toContain('\nX-Injected');
  });
});
