import type { AnswerFilter, ListReader } from '../../vocabulary/answer-filter.ts';
import type { Exchange } from '../../vocabulary/exchange.ts';
import type { Refusal } from '../../vocabulary/refusal.ts';
import type { UpstreamHeaders } from '../response-headers.ts';
import { isEventStream, isUnencoded } from '../response-headers.ts';
import { BodySieve } from './body-sieve.ts';
import { EventSieve } from './event-sieve.ts';
import type { Shows } from './filter-lists.ts';
import type { Sieve, Sifted } from './sifted.ts';

export interface AnswerSieveParts {
  readonly filter: AnswerFilter;
  readonly reader: ListReader;
  /** JSON text of the id of a single request. */
  readonly requestId: string | null;
  readonly exchange: Exchange;
  readonly status: number;
  /** As the upstream sent them. */
  readonly headers: UpstreamHeaders;
  /** Name, value, name, value … for the client, before anything is changed. */
  readonly passing: readonly string[];
  /** Begins the answer to the client; false where that failed. */
  readonly start: (headers: string[]) => boolean;
  readonly giveUp: (refusal: Refusal) => void;
}

/**
 * An answer on a route that hides what a caller may not use, on its way to a client. Every answer passes through one, whatever was
 * asked: a server may send the answer to one request on the stream of another. A body that isn't a stream begins for the client
 * once it may go on, so that one that may not is a 502.
 */
export class AnswerSieve {
  /** Name, value, name, value … of an event stream. */
  readonly headers: string[];
  readonly #parts: AnswerSieveParts;
  readonly #sieve: Sieve;
  #hasBegun: boolean;

  constructor(parts: AnswerSieveParts) {
    this.#parts = parts;
    this.headers = withoutMeasures(parts.passing);
    this.#hasBegun = isEventStream(parts.headers);
    const { filter, reader, requestId, exchange } = parts;
    const shows: Shows = (list, name) => filter.shows(list, name, reader);
    const onWithheld = (says: string): void => {
      exchange.withheld = says;
    };
    this.#sieve = this.#hasBegun ? new EventSieve({ shows, requestId, onWithheld }) : new BodySieve(shows);
  }

  /** What may go on to the client, if anything. */
  pass(chunk: Buffer): Buffer | undefined {
    const sifted = this.#sieve.pass(chunk);
    if (sifted.state === 'held') return undefined;
    return this.#letGo(sifted, this.headers);
  }

  /** A whole answer at once; undefined where it was given up. */
  whole(body: Buffer): Buffer | undefined {
    const sifted = this.#sieve.pass(body);
    return sifted.state === 'held' ? this.end() : this.#letGo(sifted, this.headers);
  }

  /** What is left of a complete answer; undefined where it was given up. */
  end(): Buffer | undefined {
    const sifted = this.#sieve.end();
    if (sifted.state === 'held') return nothing;
    const length =
      sifted.state === 'open' && !bodiless.has(this.#parts.status) ? sifted.bytes.length : undefined;
    return this.#letGo(sifted, [
      ...(this.#sieve.sawList ? withoutSharing(this.headers) : this.headers),
      ...(length === undefined ? [] : ['content-length', String(length)]),
    ]);
  }

  #letGo(sifted: Exclude<Sifted, { state: 'held' }>, headers: string[]): Buffer | undefined {
    if (sifted.state === 'fault') {
      this.#parts.giveUp({ kind: 'upstream-failed', reason: 'garbage', detail: sifted.detail });
      return undefined;
    }
    if (!this.#hasBegun && !this.#parts.start(headers)) return undefined;
    this.#hasBegun = true;
    return sifted.bytes;
  }
}

const nothing = Buffer.alloc(0);

/** RFC 9110 §8.6: no length with these. */
const bodiless = new Set([204]);

/** Undefined where the answer can't be looked through; it was given up then. */
export function openSieve(parts: AnswerSieveParts): AnswerSieve | undefined {
  const detail = whyOpaque(parts.headers);
  if (detail === undefined) return new AnswerSieve(parts);
  parts.giveUp({ kind: 'upstream-failed', reason: 'garbage', detail });
  return undefined;
}

/**
 * Why an answer can't be looked through; undefined where it can. Bytes that aren't their text, text that isn't UTF-8, and a type
 * that one client takes for a stream of events and another for JSON.
 */
function whyOpaque(headers: UpstreamHeaders): string | undefined {
  const { 'content-encoding': encoding, 'content-type': type } = headers;
  if (!isUnencoded(encoding))
    return 'a compressed answer, though none was asked for, on a route that filters lists';
  if (type === undefined) return undefined;
  if (typeof type !== 'string') return 'more than one content type';
  const text = type.toLowerCase();
  if (
    text
      .split('charset')
      .slice(1)
      .some((rest) => !saysUtf8.test(rest))
  )
    return 'text that is not in UTF-8';
  const isAmbiguous = text.includes('event-stream') && (!isEventStream(headers) || text.includes('json'));
  return isAmbiguous ? 'a content type that can be read as an event stream and as none' : undefined;
}

/** Behind the word, wherever it stands: of two parameters clients take either, and some know the form of RFC 8187. */
const saysUtf8 = /^\s*=\s*(["']?)(?:utf-?8|us-ascii)\1\s*(?:;|$)/;

/** What counts or digests bytes (RFC 9110 §8.6, §14.4, RFC 9530): another answer leaves than came. */
const measures = new Set(['content-length', 'content-md5', 'content-digest', 'content-range']);

function withoutMeasures(headers: readonly string[]): string[] {
  return without(headers, (name) => measures.has(name));
}

function withoutSharing(headers: readonly string[]): string[] {
  return [...without(headers, (name) => name === 'cache-control'), 'cache-control', 'no-store'];
}

function without(headers: readonly string[], drops: (name: string) => boolean): string[] {
  const kept: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (!drops(name)) kept.push(name, headers[at + 1] ?? '');
  }
  return kept;
}
