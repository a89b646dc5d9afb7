/** The way to the MCP server and back, for answers that end: faults, headers, bodies, connections. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRaw } from '../support/raw-client.ts';
import { reserveFreePort } from '../support/loopback.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { makeCertificate, type Certificate } from './certificates.ts';
import { json, only, requestText, startWorld, toolCall, type World, type WorldOptions } from './world.ts';

const failed = (code: number, message: string) => ({ jsonrpc: '2.0', id: 1, error: { code, message } });
const bad = failed(50200, 'The MCP server failed');
const silent = failed(50400, 'The MCP server did not answer in time');

describe('A26 answers pass', () => {
  it.each([200, 202, 204, 400, 404, 405, 409, 410, 429, 500, 503])(
    'with their status %i, Mcp-* headers and every byte (A26)',
    async (status) => {
      await using world = await startWorld();
      const body = status === 204 ? undefined : Buffer.from([0, 255, 13, 10, 0x7b, 0xc3]);
      world.upstream.answer({
        status,
        headers: {
          'content-type': 'application/octet-stream',
          'mcp-protocol-version': '2025-11-25',
          'mcp-anything': 'x; y="z"',
          'retry-after': '7',
        },
        ...(body === undefined ? {} : { body }),
      });
      const response = await world.ask({ token: world.issuer.token() });
      expect([response.status, response.body.toString('hex')]).toEqual([status, body?.toString('hex') ?? '']);
      expect(only(response, 'mcp-protocol-version')).toBe('2025-11-25');
      expect(only(response, 'mcp-anything')).toBe('x; y="z"');
      expect(only(response, 'retry-after')).toBe('7');
      expect(world.upstream.requests).toHaveLength(1);
    },
  );

  it('and requests go up byte for byte, with their MCP headers (A26)', async () => {
    await using world = await startWorld();
    const body =
      '{ "jsonrpc" : "2.0",\r\n\t"id":"\\u00e9", "method":"tools/call","params":{"name":"a","arguments":{"x":1.0e0}}}  ';
    const headers = [
      ['MCP-Protocol-Version', '2026-07-28'],
      ['Mcp-Method', 'tools/call'],
      ['Mcp-Name', 'a'],
      ['Mcp-Param-X', '=?base64?w6k=?='],
      ['Accept', 'application/json, text/event-stream'],
    ] as const;
    expect((await world.ask({ token: world.issuer.token(), headers, body })).status).toBe(200);
    const request = await world.upstream.request();
    expect(request.body.toString('latin1')).toBe(body);
    for (const [name, value] of headers) expect([name, request.header(name)]).toEqual([name, [value]]);
    expect([request.method, request.target]).toEqual(['POST', '/mcp']);
  });
});

describe('U3 nothing is sent twice', () => {
  it.each(['POST', 'GET', 'DELETE'])(
    'a reset after the %s was sent is 502, and the upstream saw one request (U3)',
    async (method) => {
      await using world = await startWorld();
      const token = world.issuer.token();
      // A connection that has served before is where a client would be tempted to try again.
      expect((await world.ask({ token })).status).toBe(200);
      world.upstream.answer('reset');
      const response = await world.ask({ method, token });
      expect(response.status).toBe(502);
      await sleep(300);
      expect(world.upstream.requests).toHaveLength(2);
    },
  );

  it('not for a 503 with Retry-After, and not for a time-out (U3)', async () => {
    await using world = await startWorld({ upstream: 'timeouts: { headers: 300ms }' });
    const token = world.issuer.token();
    world.upstream.answer({ status: 503, headers: { 'retry-after': '0' } });
    for (const method of ['POST', 'GET']) expect((await world.ask({ method, token })).status).toBe(503);
    world.upstream.answer('hang');
    expect((await world.ask({ token })).status).toBe(504);
    await sleep(300);
    expect(world.upstream.requests).toHaveLength(3);
  });
});

describe('S14 faults of the upstream', () => {
  it('that refuses connections is 502 (S14)', async () => {
    await using world = await startWorld();
    await world.upstream.close();
    const response = await world.ask({ token: world.issuer.token() });
    expect([response.status, json(response)]).toEqual([502, bad]);
  });

  it.each([
    ['a reset', 'reset'],
    ['an end without a byte', { bytes: '' }],
    ['garbage', { bytes: 'SSH-2.0-OpenSSH_9.9\r\n' }],
    ['a head that ends half-way', { bytes: 'HTTP/1.1 200 OK\r\nContent-Le' }],
    ['two lengths', { bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!' }],
    ['a short body that breaks off', { bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"half":' }],
    ['an endless head', { bytes: `HTTP/1.1 200 OK\r\n${'X-Pad: x\r\n'.repeat(20_000)}\r\n` }],
    ['a redirect', { status: 307, headers: { location: 'http://evil.example/' } }],
  ] as const)('%s is 502 with a fixed body (S14)', async (_name, reply) => {
    await using world = await startWorld();
    world.upstream.answer(reply);
    const response = await world.ask({ token: world.issuer.token() });
    expect([response.status, json(response)]).toEqual([502, bad]);
    expect(response.header('location')).toEqual([]);
    await expect.poll(() => world.gateway.audit).toMatchObject([{ decision: 'allow', status: 502 }]);
  });

  it('silence is 504 with a fixed body (S14)', async () => {
    await using world = await startWorld({ upstream: 'timeouts: { headers: 300ms }' });
    world.upstream.answer('hang');
    const began = performance.now();
    const response = await world.ask({ token: world.issuer.token() });
    expect([response.status, json(response)]).toEqual([504, silent]);
    expect(performance.now() - began).toBeLessThan(2_500);
    await expect.poll(() => world.upstream.aborted).toBe(1);
  });

  it('half of a long answer is never given for a whole one (S14)', async () => {
    await using world = await startWorld();
    world.upstream.answer({
      bytes: `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n${'x'.repeat(100_000)}\r\n`,
    });
    await using client = await connectRaw({ port: world.gateway.port });
    client.send(requestText(world.gateway.port, { token: world.issuer.token() }));
    await client.closedByPeer();
    const text = client.pending.toString('latin1');
    expect(text.endsWith('0\r\n\r\n')).toBe(false);
  });

  it.each([
    ['no proxy is listed', undefined, '1.2.3.4', '127.0.0.1'],
    ['another proxy is listed', '[10.0.0.0/8]', '1.2.3.4', '127.0.0.1'],
    ['this proxy is listed', '[127.0.0.1]', '1.2.3.4', '1.2.3.4'],
    ['the client forged the first', '[127.0.0.1]', '6.6.6.6, 1.2.3.4', '1.2.3.4'],
    ['two proxies are listed', '[127.0.0.1, 10.0.0.0/8]', '6.6.6.6, 1.2.3.4, 10.0.0.9', '1.2.3.4'],
  ])(
    'X-Forwarded-For counts only from listed proxies: %s (S14)',
    async (_name, trusted, forwarded, address) => {
      await using world = await startWorld({
        yaml: ({ issuer, upstream, publicUrl }) => `
listen: { host: 127.0.0.1, port: ${new URL(publicUrl).port}${trusted === undefined ? '' : `, trustProxy: ${trusted}`} }
authorizationServers: [{ issuer: '${issuer.url}' }]
routes: [{ path: /mcp, upstream: '${upstream.url}' }]
`,
      });
      const headers = [['X-Forwarded-For', forwarded]] as const;
      expect((await world.ask({ token: world.issuer.token(), headers })).status).toBe(200);
      await expect.poll(() => world.gateway.audit).toMatchObject([{ address }]);
      expect(world.passed).not.toMatch(/forwarded/i);
    },
  );
});

describe('U8 what of an upstream’s headers reaches the client', () => {
  const hostile = {
    authorization: 'Bearer x',
    'set-cookie': ['a=1', 'b=2'],
    'www-authenticate': 'Basic',
    'proxy-authenticate': 'Basic',
    'access-control-allow-origin': '*',
    'access-control-allow-credentials': 'true',
    'x-auth-subject': 'mallory',
    'x-powered-by': 'Express',
    server: 'nginx/1.0',
    via: '1.1 inner',
    'strict-transport-security': 'max-age=1',
    'alt-svc': 'h3=":443"',
    'clear-site-data': '"*"',
    link: '<https://evil.example>; rel=preload',
    'keep-alive': 'timeout=1',
    'proxy-connection': 'close',
    upgrade: 'h2c',
    te: 'trailers',
    'x-custom': 'kept only where it is listed',
  };

  it('is nothing that belongs to its own connection, login or identity (U8)', async () => {
    await using world = await startWorld();
    world.upstream.answer({
      headers: { ...hostile, connection: 'close, mcp-private', 'mcp-private': '1' },
      body: {},
    });
    const response = await world.ask({ token: world.issuer.token() });
    expect(response.status).toBe(200);
    const passed = response.headerLines.map(([name]) => name.toLowerCase());
    // The gateway's own connection has a Keep-Alive too.
    expect(passed.filter((name) => name in hostile && name !== 'keep-alive')).toEqual([]);
    expect(response.header('keep-alive')).not.toContain('timeout=1');
    expect(response.header('connection')).toEqual(['keep-alive']);
  });

  it('is what the route lists besides (U8)', async () => {
    await using world = await startWorld({ upstream: 'responseHeaders: [X-Custom, Link]' });
    world.upstream.answer({ headers: { ...hostile, link: ['<a>', '<b>'] }, body: {} });
    const response = await world.ask({ token: world.issuer.token() });
    expect(response.header('x-custom')).toEqual(['kept only where it is listed']);
    expect(response.header('link')).toEqual(['<a>', '<b>']);
    expect(response.header('set-cookie')).toEqual([]);
  });
});

describe('U7 TLS to the upstream', () => {
  let folder: string;
  let authority: Certificate;
  let server: Certificate;
  let client: Certificate;
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'portcullis-tls-'));
    authority = makeCertificate('Test authority');
    server = makeCertificate('localhost', authority);
    client = makeCertificate('gateway', authority);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function statusWith(options: WorldOptions): Promise<{ status: number; requests: number }> {
    await using world = await startWorld(options);
    const { status } = await world.ask({ token: world.issuer.token() });
    return { status, requests: world.upstream.requests.length };
  }

  it('is verified: a self-signed upstream is 502 unless its authority is configured (U7)', async () => {
    const self = makeCertificate('localhost');
    const upstreamOptions = { tls: { key: self.key, cert: self.cert } };
    expect(await statusWith({ upstreamOptions })).toEqual({ status: 502, requests: 0 });
    const trusting = `tls: { caFile: ${file('self.pem', self.cert)} }`;
    expect(await statusWith({ upstreamOptions, upstream: trusting })).toEqual({ status: 200, requests: 1 });
    const other = `tls: { caFile: ${file('authority.pem', authority.cert)} }`;
    expect(await statusWith({ upstreamOptions, upstream: other })).toEqual({ status: 502, requests: 0 });
  });

  it('is verified for the name too (U7)', async () => {
    const other = makeCertificate('other.example', authority);
    const upstream = `tls: { caFile: ${file('authority.pem', authority.cert)} }`;
    const upstreamOptions = { tls: { key: other.key, cert: other.cert } };
    expect(await statusWith({ upstreamOptions, upstream })).toEqual({ status: 502, requests: 0 });
    const right = { tls: { key: server.key, cert: server.cert } };
    expect(await statusWith({ upstreamOptions: right, upstream })).toEqual({ status: 200, requests: 1 });
  });

  it('shows a client certificate by file to an upstream that asks for one (U7)', async () => {
    const upstreamOptions = {
      tls: { key: server.key, cert: server.cert, ca: authority.cert, requestCert: true },
    };
    const ca = `caFile: ${file('authority.pem', authority.cert)}`;
    const own = `certFile: ${file('client.pem', client.cert)}, keyFile: ${file('client.key', client.key)}`;
    expect(await statusWith({ upstreamOptions, upstream: `tls: { ${ca} }` })).toEqual({
      status: 502,
      requests: 0,
    });
    expect(await statusWith({ upstreamOptions, upstream: `tls: { ${ca}, ${own} }` })).toEqual({
      status: 200,
      requests: 1,
    });
  });
});

it('500 requests of two users use few connections and no header of the other (S08)', async () => {
  await using world = await startWorld();
  const users = ['alice', 'bob'].map((sub) => ({
    sub,
    token: world.issuer.token({ claims: { sub, client_id: `${sub}-app` } }),
  }));
  const agent = new Agent({ connections: 20 });
  await using parts = new AsyncDisposableStack();
  parts.defer(() => agent.close());
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < 500; index = next++) {
      const { sub, token } = users[index % 2] as (typeof users)[number];
      const response = await agent.request({
        origin: `http://127.0.0.1:${world.gateway.port}`,
        path: '/mcp',
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'mcp-param-user': sub,
        },
        body: toolCall(`${sub}-${index}`),
      });
      expect(((await response.body.json()) as { id: string }).id).toBe(`${sub}-${index}`);
    }
  };
  await Promise.all(Array.from({ length: 20 }, worker));
  expect(world.upstream.requests).toHaveLength(500);
  for (const request of world.upstream.requests) {
    const [user = ''] = request.header('mcp-param-user');
    expect(request.header('x-auth-subject')).toEqual([user]);
    expect(request.header('x-auth-client-id')).toEqual([`${user}-app`]);
  }
  // One more: the probe at the start.
  expect(world.upstream.connections.length).toBeLessThanOrEqual(21);
});

describe('S11 bodies over the limit', () => {
  const route = 'limits: { body: 64KiB }';
  const head = (world: World, ...lines: readonly string[]): string =>
    [
      'POST /mcp HTTP/1.1',
      `Host: localhost:${world.gateway.port}`,
      `Authorization: Bearer ${world.issuer.token()}`,
      'Content-Type: application/json',
      ...lines,
    ].join('\r\n');
  const tooLarge = { jsonrpc: '2.0', id: null, error: { code: 41300, message: 'The body is too large' } };

  it.each([65_536 + 1, 10_000_000, Number.MAX_SAFE_INTEGER])(
    'declared as %i bytes are 413, before they come, and the connection ends (S11)',
    async (length) => {
      await using world = await startWorld({ route });
      await using client = await connectRaw({ port: world.gateway.port });
      client.send(`${head(world, `Content-Length: ${length}`)}\r\n\r\n{"jsonrpc"`);
      const response = await client.response({ withinMs: 2_000 });
      expect([response.status, json(response)]).toEqual([413, tooLarge]);
      expect(only(response, 'connection')).toBe('close');
      await client.closedByPeer(2_000);
      expect(world.passed).toBe('');
    },
  );

  it('that come in chunks are 413 as well, and the connection ends (S11)', async () => {
    await using world = await startWorld({ route });
    await using client = await connectRaw({ port: world.gateway.port });
    client.send(`${head(world, 'Transfer-Encoding: chunked')}\r\n\r\n`);
    for (let sent = 0; sent < 9; sent += 1) client.send(`2000\r\n${'x'.repeat(8_192)}\r\n`);
    const response = await client.response({ withinMs: 2_000 });
    expect([response.status, json(response)]).toEqual([413, tooLarge]);
    await client.closedByPeer(2_000);
    expect(world.passed).toBe('');
  });

  it('at the limit pass (S11)', async () => {
    await using world = await startWorld({ route });
    const body = toolCall(1, 'x'.repeat(65_536 - toolCall(1, '').length));
    expect(body.length).toBe(65_536);
    const token = world.issuer.token();
    expect((await world.ask({ token, body })).status).toBe(200);
    expect((await world.ask({ token, body: `${body} ` })).status).toBe(413);
    expect(world.upstream.requests).toHaveLength(1);
  });

  it.each([
    ['with a token', true],
    ['without one', false],
  ])('that never end are ended within a second or so: %s (S11)', async (_name, withToken) => {
    await using world = await startWorld({ route });
    await using client = await connectRaw({ port: world.gateway.port });
    const lines = head(world, 'Transfer-Encoding: chunked');
    client.send(`${withToken ? lines : lines.replace(/Authorization: .*\r\n/, '')}\r\n\r\n`);
    const chunk = Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`);
    const began = performance.now();
    let sent = 0;
    while (!client.peerClosed && performance.now() - began < 4_000) {
      client.send(chunk);
      sent += chunk.length;
      await sleep(2);
    }
    expect(client.peerClosed).toBe(true);
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(sent).toBeLessThan(64 * 1_024 * 1_024);
    // A peer that goes on sending may lose the answer to the reset that ends it (RFC 9112 §9.6).
    expect(client.pending.toString('latin1')).toMatch(
      withToken ? /^(?:HTTP\/1\.1 413|$)/ : /^(?:HTTP\/1\.1 401|$)/,
    );
    const event = await world.gateway.auditEvent(() => true);
    expect(event.reason).toBe(withToken ? 'body_too_large' : 'no_credentials');
    expect(world.passed).toBe('');
  });

  it('that stop coming leave nothing at the upstream when the client goes (S11)', async () => {
    await using world = await startWorld({ route });
    await using client = await connectRaw({ port: world.gateway.port });
    client.send(`${head(world, 'Content-Length: 500')}\r\n\r\n{"jsonrpc":"2.0"`);
    await sleep(100);
    client.reset();
    await expect.poll(() => world.gateway.audit.length).toBe(1);
    expect(world.passed).toBe('');
  });
});

it('an upstream that is down and comes back is used again at once (S14)', async () => {
  const port = await reserveFreePort();
  await using world = await startWorld({ upstreamOptions: { port } });
  const token = world.issuer.token();
  expect((await world.ask({ token })).status).toBe(200);
  await world.upstream.close();
  expect((await world.ask({ token })).status).toBe(502);
  await using again = await startRecordingUpstream({ port });
  expect((await world.ask({ token })).status).toBe(200);
  expect(again.requests).toHaveLength(1);
});
