import { afterAll, beforeAll, expect, it } from 'vitest';
import { startAuthorizationServer, type AuthorizationServer } from '../support/authorization-server.ts';
import { startBridge, type Bridge } from '../support/bridge.ts';
import { recordExchanges } from '../support/exchange-record.ts';
import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { eventually } from '../support/loopback.ts';
import { headerOf } from '../support/request-report.ts';
import { ScriptedLogin } from '../support/scripted-login.ts';
import { connectSdkV1 } from '../support/sdk-v1.ts';

let server: AuthorizationServer;
let bridge: Bridge;
let gateway: RunningGateway;

beforeAll(async () => {
  [server, bridge] = await Promise.all([startAuthorizationServer(), startBridge()]);
  gateway = await startGateway(`
authorizationServers: [{ name: corp, issuer: '${server.issuer}' }]
routes: [{ name: everything, path: /mcp, scopes: [mcp:use], upstream: '${bridge.url}' }]
`);
});

afterAll(async () => {
  await Promise.all([gateway, bridge, server].map((part) => part?.close()));
});

const logInAs = (account: string): ScriptedLogin => new ScriptedLogin((url) => server.signIn(url, account));

it('an SDK v1 client is refused, finds the way to a token by itself and streams a tool call (A02, A16, A26)', async () => {
  const record = recordExchanges(gateway.url);
  await using session = await connectSdkV1(`${gateway.url}/mcp`, logInAs('alice'), record.fetch);

  expect(record.lines.slice(0, 6)).toEqual([
    'POST /mcp 401',
    'GET /.well-known/oauth-protected-resource/mcp 200',
    `GET ${server.origin}/.well-known/oauth-authorization-server 200`,
    `POST ${server.origin}/reg 201`,
    `POST ${server.origin}/token 200`,
    'POST /mcp 200',
  ]);
  const challenge = record.responses[0]?.headers.get('www-authenticate') ?? '';
  const [scheme, parameters = ''] = challenge.split(/ (.*)/);
  expect(scheme).toBe('Bearer');
  expect(parameters.split(', ').toSorted()).toEqual([
    `resource_metadata="${gateway.url}/.well-known/oauth-protected-resource/mcp"`,
    'scope="mcp:use"',
  ]);

  const { tools } = await session.client.listTools();
  expect(tools.map(({ name }) => name)).toContain('trigger-long-running-operation');

  // The bridge sends progress on the client's GET stream.
  await eventually('the stream is open', () => record.lines.includes('GET /mcp 200'));
  const progressAt: number[] = [];
  const call = { name: 'trigger-long-running-operation', arguments: { duration: 1.2, steps: 4 } };
  const result = await session.client.callTool(call, undefined, {
    onprogress: () => progressAt.push(performance.now()),
  });
  const doneAt = performance.now();
  expect(result.content).toEqual([
    { type: 'text', text: 'Long running operation completed. Duration: 1.2 seconds, Steps: 4.' },
  ]);
  // The last one races with the result, which comes on another stream.
  expect(progressAt.length).toBeGreaterThanOrEqual(3);
  expect(doneAt - (progressAt[0] ?? doneAt)).toBeGreaterThan(600);
});

it('the bridge is told the verified identity and never the token (N1, S13)', async () => {
  const login = logInAs('bob');
  await using session = await connectSdkV1(`${gateway.url}/mcp`, login);
  await session.client.callTool({ name: 'echo', arguments: { message: 'hello' } });

  const call = bridge.requests.findLast(({ method }) => method === 'POST');
  if (call === undefined) throw new Error('no call reached the bridge');
  expect(headerOf(call, 'x-auth-subject')).toEqual(['bob']);
  expect(headerOf(call, 'x-auth-issuer')).toEqual([server.issuer]);
  expect(headerOf(call, 'x-auth-scopes')).toEqual(['mcp:use']);
  expect(headerOf(call, 'x-auth-email')).toEqual(['bob@example.com']);
  expect(headerOf(call, 'x-auth-client-id')).toEqual([login.clientInformation()?.client_id]);
  expect(headerOf(call, 'authorization')).toEqual([]);

  const event = await gateway.auditEvent(({ target }) => target === 'echo');
  expect(event).toMatchObject({
    decision: 'allow',
    status: 200,
    principal: { issuer: server.issuer, subject: 'bob', clientId: login.clientInformation()?.client_id },
  });
  expect(gateway.written).not.toContain(login.accessToken);
});
