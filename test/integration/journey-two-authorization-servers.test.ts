import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startAuthorizationServer, type AuthorizationServer } from '../support/authorization-server.ts';
import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { callReport, startModernServer, type ModernServer, type Report } from '../support/modern-server.ts';
import { ScriptedLogin } from '../support/scripted-login.ts';
import { connectSdkV2 } from '../support/sdk-v2.ts';

let corp: AuthorizationServer;
let partner: AuthorizationServer;
let stranger: AuthorizationServer;
let upstream: ModernServer;
let gateway: RunningGateway;
let url: string;

beforeAll(async () => {
  [corp, partner, stranger, upstream] = await Promise.all([
    startAuthorizationServer(),
    startAuthorizationServer({ path: '/realms/partner' }),
    startAuthorizationServer(),
    startModernServer(),
  ]);
  gateway = await startGateway(`
authorizationServers:
  - { name: corp, issuer: '${corp.issuer}' }
  - { name: partner, issuer: '${partner.issuer}' }
routes: [{ name: tools, path: /mcp, scopes: [mcp:use], upstream: '${upstream.url}' }]
`);
  url = `${gateway.url}/mcp`;
});

afterAll(async () => {
  await Promise.all([gateway, upstream, corp, partner, stranger].map((part) => part?.close()));
});

it('the metadata advertises both authorization servers in configured order (A04)', async () => {
  const response = await fetch(`${gateway.url}/.well-known/oauth-protected-resource/mcp`);
  expect(await response.json()).toMatchObject({ authorization_servers: [corp.issuer, partner.issuer] });
});

it('people of the same name at two authorization servers arrive as two identities (A04, N1)', async () => {
  const request = { account: 'alice', resource: url };
  const [corpToken, partnerToken] = await Promise.all([
    corp.tokenByLogin(request),
    partner.tokenByLogin(request),
  ]);
  const [first, second] = await Promise.all([reportWith(corpToken), reportWith(partnerToken)]);
  expect(first.headers).toMatchObject({ 'x-auth-subject': 'alice', 'x-auth-issuer': corp.issuer });
  expect(second.headers).toMatchObject({ 'x-auth-subject': 'alice', 'x-auth-issuer': partner.issuer });
  expect(first.headers['x-auth-client-id']).not.toBe(second.headers['x-auth-client-id']);
});

it('a client that logs in at the first is served beside a machine of the second', async () => {
  const login = new ScriptedLogin((authorizationUrl) => corp.signIn(authorizationUrl, 'bob'));
  await using session = await connectSdkV2(url, login);
  const machine = await partner.tokenForClient({ resource: url });
  const [person, other] = await Promise.all([callReport(session.client), reportWith(machine)]);
  expect(person.headers).toMatchObject({ 'x-auth-subject': 'bob', 'x-auth-issuer': corp.issuer });
  expect(other.headers).toMatchObject({ 'x-auth-subject': 'machine', 'x-auth-issuer': partner.issuer });
});

it('a token of an authorization server that the route does not list is 401, and nobody asks that server (A04)', async () => {
  const token = await stranger.tokenByLogin({ account: 'alice', resource: url });
  const asked = stranger.requests.length;
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  });
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
  expect(stranger.requests.length).toBe(asked);
});

async function reportWith(token: string): Promise<Report> {
  const client = new Client({ name: 'portcullis-journey', version: '2.0.0' });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  try {
    return await callReport(client);
  } finally {
    await client.close();
  }
}
