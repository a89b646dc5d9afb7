import { gzipSync } from 'node:zlib';

import { expect, it } from 'vitest';

import { EventStream } from '../support/event-stream.ts';
import { startGateway } from '../support/gateway.ts';
import { startIssuer } from '../support/issuer.ts';
import { connectRaw } from '../support/raw-client.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';

it('closes at once though a peer holds connections on which it never asked anything (A27)', async () => {
  await using issuer = await startIssuer();
  await using gateway = await startGateway(
    `authorizationServers:\n  - issuer: ${issuer.url}\nroutes:\n  - path: /mcp\n    upstream: http://localhost:9/mcp\n`,
  );
  const silent = await connectRaw({ port: gateway.port });
  const silentOps = await connectRaw({ port: Number(new URL(gateway.opsUrl).port) });
  const startedAt = performance.now();
  await gateway.close();
  expect(performance.now() - startedAt).toBeLessThan(3000);
  await silent.close();
  await silentOps.close();
});

it.each([
  ['gzip', false],
  ['identity', true],
])(
  'puts comments into a silent stream only where they can be read: %s, %s (U6)',
  async (encoding, commented) => {
    await using issuer = await startIssuer();
    await using upstream = await startRecordingUpstream();
    await using gateway = await startGateway(
      `authorizationServers:\n  - issuer: ${issuer.url}\nroutes:\n  - path: /mcp\n    upstream: ${upstream.url}/mcp\n    streams: { keepAlive: 1s }\n`,
    );
    const stream = new EventStream({ 'content-encoding': encoding });
    upstream.answerOnce(stream);
    const token = issuer.token({ claims: { aud: `${gateway.url}/mcp` } });
    const client = await connectRaw({ port: gateway.port });
    client.send(`GET /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    await stream.opened();
    const silence = 2500;
    await new Promise((resolve) => setTimeout(resolve, silence));
    await stream.write(gzipSync('data: 1\n\n'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(client.pending.includes(':\n\n')).toBe(commented);
    await client.close();
  },
);
