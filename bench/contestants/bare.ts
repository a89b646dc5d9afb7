// The least that forwards honestly: node:http in front of undici's Pool.dispatch. It buffers the request body as the
// gateway does, drops hop-by-hop headers both ways, minds a slow client, and aborts the upstream when the client leaves.
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { Pool } from 'undici';
import type { Dispatcher } from 'undici';

import { serveUntilStopped } from './serve-until-stopped.ts';

/** RFC 9110 §7.6.1; `host` and `content-length` are written by undici itself. */
const notForwarded = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const notReturned = new Set(['connection', 'keep-alive', 'trailer', 'transfer-encoding', 'upgrade']);

const upstreamUrl = new URL(process.argv[2] ?? '');
const pool = new Pool(upstreamUrl.origin, { connections: 128 });

class Relay implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#response.on('close', () => {
      if (!this.#response.writableFinished) controller.abort(new Error('the client left'));
    });
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    this.#response.writeHead(status, returnedHeaders(controller.rawHeaders as readonly Buffer[]));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#response.headersSent) this.#response.destroy();
    else this.#response.writeHead(502).end(error.message);
  }
}

function returnedHeaders(raw: readonly Buffer[]): string[] {
  const headers: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = String(raw[index]?.toString('latin1'));
    if (!notReturned.has(name.toLowerCase())) headers.push(name, String(raw[index + 1]?.toString('latin1')));
  }
  return headers;
}

function forwardedHeaders(raw: readonly string[]): string[] {
  const headers: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = String(raw[index]);
    if (!notForwarded.has(name.toLowerCase())) headers.push(name, String(raw[index + 1]));
  }
  return headers;
}

function forward(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    pool.dispatch(
      {
        path: upstreamUrl.pathname,
        method: request.method ?? 'GET',
        headers: forwardedHeaders(request.rawHeaders),
        body: body === undefined || body.length === 0 ? null : body,
      },
      new Relay(response),
    );
  });
}

serveUntilStopped(createServer(forward));
