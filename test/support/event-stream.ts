import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { within } from './loopback.ts';

/** One SSE answer of an upstream, event by event under the test's control. */
export class EventStream {
  readonly #attached = Promise.withResolvers<ServerResponse>();
  readonly #left = Promise.withResolvers<number>();
  readonly #headers: Readonly<Record<string, string>>;

  constructor(headers: Readonly<Record<string, string>> = {}) {
    this.#headers = headers;
  }

  /** The upstream's part: sends the headers at once. */
  attach(response: ServerResponse): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      ...this.#headers,
    });
    response.flushHeaders();
    response.on('close', () => this.#left.resolve(performance.now()));
    this.#attached.resolve(response);
  }

  /** Resolves when a request got this stream. */
  async opened(withinMs = 5_000): Promise<void> {
    await within(this.#attached.promise, withinMs, 'the stream is asked for');
  }

  /** Sends one event with JSON data. */
  async send(data: unknown, event = 'message'): Promise<void> {
    await this.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Sends bytes as they are and waits until the peer takes more: a slow peer slows the test. */
  async write(bytes: string | Buffer): Promise<void> {
    const response = await this.#attached.promise;
    if (!response.write(bytes) && !response.destroyed) {
      await Promise.race([once(response, 'drain'), this.#left.promise]);
    }
  }

  async end(): Promise<void> {
    const response = await this.#attached.promise;
    await new Promise<void>((resolve) => response.end(resolve));
  }

  /** Breaks the connection in the middle of the stream. */
  async reset(): Promise<void> {
    (await this.#attached.promise).socket?.resetAndDestroy();
  }

  /** Resolves with the monotonic milliseconds when the stream was closed, by whichever side. */
  async closed(withinMs = 5_000): Promise<number> {
    return within(this.#left.promise, withinMs, 'the stream is closed');
  }
}
