/** U5: an upstream's own words for a lost session become 404; everything else it says passes as it is. */
import { describe, expect, it } from 'vitest';
import { connectRaw } from '../support/raw-client.ts';
import type { RawResponse } from '../support/raw-response.ts';
import type { Reply } from '../support/recording-upstream.ts';
import { beginSession, json, only, requestText, startWorld, type World } from './world.ts';

const type = 'application/json; charset=utf-8';
const lost =
  '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}';

/** Begins a session, lets the upstream answer the next request so, and makes that request in the session. */
async function askInSession(world: World, reply: Reply): Promise<RawResponse> {
  const session = await beginSession(world);
  world.upstream.answer(reply);
  return world.ask({ token: world.issuer.token(), headers: [['Mcp-Session-Id', session]] });
}

describe('U5 an answer about a lost session', () => {
  it('becomes 404 with the gateway’s own body, and the log names the dialect (U5)', async () => {
    await using world = await startWorld();
    const response = await askInSession(world, {
      status: 400,
      headers: { 'content-type': type },
      body: lost,
    });
    expect([response.status, json(response)]).toEqual([
      404,
      { jsonrpc: '2.0', id: 1, error: { code: 40400, message: 'No such session' } },
    ]);
    const event = await world.gateway.auditEvent(({ reason }) => reason === 'session_lost');
    expect(event).toMatchObject({ decision: 'allow', status: 404, upstreamStatus: 400, end: 'complete' });
    expect(world.gateway.log).toContainEqual(
      expect.objectContaining({ reason: 'session_lost', detail: 'supergateway 3 stateful' }),
    );
    expect(world.upstream.requests).toHaveLength(2);
  });

  it('that came without a session in the request is about the request: it passes (U5)', async () => {
    await using world = await startWorld();
    world.upstream.answer({ status: 400, headers: { 'content-type': type }, body: lost });
    const response = await world.ask({ token: world.issuer.token() });
    expect([response.status, response.body.toString()]).toEqual([400, lost]);
  });

  it.each([
    ['of another status', 404, type, lost],
    ['with another text', 400, type, lost.replace('valid', 'good')],
    ['of another type', 400, 'application/json', lost],
    ['that is longer than any dialect', 400, type, JSON.stringify({ detail: 'x'.repeat(5_000) })],
    ['that is empty', 400, type, ''],
  ])('%s passes byte for byte (U5)', async (_what, status, contentType, body) => {
    await using world = await startWorld();
    const response = await askInSession(world, { status, headers: { 'content-type': contentType }, body });
    expect([response.status, response.body.toString()]).toEqual([status, body]);
    expect(only(response, 'content-type')).toBe(contentType);
  });

  it('is read in pieces too, whatever its length says', async () => {
    await using world = await startWorld();
    const chunks = [lost.slice(0, 40), lost.slice(40)]
      .map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
      .join('');
    const response = await askInSession(world, {
      bytes: `HTTP/1.1 400 Bad Request\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
    });
    expect(response.status).toBe(404);
  });

  it('that breaks off is no answer: 502', async () => {
    await using world = await startWorld();
    const bytes = `HTTP/1.1 400 Bad Request\r\nContent-Type: ${type}\r\nContent-Length: ${lost.length}\r\n\r\n${lost.slice(0, 50)}`;
    const response = await askInSession(world, { bytes });
    expect(response.status).toBe(502);
  });

  it('that goes on without an end isn’t held: it streams to the client as it comes', async () => {
    await using world = await startWorld();
    const session = await beginSession(world);
    const piece = 'x'.repeat(600);
    world.upstream.answer((_request, response) => {
      response.writeHead(400, { 'content-type': type });
      response.write(piece);
    });
    await using client = await connectRaw({ port: world.gateway.port });
    client.send(
      requestText(world.gateway.port, {
        token: world.issuer.token(),
        headers: [['Mcp-Session-Id', session]],
      }),
    );
    expect((await client.head()).status).toBe(400);
    await client.received(piece, 2_000);
  });
});
