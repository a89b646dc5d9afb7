import { afterAll, beforeAll, expect, it } from 'vitest';
import { startScene, type Scene } from './scene.ts';
const policy = `
    policy: [{ name: readers, tools: ['get_*'], prompts: [hello], resources: ['file:///public/*'] }, { name: writers, tools: [put], scopes: [write] }]`;
let scene: Scene;
beforeAll(async () => {
  scene = await startScene({ routes: `routes:
  - name: tools
    path: /mcp
    scopes: [mcp:use]
    upstream: '$upstream'${policy}
` });
});
afterAll(() => scene.close());
const token = (): string => scene.token({ key: 'ES256', claims: { scope: 'mcp:use', aud: scene.resource('/mcp') } });
const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
const events = { 'content-type': 'text/event-stream' };
const many = `{"jsonrpc":"2.0","id":1,"result":{"tools":[${'{"name":"get_a"},'.repeat(200_000)}{"name":"hidden_x"}]}}`;
it.each([
  ['json', { headers: { 'content-type': 'application/json' }, body: many }],
  ['event', { headers: events, body: `data: ${many}\n\n` }],
  ['lines', { headers: events, body: `data: {"a":1\n${'data:\n'.repeat(150_000)}data: }\n\n` }],
  ['lines flow', { headers: events, body: `data: {"a":1\n${'data:\n'.repeat(300_000)}data: }\n\n` }],
  ['charset', { headers: { 'content-type': 'text/event-stream; charset=utf-8; charset=utf-7' }, body: `data: 1\n\n` }],
  ['charset*', { headers: { 'content-type': "text/event-stream; charset*=us-ascii''utf-7" }, body: `data: 1\n\n` }],
] as const)('%s', async (what, reply) => {
  scene.upstream.answerOnce(reply);
  await using client = await scene.connect();
  client.send(scene.request({ token: token(), body }));
  await client.received('\r\n0\r\n\r\n').catch(() => undefined);
  const got = client.pending.toString('latin1');
  console.log(what, got.length, JSON.stringify(got.slice(0, 120)), JSON.stringify(got.slice(-80)), scene.gateway.log.slice(-2));
  expect(1).toBe(1);
});
