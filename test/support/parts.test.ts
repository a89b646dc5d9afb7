/** The parts that other tests stand on, checked against libraries and each other. */
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import { startAuthorizationServer } from './authorization-server.ts';
import { expectAudited } from './executed.ts';
import { EventStream } from './event-stream.ts';
import { startIssuer } from './issuer.ts';
import { allowConfigured, strangersReached } from './outbound-connections.ts';
import { connectRaw } from './raw-client.ts';
import { startRecordingUpstream } from './recording-upstream.ts';
import type { SigningAlgorithm } from './signing-key.ts';

const resource = 'http://localhost:1/mcp';

it('the issuer signs tokens that a JOSE library verifies, with every algorithm', async () => {
  const algorithms: readonly SigningAlgorithm[] = ['RS256', 'PS384', 'ES256', 'ES512', 'EdDSA', 'Ed25519'];
  await using issuer = await startIssuer({ path: '/realms/a', audience: resource, algorithms });
  const keys = createRemoteJWKSet(new URL(issuer.jwksUri));
  for (const key of issuer.keys) {
    const { payload } = await jwtVerify(issuer.token({ key }), keys, {
      issuer: issuer.url,
      audience: resource,
    });
    expect(payload).toMatchObject({ sub: 'alice', client_id: 'test-client' });
  }
  expect(issuer.hits(issuer.paths.jwks)).toBe(1);
});

it('the issuer breaks, slows down and rotates as it is told', async () => {
  await using issuer = await startIssuer();
  issuer.behave(issuer.paths.jwks, { status: 503, body: 'down' });
  expect((await fetch(issuer.jwksUri)).status).toBe(503);
  issuer.behave(issuer.paths.jwks, 'reset');
  await expect(fetch(issuer.jwksUri)).rejects.toThrow('fetch failed');
  issuer.behave(issuer.paths.jwks, 'normal');
  const fresh = issuer.rotate('ES256', 'again');
  const { keys } = (await (await fetch(issuer.jwksUri)).json()) as { readonly keys: readonly unknown[] };
  expect(keys).toContainEqual(fresh.publicJwk);
});

it.each(['', '/realms/corp'])(
  'the authorization server (issuer path %j) gives resource-bound JWTs',
  async (path) => {
    await using server = await startAuthorizationServer({ path });
    const keys = createRemoteJWKSet(new URL(`${server.issuer}/jwks`));
    const expected = { issuer: server.issuer, audience: resource, typ: 'at+jwt' };
    const person = await server.tokenByLogin({ account: 'bob', resource, scope: 'mcp:use mcp:write' });
    expect((await jwtVerify(person, keys, expected)).payload).toMatchObject({
      sub: 'bob',
      email: 'bob@example.com',
      scope: 'mcp:use mcp:write',
    });
    const machine = await server.tokenForClient({ resource });
    expect((await jwtVerify(machine, keys, expected)).payload).toMatchObject({
      sub: 'machine',
      scope: 'mcp:use',
    });
  },
);

it('the raw client and the recording upstream agree on every byte', async () => {
  await using upstream = await startRecordingUpstream();
  await using client = await connectRaw({ port: upstream.port });
  const request = 'POST /mcp HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 8\r\n\r\n{"id":7}';
  client.send(request);
  const response = await client.response();
  expect(JSON.parse(response.body.toString())).toEqual({ jsonrpc: '2.0', id: 7, result: {} });
  expect(upstream.requests[0]?.headerLines).toContainEqual(['x-a', '2']);
  expect(upstream.requests[0]?.header('X-A')).toEqual(['1', '2']);
  expect(upstream.connections[0]?.bytes.toString()).toBe(request);
});

it('an event stream goes out event by event and tells when the reader left', async () => {
  await using upstream = await startRecordingUpstream();
  await using client = await connectRaw({ port: upstream.port });
  const stream = new EventStream();
  upstream.answerOnce(stream);
  client.send('GET /mcp HTTP/1.1\r\nHost: x\r\n\r\n');
  await stream.opened();
  expect((await client.head()).header('content-type')).toEqual(['text/event-stream']);
  await stream.send({ first: true });
  await client.received('data: {"first":true}');
  client.reset();
  await stream.closed();
  expect(upstream.aborted).toBe(1);
});

it('the recording upstream sends garbage and silence', async () => {
  await using upstream = await startRecordingUpstream();
  upstream.answerOnce({
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  });
  await using answered = await connectRaw({ port: upstream.port });
  answered.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  expect((await answered.response()).body.toString()).toBe('abc');
  await answered.closedByPeer();

  upstream.answerOnce('hang');
  await using waiting = await connectRaw({ port: upstream.port });
  waiting.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc');
  const request = await upstream.request(2);
  waiting.reset();
  await expect.poll(() => request.aborted).toBe(true);
  expect(request.complete).toBe(false);
});

it('a connection to where no configuration leads is known', async () => {
  await using upstream = await startRecordingUpstream();
  await using stranger = await startRecordingUpstream();
  allowConfigured(`routes: [{ upstream: '${upstream.url}' }]`);
  await (await fetch(upstream.url)).text();
  expect(strangersReached().filter((origin) => origin.endsWith(`:${upstream.port}`))).toEqual([]);
  await (await fetch(stranger.url)).text();
  expect(strangersReached()).toContain(stranger.origin);
});

it('a request that the audit tells otherwise is known', async () => {
  await using upstream = await startRecordingUpstream();
  const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}';
  await (await fetch(upstream.url, { method: 'POST', body })).text();
  const event = {
    requestId: '1',
    decision: 'allow',
    reason: 'ok',
    status: 200,
    httpMethod: 'POST',
    rpcMethod: 'tools/call',
    target: 'echo',
  };
  expectAudited(upstream.requests, [event]);
  for (const other of [
    { httpMethod: 'GET' },
    { rpcMethod: 'ping' },
    { rpcMethod: null },
    { target: 'other' },
  ])
    expect(() => expectAudited(upstream.requests, [{ ...event, ...other }])).toThrow('no audit event');
  expect(() => expectAudited([...upstream.requests, ...upstream.requests], [event])).toThrow(
    'no audit event',
  );
});
