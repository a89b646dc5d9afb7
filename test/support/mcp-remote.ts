/** A client that is no test's own: mcp-remote, with which stdio applications reach remote servers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

export interface McpRemote extends AsyncDisposable {
  /** The application behind it. */
  readonly client: Client;
  /** What it told its own log. */
  readonly log: string;
}

export interface McpRemoteOptions {
  readonly url: string;
  /** Shown as it is: there is no login. */
  readonly token: string;
  readonly transport: 'http-only' | 'sse-only';
}

/** Starts it with a directory of its own for what it keeps, and initializes. */
export async function startMcpRemote({ url, token, transport }: McpRemoteOptions): Promise<McpRemote> {
  const home = mkdtempSync(join(tmpdir(), 'mcp-remote-'));
  const program = createRequire(import.meta.url).resolve('mcp-remote/dist/proxy.js');
  const child = new StdioClientTransport({
    command: process.execPath,
    args: [
      program,
      url,
      '--allow-http',
      '--transport',
      transport,
      '--header',
      `Authorization: Bearer ${token}`,
    ],
    env: { PATH: process.env['PATH'] ?? '', HOME: home, MCP_REMOTE_CONFIG_DIR: home },
    stderr: 'pipe',
  });
  const log: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => log.push(chunk.toString()));
  const client = new Client({ name: 'application', version: '1.0.0' });
  try {
    await client.connect(child);
  } catch (cause) {
    await child.close();
    rmSync(home, { recursive: true, force: true });
    throw new Error(`mcp-remote didn't connect\n${log.join('')}`, { cause });
  }
  return {
    client,
    get log() {
      return log.join('');
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
