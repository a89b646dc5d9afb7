import type { ReadLostSession } from './dialects.ts';
import { maximumDialectBytes } from './dialects.ts';

/** A short answer that waits to be complete, or one that may say that its session is lost. */
export class HeldAnswer {
  /** Name, value, name, value … for the client. */
  readonly headers: string[];
  readonly #readLostSession: ReadLostSession | undefined;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(headers: string[], readLostSession: ReadLostSession | undefined) {
    this.headers = headers;
    this.#readLostSession = readLostSession;
  }

  /** False once it is longer than anything that a dialect says: it declared no length and must be held no more. */
  take(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return this.#readLostSession === undefined || this.#bytes <= maximumDialectBytes;
  }

  get body(): Buffer {
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
  }

  /** The dialect in which the complete answer says that the session is lost. */
  get lostSessionIn(): string | undefined {
    return this.#readLostSession?.(this.body);
  }
}
