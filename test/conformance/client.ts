/**
 * The client under test, as the suite starts it: `client.ts direct|through URL`. `through` puts the gateway before
 * the suite's server and shows it a token.
 */
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { clientScenarios, playScenario, type Context } from './client-scenarios.ts';
import { startProtectedRoute } from './protected-route.ts';

const [way, url] = process.argv.slice(2);
const { MCP_CONFORMANCE_SCENARIO: name = '', MCP_CONFORMANCE_PROTOCOL_VERSION: revision = '' } = process.env;
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Context;
const scenario = clientScenarios[name];

if (url === undefined || (way !== 'direct' && way !== 'through'))
  throw new Error('usage: client.ts direct|through URL');
if (scenario === undefined) throw new Error(`no scenario ${name}`);

if (way === 'direct') {
  await playScenario(scenario, new StreamableHTTPClientTransport(new URL(url)), { revision, context });
} else {
  await using route = await startProtectedRoute(url);
  const requestInit = { headers: { Authorization: `Bearer ${route.token}` } };
  const transport = new StreamableHTTPClientTransport(new URL(route.url), { requestInit });
  await playScenario(scenario, transport, { revision, context });
  route.requireUse();
}
