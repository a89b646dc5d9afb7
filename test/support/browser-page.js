/**
 * A web application that is an MCP client: SDK v2, OAuth in the same window. `?server=URL&era=…` starts it; the
 * authorization server sends it back with a code. What came of it is written into the page.
 */
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

const query = new URLSearchParams(location.search);
for (const key of ['server', 'era']) {
  if (query.has(key)) sessionStorage.setItem(key, query.get(key));
}
const server = new URL(sessionStorage.getItem('server'));
const era = sessionStorage.getItem('era');
const mode = era === 'legacy' ? era : { pin: era };

const read = (key) => JSON.parse(sessionStorage.getItem(key) ?? 'null') ?? undefined;
const write = (key, value) => sessionStorage.setItem(key, JSON.stringify(value));

const login = {
  redirectUrl: `${location.origin}/callback`,
  clientMetadata: {
    client_name: 'browser page',
    redirect_uris: [`${location.origin}/callback`],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  state() {
    const state = crypto.randomUUID();
    write('state', state);
    return state;
  },
  clientInformation: () => read('client'),
  saveClientInformation: (client) => write('client', client),
  tokens: () => read('tokens'),
  saveTokens: (tokens) => write('tokens', tokens),
  discoveryState: () => read('discovery'),
  saveDiscoveryState: (discovery) => write('discovery', discovery),
  codeVerifier: () => read('verifier'),
  saveCodeVerifier: (verifier) => write('verifier', verifier),
  redirectToAuthorization: (url) => location.assign(url),
};

async function recordingFetch(input, init) {
  const response = await fetch(input, init);
  const line = `${init?.method ?? 'GET'} ${input instanceof Request ? input.url : input} ${response.status}`;
  write('exchanges', [...(read('exchanges') ?? []), line]);
  return response;
}

const open = () => new StreamableHTTPClientTransport(server, { authProvider: login, fetch: recordingFetch });

async function use() {
  const client = new Client({ name: 'browser-page', version: '1.0.0' }, { versionNegotiation: { mode } });
  const transport = open();
  await client.connect(transport);
  const { tools } = await client.listTools();
  const call = JSON.parse(query.get('call') ?? sessionStorage.getItem('call'));
  const progressAt = [];
  const { content } = await client.callTool(call, { onprogress: () => progressAt.push(performance.now()) });
  const session = transport.sessionId !== undefined;
  if (session) await transport.terminateSession();
  await client.close();
  return { tools: tools.map(({ name }) => name), content, progressAt, doneAt: performance.now(), session };
}

async function run() {
  if (query.has('call')) sessionStorage.setItem('call', query.get('call'));
  const code = query.get('code');
  if (code === null) return use();
  if (query.get('state') !== read('state')) throw new Error('the state came back changed');
  await open().finishAuth(query);
  return use();
}

function show(outcome) {
  const text = JSON.stringify({ exchanges: read('exchanges') ?? [], ...outcome });
  document.body.append(Object.assign(document.createElement('pre'), { id: 'outcome', textContent: text }));
}

// A refusal that leads to the login isn't an outcome: this page is being left.
run().then(show, (error) => {
  if (!(error instanceof UnauthorizedError)) show({ error: String(error) });
});
