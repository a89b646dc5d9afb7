import type { FastifyRequest } from 'fastify';
import type { Dispatcher } from 'undici';

import type { Exchange, ExchangeEnd } from '../vocabulary/exchange.ts';
import type { Admitted } from '../vocabulary/passage.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import type { Standing } from '../vocabulary/standing.ts';
import { isOver } from '../vocabulary/standing.ts';
import { writeHead } from './answer-head.ts';
import type { AnswerHead, ReadLostSession } from './dialects.ts';
import { lostSessionReader } from './dialects.ts';
import type { SentOnce } from './connections.ts';
import { EventStream, remainingMs } from './event-stream.ts';
import { refusalForStatus, refusalForUpstream } from './faults.ts';
import type { Downstream, ForwardParts } from './forward-parts.ts';
import { endWith, HeldAnswer, onePieceBytes } from './held-answer.ts';
import { LegacyStream } from './legacy-stream.ts';
import type { AnswerSieve } from './lists/answer-sieve.ts';
import { openSieve } from './lists/answer-sieve.ts';
import type { Endable } from './open-exchanges.ts';
import type { RefusedRequest } from './replay.ts';
import { credentialsRefused, refusalOfRenewed, replayOnce, secondAttempt } from './replay.ts';
import type { UpstreamHeaders } from './response-headers.ts';
import { isEventStream, isUnencoded, unbuffered } from './response-headers.ts';
import { SpentMemory } from './spent-memory.ts';
import type { Target } from './target.ts';

/**
 * Sends an admitted request to the route's upstream, once, and streams the answer back as it comes. It aborts
 * the upstream when the client leaves, holds it back when the client is slow, and sends nothing twice, but for what the
 * upstream answered 401 to, where other credentials can be had.
 */
export function forward(passage: Admitted, downstream: Downstream, parts: ForwardParts): void {
  const { target } = parts;
  // The client left while its token was being checked: nothing would ever end what begins now.
  if (downstream.reply.raw.destroyed) return;
  if (isOver(parts.standing))
    return downstream.reply.refuse({ kind: 'not-ready', reason: 'config_superseded' });
  if (target.exchanges.size >= target.route.limits.streams)
    return downstream.reply.refuse({ kind: 'route-full', reason: 'streams_limit' });
  const exchange = new ForwardedExchange(passage, downstream, parts);
  exchange.sendFor(exchange);
}

