import { createHmac, randomBytes } from 'node:crypto';

/** A nonce is good for one to two of these. */
const slotMs = 120_000;

/**
 * Nonces that need no memory (RFC 9449 §8, §9): a MAC of the present slot of time. All clients of a slot get the
 * same one, which says when a proof was made at the earliest; that it is used once, `jti` sees to.
 */
export class ProofNonces {
  readonly #key: Buffer;

  /** `sessionKey`: shared by all replicas; without it a random one, and replicas don't take each other's nonces. */
  constructor(sessionKey: string | undefined) {
    this.#key = createHmac('sha256', sessionKey ?? randomBytes(32))
      .update('portcullis dpop nonce')
      .digest();
  }

  current(nowMs: number): string {
    return this.#ofSlot(Math.floor(nowMs / slotMs));
  }

  accepts(nonce: unknown, nowMs: number): boolean {
    // Anyone may ask for these: how long a comparison takes tells nothing.
    return nonce === this.current(nowMs) || nonce === this.current(nowMs - slotMs);
  }

  #ofSlot(slot: number): string {
    return createHmac('sha256', this.#key).update(String(slot)).digest('base64url');
  }
}
