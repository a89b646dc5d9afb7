/** Run by a bridge: a stdio MCP server whose tool says who asks, by the assertion in `_meta` alone. */
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

import { assertionsOf } from '../../docs/snippets/verify-assertion.ts';

const whoAsks = assertionsOf(process.env['GATEWAY'] ?? '', process.env['SERVER'] ?? '');

serveStdio(() => {
  const server = new McpServer({ name: 'signed-stdio', version: '1.0.0' });
  server.registerTool(
    'whoami',
    { description: 'Says who asks', inputSchema: z.object({}) },
    async (_arguments, { mcpReq }) => {
      const { _meta: meta } = mcpReq;
      const { sub } = await whoAsks(String(meta?.['io.portcullis/assertion']));
      return { content: [{ type: 'text', text: String(sub) }] };
    },
  );
  return server;
});
