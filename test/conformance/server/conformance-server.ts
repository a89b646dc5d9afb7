/**
 * An MCP server with the tools, prompts and resources that the official suite asks for, in both eras on one URL:
 * 2026-07-28, and before it with sessions, streams that can be taken up again, and questions to the client.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { toNodeHandler, type NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  createRequestStateCodec,
  hostHeaderValidationResponse,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  McpServer,
  originValidationResponse,
  WebStandardStreamableHTTPServerTransport,
  type McpRequestContext,
  type RequestStateCodec,
  type ServerNotifier,
} from '@modelcontextprotocol/server';
import { closeServer, host, listenOnLoopback } from '../../support/loopback.ts';
import { addContentTools } from './content-tools.ts';
import { keepEvents } from './event-store.ts';
import { addInputRequiredTools, type Round } from './input-required-tools.ts';
import {
  acceptSubscriptions,
  addInputRequiredPrompt,
  addPrompts,
  addResources,
} from './prompts-and-resources.ts';
import { addAskingTools, addStreamingTools } from './streaming-tools.ts';

export interface ConformanceServer extends AsyncDisposable {
  readonly url: string;
}

export async function startConformanceServer(): Promise<ConformanceServer> {
  const rounds = createRequestStateCodec<Round>({ key: randomBytes(32) });
  const describe = ({ era }: Pick<McpRequestContext, 'era'>, notify: ServerNotifier): McpServer => {
    const server = newServer(rounds);
    addContentTools(server);
    addStreamingTools(server, notify);
    addPrompts(server);
    addResources(server);
    if (era === 'legacy') {
      addAskingTools(server);
      acceptSubscriptions(server);
    } else {
      addInputRequiredTools(server, rounds);
      addInputRequiredPrompt(server);
    }
    return server;
  };
  const modern = createMcpHandler((context) => describe(context, modern.notify), { legacy: 'reject' });
  const sessions = keepSessions(() => describe({ era: 'legacy' }, modern.notify));
  const serve = toNodeHandler({
    async fetch(request) {
      const refused =
        hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
        originValidationResponse(request, localhostAllowedOrigins());
      if (refused !== undefined) return refused;
      return (await isLegacyRequest(request)) ? sessions.fetch(request) : modern.fetch(request);
    },
  });
  const server = createServer((request, response) => {
    void serve(request as NodeIncomingMessageLike, response);
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://${host}:${port}/mcp`,
    async [Symbol.asyncDispose]() {
      await sessions.close();
      await modern.close();
      await closeServer(server);
    },
  };
}

function newServer(rounds: RequestStateCodec<Round>): McpServer {
  return new McpServer(
    { name: 'conformance-server', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        completions: {},
        logging: {},
      },
      requestState: { verify: (state, context) => rounds.verify(state, context) },
    },
  );
}

interface Sessions {
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** Revisions before 2026-07-28: one server and one transport for each session. */
function keepSessions(describe: () => McpServer): Sessions {
  const open = new Map<string, WebStandardStreamableHTTPServerTransport>();
  async function begin(): Promise<WebStandardStreamableHTTPServerTransport> {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void open.set(id, transport),
      onsessionclosed: (id) => void open.delete(id),
      eventStore: keepEvents(),
      retryInterval: 500,
    });
    await describe().connect(transport);
    return transport;
  }
  return {
    async fetch(request) {
      const id = request.headers.get('mcp-session-id');
      const transport = id === null ? await begin() : open.get(id);
      if (transport !== undefined) return transport.handleRequest(request);
      const error = { code: -32_001, message: 'Session not found' };
      return Response.json({ jsonrpc: '2.0', id: null, error }, { status: 404 });
    },
    async close() {
      for (const transport of open.values()) await transport.close();
    },
  };
}
