import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text as readToEnd } from 'node:stream/consumers';

import { diceFrom } from '../support/differential/dice.ts';
import { closeServer, host, listenOnLoopback } from '../support/loopback.ts';

/** `cut`: half of an answer, then a reset. */
export type Fault = 'reset' | 'hang' | 'garbage' | 'cut';

export interface FaultyUpstream extends AsyncDisposable {
  readonly url: string;
  /** What was done to the call with this nonce; forgets it. */
  takeFault(nonce: string): Fault | undefined;
}

const faultShare = 0.01;
const eventIntervalMs = 100;

/** An MCP server that says to each who asks, and with which nonce; one call in a hundred it fails, each time in another way. */
export async function startFaultyUpstream(seed: number): Promise<FaultyUpstream> {
  const dice = diceFrom(seed);
  const faults = new Map<string, Fault>();
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      void answerCall(request, response, (nonce) => {
        if (!dice.chance(faultShare)) return undefined;
        const fault = dice.pick(['reset', 'hang', 'garbage', 'cut'] as const);
        faults.set(nonce, fault);
        return fault;
      });
    } else if (request.method === 'GET') tellUntilGone(request, response);
    else response.writeHead(405).end();
  });
  server.keepAliveTimeout = 60_000;
  const port = await listenOnLoopback(server);
  return {
    url: `http://${host}:${port}/mcp`,
    takeFault(nonce) {
      const fault = faults.get(nonce);
      faults.delete(nonce);
      return fault;
    },
    [Symbol.asyncDispose]: () => closeServer(server),
  };
}

async function answerCall(
  request: IncomingMessage,
  response: ServerResponse,
  faultFor: (nonce: string) => Fault | undefined,
): Promise<void> {
  const body = await readToEnd(request).catch(() => undefined);
  if (body === undefined) return;
  const { id, params } = JSON.parse(body) as {
    readonly id: string;
    readonly params: { readonly name: string };
  };
  const fault = faultFor(id);
  const answer = JSON.stringify({ jsonrpc: '2.0', id, result: { nonce: id, subject: subjectOf(request) } });
  if (fault === 'hang') return;
  if (fault === 'reset') return void request.socket.resetAndDestroy();
  if (fault === 'garbage') return void request.socket.end('HTTP/1.1 banana\r\n\r\n');
  const isStream = params.name === 'stream';
  const text = isStream ? `data: ${answer}\n\n` : answer;
  response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
  if (fault !== 'cut') return void response.end(text);
  response.write(text.slice(0, text.length / 2), () => request.socket.resetAndDestroy());
}

function tellUntilGone(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const tell = (): boolean => response.write(`data: ${JSON.stringify({ subject: subjectOf(request) })}\n\n`);
  tell();
  const timer = setInterval(tell, eventIntervalMs);
  response.once('close', () => clearInterval(timer));
}

function subjectOf({ headersDistinct }: IncomingMessage): string {
  return headersDistinct['x-auth-subject']?.join() ?? '';
}
