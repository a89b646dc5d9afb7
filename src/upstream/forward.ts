import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Dispatcher } from 'undici';

import type { Exchange, ExchangeEnd } from '../vocabulary/exchange.ts';
import type { Observer } from '../vocabulary/observer.ts';
import type { Admitted } from '../vocabulary/passage.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import { EventStream } from './event-stream.ts';
import { refusalForStatus, refusalForUpstream } from './faults.ts';
import type { Endable } from './open-exchanges.ts';
import type { UpstreamHeaders } from './response-headers.ts';
import { isEventStream } from './response-headers.ts';
import type { Target } from './target.ts';

export interface Downstream {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface ForwardParts {
  readonly target: Target;
  readonly observer: Observer;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** A short answer goes out in one piece, headers and all: half the writes, and a fault still becomes a 502. */
const onePieceBytes = 64 * 1024;

/**
 * Sends an admitted request to the route's upstream, once, and streams the answer back as it comes. It aborts
 * the upstream when the client leaves, holds it back when the client is slow, and never sends anything twice.
 */
export function forward(passage: Admitted, downstream: Downstream, parts: ForwardParts): void {
  const { target } = parts;
  // The client left while its token was being checked: nothing would ever end what begins now.
  if (downstream.reply.raw.destroyed) return;
  if (target.exchanges.full) return downstream.reply.refuse({ kind: 'route-full', reason: 'streams_limit' });
  const exchange = new ForwardedExchange(passage, downstream, parts);
  target.pool.dispatch(
    {
      method: downstream.request.method as Dispatcher.HttpMethod,
      path: target.path,
      headers: downstream.request.upstreamHeaders ?? [],
      body: passage.call?.bytes ?? null,
    },
    exchange,
  );
}

class ForwardedExchange implements Dispatcher.DispatchHandler, Endable {
  readonly answersNothing: boolean;
  place = 0;
  readonly #passage: Admitted;
  readonly #downstream: Downstream;
  readonly #parts: ForwardParts;
  readonly #exchange: Exchange;
  #controller: Dispatcher.DispatchController | undefined;
  #stream: EventStream | undefined;
  /** Headers and chunks of a short answer that waits to be complete. */
  #held: { readonly headers: string[]; readonly chunks: Buffer[] } | undefined;

  constructor(passage: Admitted, downstream: Downstream, parts: ForwardParts) {
    this.#passage = passage;
    this.#downstream = downstream;
    this.#parts = parts;
    this.answersNothing = downstream.request.method === 'GET';
    this.#exchange = {
      status: undefined,
      headersAt: undefined,
      stream: false,
      end: undefined,
    };
    downstream.request.exchange = this.#exchange;
    parts.target.exchanges.add(this);
    // The one event that tells for every method that a client left; after a complete answer it comes too.
    downstream.reply.raw.on('close', () => this.#onClientClosed());
  }

