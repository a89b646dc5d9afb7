/**
 * An MCP server (SDK v2) that wants OAuth: it publishes its metadata (RFC 9728), challenges whoever comes without a
 * token for it, and checks tokens with the keys of its authorization server.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { toNodeHandler, type NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';
import { closeServer, host, listenOnLoopback } from './loopback.ts';

export interface ProtectedServer extends AsyncDisposable {
  readonly origin: string;
  /** The MCP endpoint, which is its resource too. */
  readonly url: string;
  /** What came to the MCP endpoint, and what was answered. */
  readonly calls: readonly ProtectedCall[];
  /** Paths that were asked for besides, with what they carried. */
  readonly documents: readonly { readonly path: string; readonly authorization: string | undefined }[];
  /** Connections so far. */
  readonly connections: number;
  /** Members that replace those of the metadata; `challengeUrl` replaces where the challenge leads. */
  says: { challengeUrl?: string; resource?: unknown; authorization_servers?: unknown };
  /** Answers calls with an empty result itself, for tests that want many of them. */
  isBare: boolean;
  /** From now on a token is answered 401, as one that was revoked. */
  refuse(token: string): void;
  /** How the next request is answered, whatever it carries: a status, a reset, or silence. */
  failNext(how: number | 'reset' | 'hang'): void;
  close(): Promise<void>;
}

export interface ProtectedCall {
  readonly method: string;
  readonly authorization: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly status: number;
  readonly body: string;
}

const metadataPath = '/.well-known/oauth-protected-resource/mcp';

export async function startProtectedServer({
  issuer,
}: {
  readonly issuer: string;
}): Promise<ProtectedServer> {
  const calls: ProtectedCall[] = [];
  const documents: { path: string; authorization: string | undefined }[] = [];
  const refused = new Set<string>();
  const failures: (number | 'reset' | 'hang')[] = [];
  const says: ProtectedServer['says'] = {};
  const state = { isBare: false };
  let connections = 0;
  const handler = createMcpHandler(describeServer, { keepAliveMs: 0 });
  const serve = toNodeHandler(handler);
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`), { cooldownDuration: 0 });
  const server = createServer((request, response) => void answer(request, response));
  server.on('connection', () => (connections += 1));
  const origin = `http://${host}:${await listenOnLoopback(server)}`;
  const url = `${origin}/mcp`;

  async function isGood(authorization: string | undefined): Promise<boolean> {
    const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
    if (token === undefined || refused.has(token)) return false;
    return jwtVerify(token, keys, { issuer, audience: url }).then(
      () => true,
      () => false,
    );
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url: path = '', method = '', headers } = request;
    const { authorization } = headers;
    if (path !== '/mcp') {
      documents.push({ path, authorization });
      const { challengeUrl: _where, ...changed } = says;
      const document = { resource: url, authorization_servers: [issuer], ...changed };
      response.writeHead(path === metadataPath ? 200 : 404, { 'content-type': 'application/json' });
      response.end(path === metadataPath ? JSON.stringify(document) : '{}');
      return;
    }
    const body = await text(request);
    const failure = failures.shift();
    if (failure === 'hang') return;
    if (failure === 'reset') return void response.socket?.resetAndDestroy();
    const status = failure ?? ((await isGood(authorization)) ? 200 : 401);
    calls.push({ method, authorization, headers, status, body });
    if (status === 200 && state.isBare) {
      response.writeHead(200, { 'content-type': 'application/json' });
      return void response.end('{"jsonrpc":"2.0","id":1,"result":{}}');
    }
    if (status === 200) {
      const parsed = body === '' ? undefined : (JSON.parse(body) as unknown);
      return void serve(request as NodeIncomingMessageLike, response, parsed);
    }
    const challenge = `Bearer error="invalid_token", scope="mcp:use", resource_metadata="${says.challengeUrl ?? `${origin}${metadataPath}`}"`;
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(status === 401 ? { 'www-authenticate': challenge } : {}),
    });
    response.end('{"error":"refused"}');
  }

  async function close(): Promise<void> {
    await handler.close();
    await closeServer(server);
  }

  return {
    origin,
    url,
    calls,
    documents,
    get connections() {
      return connections;
    },
    says,
    get isBare() {
      return state.isBare;
    },
    set isBare(isBare) {
      state.isBare = isBare;
    },
    refuse: (token) => void refused.add(token),
    failNext: (how) => void failures.push(how),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function describeServer(): McpServer {
  const server = new McpServer({ name: 'protected-server', version: '1.0.0' });
  server.registerTool(
    'echo',
    { description: 'Says it again', inputSchema: z.object({ text: z.string().optional() }) },
    ({ text: said = '' }) => ({ content: [{ type: 'text', text: said }] }),
  );
  return server;
}
