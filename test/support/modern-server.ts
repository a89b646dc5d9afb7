/**
 * An MCP server that speaks 2026-07-28, and 2025-11-25 without sessions, on one URL. Its tools report what
 * reached them.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@modelcontextprotocol/client';
import { toNodeHandler, type NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, type McpRequestContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { closeServer, host, listenOnLoopback } from './loopback.ts';

/** What the tool `report` answers, as JSON text. */
export interface Report {
  readonly era: 'legacy' | 'modern';
  readonly text: string;
  /** Headers of the request that carried the call, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ModernServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly { readonly method: string; readonly headers: IncomingMessage['headers'] }[];
  close(): Promise<void>;
}

export async function startModernServer(): Promise<ModernServer> {
  const requests: { method: string; headers: IncomingMessage['headers'] }[] = [];
  const handler = createMcpHandler(describeServer, { keepAliveMs: 0 });
  const serve = toNodeHandler(handler);
  const server = createServer((request, response) => {
    requests.push({ method: request.method ?? '', headers: request.headers });
    void serve(request as NodeIncomingMessageLike, response);
  });
  const port = await listenOnLoopback(server);

  async function close(): Promise<void> {
    await handler.close();
    await closeServer(server);
  }

  return { url: `http://${host}:${port}/mcp`, requests, close, [Symbol.asyncDispose]: close };
}

/** Calls the tool `report` with either era's client. */
export async function callReport(client: Client, text = ''): Promise<Report> {
  const { content } = await client.callTool({ name: 'report', arguments: { text } });
  const [first] = content;
  if (first?.type !== 'text') throw new Error('the tool answered something else');
  return JSON.parse(first.text) as Report;
}

function describeServer({ era }: McpRequestContext): McpServer {
  const server = new McpServer({ name: 'modern-server', version: '1.0.0' });
  server.registerTool(
    'report',
    {
      description: 'Reports the era and the headers of its request',
      inputSchema: z.object({ text: z.string() }),
    },
    ({ text }, { http }) => {
      const report: Report = { era, text, headers: Object.fromEntries(http?.req?.headers ?? []) };
      return { content: [{ type: 'text', text: JSON.stringify(report) }] };
    },
  );
  server.registerTool(
    'count',
    {
      description: 'Counts, with progress at each step',
      inputSchema: z.object({ steps: z.number().int(), pauseMs: z.number().int() }),
    },
    async ({ steps, pauseMs }, { mcpReq }) => {
      const { _meta: meta } = mcpReq;
      for (let step = 1; step <= steps; step += 1) {
        await sleep(pauseMs, undefined, { signal: mcpReq.signal });
        const progressToken = meta?.progressToken;
        if (progressToken !== undefined) {
          await mcpReq.notify({
            method: 'notifications/progress',
            params: { progressToken, progress: step, total: steps },
          });
        }
      }
      return { content: [{ type: 'text', text: `counted to ${steps}` }] };
    },
  );
  return server;
}