  end(reason: ExchangeEnd): void {
    this.#exchange.end ??= reason;
    const { reply } = this.#downstream;
    if (!reply.raw.headersSent) reply.refuse({ kind: 'not-ready', reason: 'stopping' });
    else if (this.#stream === undefined) reply.raw.destroy();
    else this.#stream.end();
    this.#abort();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#exchange.end !== undefined) this.#abort();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: UpstreamHeaders): void {
    if (status < 200 || this.#exchange.end !== undefined) return;
    this.#exchange.status = status;
    this.#exchange.headersAt = performance.now();
    const refusal = refusalForStatus(status, String(headers['location'] ?? ''));
    if (refusal !== undefined) return this.#giveUp(refusal);
    const passing = this.#parts.target.filterHeaders(headers);
    if (passing === undefined)
      return this.#giveUp({ kind: 'upstream-failed', reason: 'garbage', detail: 'Mcp-Session-Id' });
    if (isEventStream(headers)) return this.#startStream(controller, passing, headers['content-encoding']);
    const length = Number(headers['content-length'] ?? Number.NaN);
    if (length <= onePieceBytes) this.#held = { headers: passing, chunks: [] };
    else this.#writeHead(passing);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#exchange.end !== undefined) return;
    if (this.#held !== undefined) {
      this.#held.chunks.push(chunk);
      return;
    }
    const { raw } = this.#downstream.reply;
    const flowing = this.#stream === undefined ? raw.write(chunk) : this.#stream.write(chunk);
    if (flowing) return;
    controller.pause();
    raw.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    if (this.#exchange.end !== undefined) return;
    const { raw } = this.#downstream.reply;
    if (this.#held !== undefined) {
      const { headers, chunks } = this.#held;
      if (!this.#writeHead(headers)) return;
      this.#exchange.end = 'complete';
      const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
      // As a string of one-byte characters it leaves in one write together with the header.
      raw.end(body?.toString('latin1'), 'latin1');
      return;
    }
    this.#exchange.end = 'complete';
    if (this.#stream === undefined) raw.end();
    else this.#stream.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#exchange.end !== undefined) return;
    const { raw } = this.#downstream.reply;
    if (!raw.headersSent) return this.#giveUp(refusalForUpstream(error));
    this.#exchange.end =
      'code' in error && error.code === 'UND_ERR_BODY_TIMEOUT' ? 'idle_timeout' : 'upstream_reset';
    // Never a clean end: the client must not take half an answer for a whole one.
    raw.destroy();
  }

  #startStream(
    controller: Dispatcher.DispatchController,
    headers: string[],
    encoding: string | string[] | undefined,
  ): void {
    const { route } = this.#parts.target;
    this.#exchange.stream = true;
    if (!this.#writeHead([...headers, 'x-accel-buffering', 'no'])) return;
    const { raw } = this.#downstream.reply;
    // On a silent stream nothing else would send the headers.
    raw.flushHeaders();
    this.#parts.observer.streamOpened(route.name);
    this.#stream = new EventStream(raw, {
      // Between the bytes of a compressed stream a comment would be garbage.
      keepAliveMs: encoding === undefined || encoding === 'identity' ? route.streams.keepAlive : undefined,
      remainingMs: this.#remainingMs(),
      onExpired: () => this.end('token_expired'),
    });
    if (raw.writableNeedDrain) controller.pause();
  }

  /** How long the stream may outlive its token (MCP authorization: it must be in every request, and a stream is one). */
  #remainingMs(): number | undefined {
    const { closeOnExpiry } = this.#parts.target.route.streams;
    const expiresAt = this.#passage.principal?.expiresAt;
    if (closeOnExpiry === 'never' || expiresAt === undefined) return undefined;
    return expiresAt * 1000 + closeOnExpiry - this.#parts.clock();
  }

  #writeHead(headers: string[]): boolean {
    const { request, reply } = this.#downstream;
    try {
      reply.raw.writeHead(
        this.#exchange.status ?? 502,
        request.headers.origin === undefined ? headers : [...headers, ...ownHeaders(reply)],
      );
      reply.hijack();
      return true;
    } catch {
      // Node refuses to write a header that the upstream should never have sent.
      this.#giveUp({ kind: 'upstream-failed', reason: 'garbage', detail: 'unwritable response header' });
      return false;
    }
  }

  #giveUp(refusal: Refusal): void {
    this.#exchange.end = 'upstream_reset';
    this.#downstream.reply.refuse(refusal);
    this.#abort();
  }

  #onClientClosed(): void {
    this.#parts.target.exchanges.remove(this);
    if (this.#stream !== undefined) {
      this.#stream.stop();
      this.#parts.observer.streamClosed(this.#parts.target.route.name);
    }
    if (this.#exchange.end !== undefined) return;
    this.#exchange.end = 'client_left';
    this.#abort();
  }

  #abort(): void {
    this.#controller?.abort(abortReason);
  }
}

/** What earlier stages have put on the reply: CORS, where the request came from a page. */
function ownHeaders(reply: FastifyReply): string[] {
  return Object.entries(reply.getHeaders()).flatMap(([name, value]) => [name, String(value)]);
}

const abortReason = new Error('the exchange ended');
