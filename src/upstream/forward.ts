import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Dispatcher } from 'undici';

import type { Exchange, ExchangeEnd } from '../vocabulary/exchange.ts';
import type { Observer } from '../vocabulary/observer.ts';
import type { Admitted } from '../vocabulary/passage.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import type { AnswerHead, ReadLostSession } from './dialects.ts';
import { lostSessionReader } from './dialects.ts';
import type { SentOnce } from './connections.ts';
import { EventStream } from './event-stream.ts';
import { refusalForStatus, refusalForUpstream } from './faults.ts';
import { HeldAnswer } from './held-answer.ts';
import { LegacyStream } from './legacy-stream.ts';
import type { Endable } from './open-exchanges.ts';
import type { UpstreamHeaders } from './response-headers.ts';
import { isEventStream, isUnencoded } from './response-headers.ts';
import { SpentMemory } from './spent-memory.ts';
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
  /** Asks again whether the token of an open stream would be let in. */
  readonly stillAdmitted: (request: FastifyRequest) => Promise<boolean>;
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
  target.connections.dispatch(
    {
      method: downstream.request.method as Dispatcher.HttpMethod,
      path: target.pathFor(downstream.request),
      headers: downstream.request.upstreamHeaders ?? [],
      body: passage.call?.bytes ?? null,
    },
    exchange,
  );
}

class ForwardedExchange implements SentOnce, Endable {
  readonly answersNothing: boolean;
  place = 0;
  readonly #passage: Admitted;
  readonly #downstream: Downstream;
  readonly #parts: ForwardParts;
  readonly #exchange: Exchange;
  #controller: Dispatcher.DispatchController | undefined;
  #stream: EventStream | undefined;
  #legacy: LegacyStream | undefined;
  #held: HeldAnswer | undefined;
  #spent: SpentMemory | undefined;

