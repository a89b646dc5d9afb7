import type { Fetch } from '../../vocabulary/ports.ts';
import type { Metadata, FetchedMetadata } from './fetch-metadata.ts';
import { fetchMetadata } from './fetch-metadata.ts';
import type { AskedServer } from '../outbound/written-addresses.ts';
import { within } from '../patience.ts';
import { RateBudget } from '../tenants/rate-budget.ts';

export type { Metadata } from './fetch-metadata.ts';

export interface MetadataPorts {
  /** Milliseconds; any epoch. */
  readonly clock: () => number;
  readonly fetch: Fetch;
  /** Whether a fetch may begin now, besides the bounds here. */
  readonly mayAsk?: () => boolean;
  /** How long a failure is told again before the server is asked again; 0 where there is none. */
  readonly failureLifetimeMs?: number;
  readonly onSuccess?: () => void;
}

/** Scopes and endpoints change rarely; five minutes is how long a change may take to show. */
const lifetimeMs = 300_000;

/** Whoever wants the metadata waits this long for a fresh document where an older one is at hand. */
const patienceMs = 2000;

/** Peers without credentials can cause the question: five at once so that a short outage is over at once, one a second after. */
const attempts = { count: 5, perMs: 5000 };

/**
 * The metadata of one authorization server, asked for when someone wants it, once at a time and not more than
 * five times in five seconds. While the server is down the last document serves.
 */
export class ServerMetadata {
  readonly #server: Pick<AskedServer, 'issuers' | 'keys'>;
  readonly #ports: MetadataPorts;
  readonly #attempts: RateBudget;
  #held: { readonly metadata: Metadata; readonly at: number } | undefined;
  #failed: { readonly answer: FetchedMetadata; readonly at: number } | undefined;
  #fetch: Promise<FetchedMetadata> | undefined;

  constructor(server: Pick<AskedServer, 'issuers' | 'keys'>, ports: MetadataPorts) {
    this.#server = server;
    this.#ports = ports;
    this.#attempts = new RateBudget({ ...attempts, clock: ports.clock });
  }

  /** Never rejects. */
  async get(): Promise<FetchedMetadata> {
    const held = this.#held;
    if (held === undefined) return this.#ask();
    const age = this.#ports.clock() - held.at;
    const fresh = age >= 0 && age < lifetimeMs ? undefined : await within(patienceMs, this.#ask());
    return fresh?.ok === true ? fresh : { ok: true, metadata: held.metadata };
  }

  #ask(): Promise<FetchedMetadata> {
    if (this.#fetch !== undefined) return this.#fetch;
    const failed = this.#failed;
    if (failed !== undefined && this.#isRecent(failed.at)) return Promise.resolve(failed.answer);
    if (this.#ports.mayAsk?.() === false || !this.#attempts.take())
      return Promise.resolve(failed?.answer ?? overBudget);
    this.#fetch = this.#load().finally(() => {
      this.#fetch = undefined;
    });
    return this.#fetch;
  }

  #isRecent(at: number): boolean {
    const age = this.#ports.clock() - at;
    return age >= 0 && age < (this.#ports.failureLifetimeMs ?? 0);
  }

  async #load(): Promise<FetchedMetadata> {
    const answer = await fetchMetadata(this.#server, this.#ports.fetch);
    const at = this.#ports.clock();
    if (answer.ok) {
      this.#held = { metadata: answer.metadata, at };
      this.#ports.onSuccess?.();
    } else this.#failed = { answer, at };
    return answer;
  }
}

const overBudget: FetchedMetadata = {
  ok: false,
  failure: 'over_budget',
  detail: 'asked too often; it is asked again in a moment',
};
