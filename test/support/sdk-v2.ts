import {
  Client,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client';
import type { ScriptedLogin } from './scripted-login.ts';

export interface SdkV2Session extends AsyncDisposable {
  readonly client: Client;
  readonly transport: StreamableHTTPClientTransport;
  /** Ends the session at the server, if there is one, and closes the client. */
  close(): Promise<void>;
}

export interface SdkV2Options {
  /** `legacy` (default): 2025-11-25. `{ pin: '2026-07-28' }`: that revision and no other. */
  readonly mode?: VersionNegotiationMode;
  readonly fetch?: typeof globalThis.fetch;
}

/** As `connectSdkV1`, with SDK v2 and in the era that `mode` says. */
export async function connectSdkV2(
  url: string,
  login: ScriptedLogin,
  options: SdkV2Options = {},
): Promise<SdkV2Session> {
  const { mode = 'legacy', fetch = globalThis.fetch } = options;
  const open = (): StreamableHTTPClientTransport =>
    new StreamableHTTPClientTransport(new URL(url), { authProvider: login, fetch });
  const newClient = (): Client =>
    new Client({ name: 'portcullis-journey', version: '2.0.0' }, { versionNegotiation: { mode } });

  const refused = open();
  await expectRefusal(newClient().connect(refused));
  await refused.finishAuth(login.callback);

  const client = newClient();
  const transport = open();
  await client.connect(transport);
  async function close(): Promise<void> {
    if (transport.sessionId !== undefined) await transport.terminateSession();
    await client.close();
  }
  return { client, transport, close, [Symbol.asyncDispose]: close };
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
