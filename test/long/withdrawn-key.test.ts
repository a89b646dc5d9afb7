/** C-036: a stream doesn't outlive what let it in, beyond the time between two looks. */
import { describe, expect, it } from 'vitest';
import { EventStream } from '../support/event-stream.ts';
import { connectRaw } from '../support/raw-client.ts';
import { requestText, startWorld } from '../integration/world.ts';

describe('an open stream', () => {
  it('ends cleanly after its token’s key was withdrawn, and one whose key still stands goes on (C-036)', async () => {
    await using world = await startWorld({
      server: 'keys: { ttl: 2s, cooldown: 1s }',
      issuerOptions: { algorithms: ['ES256'] },
    });
    const headers = [['Accept', 'text/event-stream']] as const;
    const openWith = async (token: string) => {
      const stream = new EventStream();
      world.upstream.answerOnce(stream);
      const client = await connectRaw({ port: world.gateway.port });
      client.send(requestText(world.gateway.port, { method: 'GET', token, headers }));
      await stream.opened();
      return { stream, client };
    };
    const before = await openWith(world.issuer.token({ claims: { sub: 'before' } }));
    world.issuer.rotate('ES256');
    const fresh = world.issuer.token({ claims: { sub: 'after' } });
    await expect.poll(async () => (await world.ask({ token: fresh })).status, { timeout: 10_000 }).toBe(200);
    const after = await openWith(fresh);
    const ended = await before.client.response({ withinMs: 40_000 });
    expect(ended.status).toBe(200);
    const event = await world.gateway.auditEvent(({ end }) => end === 'token_revoked');
    expect(event).toMatchObject({ decision: 'allow', principal: { subject: 'before' } });
    await after.stream.send({ still: 'here' });
    await after.client.received('"still":"here"', 2_000);
    await before.client.close();
    await after.client.close();
  }, 60_000);
});
