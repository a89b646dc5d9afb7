import type { RequestListener } from 'node:http';

import type { UnderWay } from './under-way.ts';

/** A configuration put together, ready to answer. */
export interface Serving {
  readonly routing: RequestListener;
  readonly underWay: UnderWay;
  readonly standing: { supersededAt: number | undefined };
  /** Ends what it has opened; nothing is under way on it. */
  close(): Promise<void>;
}

export interface AssembliesOptions<A> {
  /** Too many are kept alive by what runs on them: ends that on the oldest. */
  readonly endOldest: (oldest: A) => void;
  readonly onDefect: (error: unknown) => void;
}

/** Each holds a router and connections, some 1 MiB; a stream may last for days, and so may what it runs on. */
const usualMaximumSuperseded = 16;

/**
 * The configuration that new requests are answered by, and the ones before it for as long as something that they let
 * in goes on.
 */
export class Assemblies<A extends Serving> {
  #newest: A;
  #leaving = false;
  readonly #superseded = new Set<A>();
  readonly #options: AssembliesOptions<A>;

  constructor(first: A, options: AssembliesOptions<A>) {
    this.#newest = first;
    this.#options = options;
  }

  get newest(): A {
    return this.#newest;
  }

  /** In memory, the newest included. */
  get all(): readonly A[] {
    return [...this.#superseded, this.#newest];
  }

  get held(): number {
    return this.#superseded.size + 1;
  }

  /** Answers by the newest. */
  readonly answer: RequestListener = (request, response) => {
    if (this.#leaving) response.shouldKeepAlive = false;
    this.#newest.routing(request, response);
  };

  /** From now on every answer is the last on its connection. */
  leave(): void {
    this.#leaving = true;
  }

  /** Every request from now on meets `next`. */
  takeOver(next: A): void {
    const before = this.#newest;
    this.#newest = next;
    before.standing.supersededAt = performance.now();
    this.#superseded.add(before);
    void before.underWay.idle().then(() => this.#release(before));
    const [oldest] = this.#superseded;
    if (oldest !== undefined && this.#superseded.size > usualMaximumSuperseded)
      this.#options.endOldest(oldest);
  }

  /** Settles when no request is under way on any of them. */
  async idle(): Promise<void> {
    await Promise.all([...this.#superseded, this.#newest].map(({ underWay }) => underWay.idle()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#superseded, this.#newest].map((assembly) => assembly.close()));
  }

  async #release(assembly: A): Promise<void> {
    try {
      await assembly.close();
    } catch (error) {
      this.#options.onDefect(error);
    }
    this.#superseded.delete(assembly);
  }
}
