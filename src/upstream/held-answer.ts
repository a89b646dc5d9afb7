import type { ServerResponse } from 'node:http';

import type { ReadLostSession } from './dialects.ts';
import { maximumDialectBytes } from './dialects.ts';

/** A short answer goes out in one piece, headers and all: half the writes, and a fault still becomes a 502. */
export const onePieceBytes = 64 * 1024;

/** Ends an answer with what is left of it. As a string of one-byte characters a short one leaves in one write with its header. */
export function endWith(raw: ServerResponse, bytes: Buffer | undefined): void {
  if (bytes === undefined || bytes.length === 0) raw.end();
  else if (bytes.length > onePieceBytes) raw.end(bytes);
  else raw.end(bytes.toString('latin1'), 'latin1');
}

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
