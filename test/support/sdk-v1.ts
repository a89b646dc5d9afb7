import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { ScriptedLogin } from './scripted-login.ts';

export interface SdkV1Session extends AsyncDisposable {
  readonly client: Client;
  readonly transport: StreamableHTTPClientTransport;
  /** Ends the session at the server and closes the client. */
  close(): Promise<void>;
}

/**
 * Connects as an application with SDK v1 does: the first attempt is refused and leads to a login, the second
 * carries the token. A server that lets the first attempt in is an error.
 */
export async function connectSdkV1(
  url: string,
  login: ScriptedLogin,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): Promise<SdkV1Session> {
  const open = (): StreamableHTTPClientTransport =>
    new StreamableHTTPClientTransport(new URL(url), { authProvider: login, fetch });
  const refused = open();
  await expectRefusal(newClient().connect(refused as Transport));
  await refused.finishAuth(login.callback.get('code') ?? '');

  const client = newClient();
  const transport = open();
  await client.connect(transport as Transport);
  async function close(): Promise<void> {
    await transport.terminateSession();
    await client.close();
  }
  return { client, transport, close, [Symbol.asyncDispose]: close };
}

function newClient(): Client {
  return new Client({ name: 'portcullis-journey', version: '1.0.0' });
}

async function expectRefusal(connecting: Promise<void>): Promise<void> {
  try {
    await connecting;
  } catch (error) {
    if (error instanceof UnauthorizedError) return;
    throw error;
  }
  throw new Error('connected without a token');
}
