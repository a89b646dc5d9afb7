/**
 * The MCP server's place, taken by a server that remembers every byte it was sent and answers as the test
 * says: plain answers, SSE event by event, silence, resets, garbage.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventStream } from './event-stream.ts';
import { closeServer, eventually, host, listenOnLoopback } from './loopback.ts';
import { record, type RecordedRequest, type Recording } from './recorded-request.ts';

/** `hang`: no byte of an answer. `reset`: RST. `bytes`: written to the socket as they are, then closed. */
export type Reply =
  | 'hang'
  | 'reset'
  | EventStream
  | { readonly bytes: string | Buffer }
  | PlainReply
  | ((request: RecordedRequest, response: ServerResponse) => void | Promise<void>);

export interface PlainReply {
  readonly status?: number;
  /** Lower-case names; a list is sent as several lines. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Objects become JSON. */
  readonly body?: unknown;
  readonly delayMs?: number;
}

export interface Connection {
  /** Everything that came over this connection. For a TLS upstream: nothing. */
  readonly bytes: Buffer;
  readonly open: boolean;
}

export interface RecordingUpstream extends AsyncDisposable {
  readonly origin: string;
  /** `origin` with `/mcp`. */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly RecordedRequest[];
  readonly connections: readonly Connection[];
  /** Requests whose peer left before the end of the answer. */
  readonly aborted: number;
  /** How all requests without an own answer are answered; at first an echo of the JSON-RPC id. */
  answer(reply: Reply): void;
  /** The next request without an answer gets this one; several queue up. */
  answerOnce(reply: Reply): void;
  /** Waits for the n-th request (1 is the first). */
  request(n?: number, withinMs?: number): Promise<RecordedRequest>;
  close(): Promise<void>;
}

export interface UpstreamOptions {
  /** PEM text; makes it an https upstream. */
  readonly tls?: {
    readonly key: string;
    readonly cert: string;
    readonly ca?: string;
    readonly requestCert?: boolean;
  };
  readonly port?: number;
}

export async function startRecordingUpstream(options: UpstreamOptions = {}): Promise<RecordingUpstream> {
  const requests: Recording[] = [];
  const connections: { bytes: Buffer; open: boolean }[] = [];
  const queue: Reply[] = [];
  let standing: Reply = echoId;

  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    const recording = record(incoming, response);
    requests.push(recording);
    void give(queue.shift() ?? standing, recording, response);
  };
  const settings = { keepAliveTimeout: 60_000, requestTimeout: 0, headersTimeout: 0 };
  const server: Server =
    options.tls === undefined
      ? createServer(settings, listener)
      : createTlsServer({ ...settings, ...options.tls }, listener);
  server.on('connection', (socket) =>
    connections.push(tap(socket, { recordBytes: options.tls === undefined })),
  );

  const port = await listenOnLoopback(server, options.port);
  const origin = `${options.tls === undefined ? 'http' : 'https'}://${host}:${port}`;

  const close = (): Promise<void> => closeServer(server);
  return {
    origin,
    url: `${origin}/mcp`,
    port,
    requests,
    connections,
    get aborted() {
      return requests.filter((request) => request.aborted).length;
    },
    answer(reply) {
      standing = reply;
    },
    answerOnce(reply) {
      queue.push(reply);
    },
    async request(n = 1, withinMs = 5_000) {
      await eventually(`request ${n} at the upstream`, () => requests.length >= n, withinMs);
      return requests[n - 1] as RecordedRequest;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function tap(socket: Socket, { recordBytes }: { recordBytes: boolean }): { bytes: Buffer; open: boolean } {
  const connection = { bytes: Buffer.alloc(0), open: true };
  if (recordBytes) {
    socket.on('data', (chunk: Buffer) => (connection.bytes = Buffer.concat([connection.bytes, chunk])));
  }
  socket.on('close', () => (connection.open = false));
  socket.on('error', () => (connection.open = false));
  return connection;
}

async function give(reply: Reply, recording: Recording, response: ServerResponse): Promise<void> {
  if (reply === 'hang') return;
  await recording.received;
  if (reply === 'reset') response.socket?.resetAndDestroy();
  else if (reply instanceof EventStream) reply.attach(response);
  else if (typeof reply === 'function') await reply(recording, response);
  else if ('bytes' in reply) response.socket?.end(reply.bytes);
  else await givePlain(reply, response);
}

async function givePlain(reply: PlainReply, response: ServerResponse): Promise<void> {
  if (reply.delayMs !== undefined) await sleep(reply.delayMs);
  if (response.destroyed) return;
  const raw = typeof reply.body === 'string' || Buffer.isBuffer(reply.body);
  response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
  if (reply.body === undefined) response.end();
  else response.end(raw ? (reply.body as string | Buffer) : JSON.stringify(reply.body));
}

/** `{"jsonrpc":"2.0","id":…,"result":{}}` for the id that was sent; 202 where none was. */
function echoId(request: RecordedRequest, response: ServerResponse): void {
  const id = idOf(request.body.toString());
  if (id === undefined) {
    response.writeHead(request.method === 'POST' ? 202 : 405).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result: {} }));
}

function idOf(body: string): unknown {
  try {
    return (JSON.parse(body) as { id?: unknown }).id;
  } catch {
    return undefined;
  }
}