function outgoing(passage: Admitted, request: FastifyRequest, target: Target): Dispatcher.DispatchOptions {
  return {
    method: request.method as Dispatcher.HttpMethod,
    path: target.pathFor(request),
    headers: request.upstreamHeaders ?? [],
    body: request.upstreamBody ?? passage.call?.bytes ?? null,
  };
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
  /** Where the route hides what a caller may not use. */
  #sieve: AnswerSieve | undefined;
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

  get standing(): Standing {
    return this.#parts.standing;
  }

  sayLast(): void {
    const { raw } = this.#downstream.reply;
    if (!raw.headersSent) raw.shouldKeepAlive = false;
  }

  async reconsider(): Promise<void> {
    if (this.#stream === undefined) return;
    const admitted = await this.#parts.stillAdmitted(this.#downstream.request).catch(() => false);
    if (!admitted && this.#exchange.end === undefined) this.end('config_reloaded');
  }

  get sent(): boolean {
    return this.#controller !== undefined;
  }

  /** Sends the request; `listener` hears what comes of it. */
  sendFor(listener: SentOnce): void {
    const { request } = this.#downstream;
    const { target } = this.#parts;
    const options = outgoing(this.#passage, request, target);
    if (request.trace === null) target.connections.dispatch(options, listener);
    else request.trace.run(() => target.connections.dispatch(options, listener));
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
    if (status === 401 && this.#downstream.request.recovery !== null)
      return this.#replay(controller, this.#downstream.request.recovery);
    const renewed = status === 401 ? refusalOfRenewed(this.#passage.route) : undefined;
    if (renewed !== undefined) return this.#giveUp(renewed);
    const refusal = refusalForStatus(
      status,
      String(headers['location'] ?? ''),
      this.#parts.target.route.upstream,
    );
    if (refusal !== undefined) return this.#giveUp(refusal);
    const passing = this.#parts.target.filterHeaders(headers, this.#downstream.request.session, status);
    if (passing === undefined)
      return this.#giveUp({ kind: 'upstream-failed', reason: 'garbage', detail: 'Mcp-Session-Id' });
    const encoding = headers['content-encoding'];
    const { answerFilter: filter, messageId: requestId } = this.#downstream.request;
    if (filter !== null) {
      const start = (begun: string[]): boolean => this.#writeHead(begun);
      const giveUp = (found: Refusal): void => this.#giveUp(found);
      const whom = { filter, requestId, reader: this.#passage, exchange: this.#exchange };
      this.#sieve = openSieve({ ...whom, status, headers, passing, start, giveUp });
      if (this.#sieve === undefined) return;
    }
    if (isEventStream(headers)) {
      const start = (): boolean => this.#startStream(controller, this.#sieve?.headers ?? passing, encoding);
      if (this.#isLegacyStream) this.#awaitEndpoint(start, encoding);
      else start();
      return;
    }
    if (this.#isLegacyStream && status < 300)
      return this.#giveUp({ kind: 'upstream-failed', reason: 'garbage', detail: 'no event stream' });
    const length = Number(headers['content-length'] ?? Number.NaN);
    const readLostSession = status < 400 ? undefined : this.#lostSessionReader({ status, headers });
    if (readLostSession !== undefined || (length <= onePieceBytes && this.#sieve === undefined))
      this.#held = new HeldAnswer(passing, readLostSession);
    else if (this.#sieve === undefined) this.#writeHead(passing);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#exchange.end !== undefined) return;
    const arrived =
      this.#held !== undefined
        ? this.#passHeld(this.#held, chunk)
        : this.#legacy === undefined
          ? chunk
          : this.#legacy.pass(chunk);
    const bytes = arrived === undefined || this.#sieve === undefined ? arrived : this.#sieve.pass(arrived);
    if (bytes === undefined) return;
    const { raw } = this.#downstream.reply;
    // A sieve may keep a part of a read, and puts others together anew.
    if (this.#sieve === undefined) this.#spent ??= new SpentMemory();
    const flowing = (this.#stream ?? raw).write(bytes, this.#spent?.follow(bytes));
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
    const rest = this.#sieve?.end();
    if (this.#sieve !== undefined && rest === undefined) return;
    this.#exchange.end = 'complete';
    if (this.#stream === undefined) return endWith(raw, rest);
    if (rest !== undefined && rest.length > 0) this.#stream.write(rest, undefined);
    this.#stream.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#exchange.end !== undefined || error === credentialsRefused) return;
    const { raw } = this.#downstream.reply;
    if (!raw.headersSent) return this.#giveUp(refusalForUpstream(error));
    this.#exchange.end =
      'code' in error && error.code === 'UND_ERR_BODY_TIMEOUT' ? 'idle_timeout' : 'upstream_reset';
    // Never a clean end: the client must not take half an answer for a whole one.
    raw.destroy();
  }

  #replay(controller: Dispatcher.DispatchController, recovery: RefusedRequest['recovery']): void {
    const { request, reply } = this.#downstream;
    const { target } = this.#parts;
    const again = outgoing(this.#passage, request, target);
    replayOnce({
      request,
      reply,
      bodyBytes: again.body instanceof Uint8Array ? again.body.byteLength : 0,
      recovery,
      isOver: () => this.#exchange.end !== undefined,
      sendAgain: () => this.sendFor(secondAttempt(this)),
      giveUp: (refusal) => this.#giveUp(refusal),
    });
    controller.abort(credentialsRefused);
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
    return this.#sieve !== undefined || this.#writeHead(held.headers) ? held.body : undefined;
  }

  #endHeld(held: HeldAnswer): void {
    const dialect = held.lostSessionIn;
    const { reply } = this.#downstream;
    if (dialect !== undefined) {
      this.#exchange.end = 'complete';
      return reply.refuse({ kind: 'session-lost', reason: 'session_lost', detail: dialect });
    }
    const bytes = this.#sieve === undefined ? held.body : this.#sieve.whole(held.body);
    if (bytes === undefined || (this.#sieve === undefined && !this.#writeHead(held.headers))) return;
    this.#exchange.end = 'complete';
    endWith(reply.raw, bytes);
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
    if (!this.#writeHead(unbuffered(headers))) return false;
    const { raw } = this.#downstream.reply;
    // On a silent stream nothing else would send the headers.
    raw.flushHeaders();
    this.#parts.observer.streamOpened(route.name);
    this.#stream = new EventStream(raw, {
      // Between the bytes of a compressed stream a comment would be garbage.
      keepAliveMs: isUnencoded(encoding) ? route.streams.keepAlive : undefined,
      remainingMs: remainingMs(this.#passage, this.#parts.clock()),
      onExpired: () => this.end('token_expired'),
      stillAdmitted:
        this.#passage.principal === null
          ? undefined
          : () => this.#parts.stillAdmitted(this.#downstream.request),
      onRevoked: () => this.end('token_revoked'),
    });
    if (raw.writableNeedDrain) controller.pause();
    if (this.standing.supersededAt !== undefined) void this.reconsider();
    return true;
  }

  #writeHead(headers: string[]): boolean {
    if (writeHead(this.#downstream, this.#exchange.status ?? 502, headers)) return true;
    this.#giveUp({ kind: 'upstream-failed', reason: 'garbage', detail: 'unwritable response header' });
    return false;
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

const abortReason = new Error('the exchange ended');