  constructor(passage: Admitted, downstream: Downstream, parts: ForwardParts) {
    this.#passage = passage;
    this.#downstream = downstream;
    this.#parts = parts;
    // The stream of a legacy server carries the answers to calls.
    this.answersNothing = downstream.request.method === 'GET' && parts.target.endpointOf === undefined;
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

  get sent(): boolean {
    return this.#controller !== undefined;
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
    const passing = this.#parts.target.filterHeaders(headers, this.#downstream.request.session, status);
    if (passing === undefined)
      return this.#giveUp({ kind: 'upstream-failed', reason: 'garbage', detail: 'Mcp-Session-Id' });
    const encoding = headers['content-encoding'];
    if (isEventStream(headers)) {
      const start = (): boolean => this.#startStream(controller, passing, encoding);
      if (this.#isLegacyStream) this.#awaitEndpoint(start, encoding);
      else start();
      return;
    }
    if (this.#isLegacyStream && status < 300)
      return this.#giveUp({ kind: 'upstream-failed', reason: 'garbage', detail: 'no event stream' });
    const length = Number(headers['content-length'] ?? Number.NaN);
    const readLostSession = status < 400 ? undefined : this.#lostSessionReader({ status, headers });
    if (length <= onePieceBytes || readLostSession !== undefined)
      this.#held = new HeldAnswer(passing, readLostSession);
    else this.#writeHead(passing);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#exchange.end !== undefined) return;
    const bytes =
      this.#held !== undefined
        ? this.#passHeld(this.#held, chunk)
        : this.#legacy === undefined
          ? chunk
          : this.#legacy.pass(chunk);
    if (bytes === undefined) return;
    const { raw } = this.#downstream.reply;
    this.#spent ??= new SpentMemory();
    const flowing = (this.#stream ?? raw).write(bytes, this.#spent.follow(bytes));
    if (flowing) return;
    controller.pause();
    raw.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    if (this.#exchange.end !== undefined) return;
    const { raw } = this.#downstream.reply;
    if (this.#legacy?.isNamed === false)
      return this.#giveUp({ kind: 'upstream-failed', reason: 'garbage', detail: 'no endpoint event' });
    if (this.#held !== undefined) return this.#endHeld(this.#held);
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

  /** Without a session that had opened, an answer can't be about its loss. */
  #lostSessionReader(head: AnswerHead): ReadLostSession | undefined {
    const upstreamId = this.#downstream.request.session?.upstreamId;
    const { transport } = this.#parts.target.route.upstream;
    return upstreamId === undefined ? undefined : lostSessionReader(head, transport, upstreamId);
  }

  /** What may go on to the client, if anything. */
  #passHeld(held: HeldAnswer, chunk: Buffer): Buffer | undefined {
    if (held.take(chunk)) return undefined;
    this.#held = undefined;
    return this.#writeHead(held.headers) ? held.body : undefined;
  }

  #endHeld(held: HeldAnswer): void {
    const dialect = held.lostSessionIn;
    const { reply } = this.#downstream;
    if (dialect !== undefined) {
      this.#exchange.end = 'complete';
      return reply.refuse({ kind: 'session-lost', reason: 'session_lost', detail: dialect });
    }
    if (!this.#writeHead(held.headers)) return;
    this.#exchange.end = 'complete';
    // As a string of one-byte characters it leaves in one write together with the header.
    reply.raw.end(held.body.toString('latin1'), 'latin1');
  }

  get #isLegacyStream(): boolean {
    return this.#downstream.request.method === 'GET' && this.#parts.target.endpointOf !== undefined;
  }

  #awaitEndpoint(start: () => boolean, encoding: string | string[] | undefined): void {
    const { endpointOf } = this.#parts.target;
    const { request } = this.#downstream;
    if (endpointOf === undefined || !isUnencoded(encoding)) {
      const detail = 'a compressed event stream';
      return this.#giveUp({ kind: 'upstream-failed', reason: 'garbage', detail });
    }
    this.#legacy = new LegacyStream({
      rewrite: (endpoint) => endpointOf(endpoint, request),
      start,
      giveUp: (refusal) => this.#giveUp(refusal),
    });
  }

  #startStream(
    controller: Dispatcher.DispatchController,
    headers: string[],
    encoding: string | string[] | undefined,
  ): boolean {
    const { route } = this.#parts.target;
    this.#exchange.stream = true;
    if (!this.#writeHead([...headers, 'x-accel-buffering', 'no'])) return false;
    const { raw } = this.#downstream.reply;
    // On a silent stream nothing else would send the headers.
    raw.flushHeaders();
    this.#parts.observer.streamOpened(route.name);
    this.#stream = new EventStream(raw, {
      // Between the bytes of a compressed stream a comment would be garbage.
      keepAliveMs: isUnencoded(encoding) ? route.streams.keepAlive : undefined,
      remainingMs: this.#remainingMs(),
      onExpired: () => this.end('token_expired'),
      stillAdmitted:
        this.#passage.principal === null
          ? undefined
          : () => this.#parts.stillAdmitted(this.#downstream.request),
      onRevoked: () => this.end('token_revoked'),
    });
    if (raw.writableNeedDrain) controller.pause();
    return true;
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
    const hasOwn = request.headers.origin !== undefined || this.#passage.route.dpop !== undefined;
    try {
      reply.raw.writeHead(
        this.#exchange.status ?? 502,
        hasOwn ? [...headers, ...ownHeaders(reply)] : headers,
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
    const { reply } = this.#downstream;
    const isAnswered = reply.raw.headersSent;
    reply.refuse(refusal);
    if (isAnswered) reply.raw.destroy();
    this.#abort();
  }

  #onClientClosed(): void {
    this.#parts.target.exchanges.remove(this);
    this.#legacy?.stop();
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

/** What earlier stages have put on the reply: CORS, where the request came from a page; the next nonce of DPoP. */
function ownHeaders(reply: FastifyReply): string[] {
  return Object.entries(reply.getHeaders()).flatMap(([name, value]) => [name, String(value)]);
}

const abortReason = new Error('the exchange ended');
