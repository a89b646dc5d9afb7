/** An MCP server whose tools ask the client for something before they answer. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { closeServer, host, listenOnLoopback } from '../support/loopback.ts';

export interface AskingServer extends AsyncDisposable {
  readonly url: string;
}

/** One client at a time; `patienceMs` is how long the server waits for the client's answers. */
export async function startAskingServer(patienceMs: number): Promise<AskingServer> {
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => randomUUID() });
  const mcp = describeServer(patienceMs);
  await mcp.connect(transport as Transport);
  const server = createServer((request, response) => void transport.handleRequest(request, response));
  server.requestTimeout = 0;
  const port = await listenOnLoopback(server);
  return {
    url: `http://${host}:${port}/mcp`,
    async [Symbol.asyncDispose]() {
      await mcp.close();
      await closeServer(server);
    },
  };
}

function describeServer(timeout: number): McpServer {
  const mcp = new McpServer({ name: 'asking', version: '1.0.0' });
  const { server } = mcp;
  mcp.registerTool('sample', {}, async ({ requestId: relatedRequestId }) => {
    const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: 'Well?' } }];
    const sampled = await server.createMessage({ messages, maxTokens: 10 }, { timeout, relatedRequestId });
    const { content } = sampled;
    return { content: [{ type: 'text', text: content.type === 'text' ? content.text : '' }] };
  });
  mcp.registerTool('elicit', {}, async ({ requestId: relatedRequestId }) => {
    const requestedSchema = { type: 'object' as const, properties: { answer: { type: 'string' as const } } };
    const { content } = await server.elicitInput(
      { mode: 'form', message: 'Well?', requestedSchema },
      { timeout, relatedRequestId },
    );
    return { content: [{ type: 'text', text: String(content?.['answer']) }] };
  });
  return mcp;
}
