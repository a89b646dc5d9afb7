import { createHmac, randomBytes } from 'node:crypto';

/** A nonce is good for one to two of these. */
const slotMs = 120_000;

/**
 * Nonces that need no memory (RFC 9449 §8, §9): a MAC of the present slot of time. All clients of a slot get the
 * same one, which says when a proof was made at the earliest; that it is used once, `jti` sees to.
 */
export class ProofNonces {
  readonly #key: Buffer;
  readonly #keys: readonly Buffer[];

  /**
   * `sessionKey`: shared by all replicas; without it a random one, and replicas don't take each other's nonces.
   * `previous`: of before a rotation; nonces of them are taken, none are made.
   */
  constructor(sessionKey: string | undefined, previous: readonly string[] = []) {
    this.#key = nonceKey(sessionKey ?? randomBytes(32));
    this.#keys = [this.#key, ...previous.map(nonceKey)];
  }

  current(nowMs: number): string {
    return nonceAt(nowMs, this.#key);
  }

  accepts(nonce: unknown, nowMs: number): boolean {
    // Anyone may ask for these: how long a comparison takes tells nothing.
    return this.#keys.some((key) => nonce === nonceAt(nowMs, key) || nonce === nonceAt(nowMs - slotMs, key));
  }
}

function nonceKey(secret: string | Buffer): Buffer {
  return createHmac('sha256', secret).update('portcullis dpop nonce').digest();
}

function nonceAt(timeMs: number, key: Buffer): string {
  const slot = Math.floor(timeMs / slotMs);
  return createHmac('sha256', key).update(String(slot)).digest('base64url');
}
