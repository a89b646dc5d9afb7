import { randomUUID } from 'node:crypto';

import type { Issuer } from '../support/issuer.ts';
import { mintKey } from '../support/signing-key.ts';

export interface Asker {
  readonly subject: string;
  readonly token: string;
  /** The statuses of a right answer, looked at once it is there, besides what the upstream's own faults bring about. */
  right(): readonly number[];
}

interface Minted {
  readonly token: string;
  readonly kid: string;
  /** By the monotonic clock. */
  readonly at: number;
}

/** Tokens are good for 300 s. */
const renewalMs = 200_000;

/** What a disturbance may take to be over: the cool-down of the keys and the patience of a busy machine. */
const aftermathMs = 8_000;

/** The users of one authorization server, whose keys and health change under them. */
export class People {
  readonly issuer: Issuer;
  /** Until then, by the monotonic clock, 503 is an answer to tokens that aren't known. */
  #troubledUntil = 0;
  readonly #tokens = new Map<string, Minted>();
  minted = 0;

  constructor(issuer: Issuer) {
    this.issuer = issuer;
  }

  /** The token that the user has, or a new one. */
  asker(subject: string, which: 'known' | 'new'): Asker {
    const known = this.#tokens.get(subject);
    const holds = known !== undefined && performance.now() - known.at < renewalMs;
    const { token, kid } = which === 'known' && holds ? known : this.#mint(subject);
    return {
      subject,
      token,
      right: () => [
        ...(this.#isPublished(kid) ? [200] : [200, 401]),
        ...(performance.now() < this.#troubledUntil ? [503] : []),
      ],
    };
  }

  /** A key that was never published: 401, or wait until it is known that it wasn't. */
  stranger(): Asker {
    const token = this.issuer.token({ key: mintKey('ES256', randomUUID()) });
    return { subject: 'nobody', token, right: () => [401, 503] };
  }

  rotate(): void {
    this.#beTroubled();
    this.issuer.rotate('ES256');
  }

  async stop(): Promise<void> {
    this.#troubledUntil = Number.POSITIVE_INFINITY;
    await this.issuer.stop();
  }

  async restart(): Promise<void> {
    await this.issuer.restart();
    this.#beTroubled();
  }

  #beTroubled(): void {
    this.#troubledUntil = performance.now() + aftermathMs;
  }

  #mint(subject: string): Minted {
    this.minted += 1;
    const { kid } = this.issuer.key('ES256');
    const minted = { token: this.issuer.token({ claims: { sub: subject } }), kid, at: performance.now() };
    this.#tokens.set(subject, minted);
    return minted;
  }

  #isPublished(kid: string): boolean {
    return this.issuer.keys.some((key) => key.kid === kid);
  }
}
