/** The scripted client: from the first refusal to a tool that streams, every step checked and told. */
import { connectSdkV1, type SdkV1Session } from '../test/support/sdk-v1.ts';
import { eventually, within } from '../test/support/loopback.ts';
import { headerOf } from '../test/support/request-report.ts';
import { ScriptedLogin } from '../test/support/scripted-login.ts';
import { narrate } from './exchanges.ts';
import type { Narrator } from './narrator.ts';
import type { World } from './world.ts';

/** What the script leaves behind for the person: a token, and a session that is still open. */
export interface Aftermath {
  readonly accessToken: string;
  readonly sessionId: string;
  readonly protocolVersion: string;
}

const account = 'alice';
const longTool = 'trigger-long-running-operation';

export async function playScript(world: World, narrator: Narrator): Promise<Aftermath> {
  const { fetch, streamOpened } = watchStream(narrate(narrator));
  const login = new ScriptedLogin((authorizationUrl) => logIn(world, narrator, authorizationUrl));
  const session = await connectSdkV1(world.url, login, fetch);
  // The bridge sends progress on this stream; a call before it is open would lose some.
  await within(streamOpened, 5_000, "the server's stream opens");
  await listTools(session, narrator);
  await callStreamingTool(session, narrator);
  showIdentity(world, narrator);
  await showAudit(world, narrator);
  narrator.heading('And a forged token');
  await tryForgedToken(world, login.accessToken, fetch);
  const { sessionId, protocolVersion } = session.transport;
  // Closed without ending the session: the person goes on in it.
  await session.client.close();
  return {
    accessToken: login.accessToken,
    sessionId: sessionId ?? '',
    protocolVersion: protocolVersion ?? '',
  };
}

/** Tells when the client's GET was answered with a stream. */
function watchStream(fetch: typeof globalThis.fetch): {
  fetch: typeof globalThis.fetch;
  streamOpened: Promise<void>;
} {
  const { promise: streamOpened, resolve } = Promise.withResolvers<void>();
  return {
    streamOpened,
    async fetch(input, init) {
      const response = await fetch(input, init);
      const streams = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
      if (streams && init?.method === 'GET') resolve();
      return response;
    },
  };
}

async function logIn(
  { authorizationServer }: World,
  narrator: Narrator,
  authorizationUrl: URL,
): Promise<URL> {
  const back = await authorizationServer.signIn(authorizationUrl, account);
  const { searchParams } = authorizationUrl;
  narrator.step({
    request: `GET ${authorizationUrl.origin}${authorizationUrl.pathname}?resource=${searchParams.get('resource')}&scope=${searchParams.get('scope')}&…`,
    status: 303,
    shows: `Location: ${back.origin}${back.pathname}?code=…`,
    says: `A browser would open here. The script signs in as ${account}, allows it, and is sent back with a code.`,
  });
  return back;
}

async function listTools({ client }: SdkV1Session, narrator: Narrator): Promise<void> {
  const { tools } = await client.listTools();
  if (tools.length === 0) throw new Error('the MCP server lists no tools');
  narrator.detail(
    `${tools.length} tools: ${tools
      .slice(0, 4)
      .map(({ name }) => name)
      .join(', ')}, …`,
  );
}

async function callStreamingTool({ client }: SdkV1Session, narrator: Narrator): Promise<void> {
  const startedAt = performance.now();
  const elapsed = (): string => `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`.padStart(6);
  let progressed = 0;
  const call = { name: longTool, arguments: { duration: 2, steps: 4 } };
  const result = await client.callTool(call, undefined, {
    onprogress({ progress, total }) {
      progressed += 1;
      narrator.detail(`${elapsed()}  progress ${progress} of ${total}`);
    },
  });
  if (progressed === 0) throw new Error('no progress arrived while the tool ran');
  const [content] = result.content as readonly { readonly text?: string }[];
  narrator.detail(`${elapsed()}  ${content?.text ?? ''}`);
}

function showIdentity({ bridge }: World, narrator: Narrator): void {
  const call = bridge.requests.findLast(({ method }) => method === 'POST');
  if (call === undefined) throw new Error('the call never reached the bridge');
  if (headerOf(call, 'x-auth-subject').join() !== account) {
    throw new Error(`the bridge should have been told X-Auth-Subject: ${account}`);
  }
  if (headerOf(call, 'authorization').length > 0) throw new Error("the client's token reached the bridge");
  narrator.heading('What the bridge received with that call, besides the message');
  call.rawHeaders.forEach((name, at, all) => {
    if (at % 2 === 0 && /^x-auth-/i.test(name)) narrator.detail(`${name}: ${all[at + 1]}`);
  });
  narrator.detail('(no Authorization: the token stays at the gateway)');
}

async function showAudit({ gateway }: World, narrator: Narrator): Promise<void> {
  const find = (): string | undefined =>
    gateway.output.find(
      (line) => line.includes('"event":"request"') && line.includes(`"target":"${longTool}"`),
    );
  await eventually('the gateway writes the audit event of the call', () => find() !== undefined);
  narrator.heading("The gateway's audit event of that call");
  narrator.detail(find() ?? '');
}

async function tryForgedToken(
  { url, bridge }: World,
  token: string,
  fetch: typeof globalThis.fetch,
): Promise<void> {
  const before = bridge.requests.length;
  const forged = `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(342)}`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${forged}`, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo' } }),
  });
  await response.body?.cancel();
  if (response.status !== 401) throw new Error(`a forged token was answered with ${response.status}`);
  if (bridge.requests.length !== before) throw new Error('a forged token reached the bridge');
}
