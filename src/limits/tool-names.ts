import { hash } from 'node:crypto';

import { LRUCache } from 'lru-cache';

export interface ToolNamesOptions {
  /** Of the limit. */
  readonly perMs: number;
  /** Milliseconds. */
  readonly clock: () => number;
}

/** More than any server offers. */
const maximumNames = 250;
const maximumCallers = 2000;

/** Whoever names longer ones pays for their digest. */
const longestName = 64;

interface Named {
  since: number;
  readonly names: Set<string>;
}

/**
 * The names that each caller has used: the first ones count by themselves. Names are the caller's to
 * invent, and each new one would be a new allowance; so beyond a number within the time of the limit all others count together.
 */
export class ToolNames {
  readonly #perMs: number;
  readonly #clock: () => number;
  readonly #byCaller = new LRUCache<string, Named>({ max: maximumCallers });

  constructor({ perMs, clock }: ToolNamesOptions) {
    this.#perMs = perMs;
    this.#clock = clock;
  }

  /** What a tool is counted by; a name that is no caller's choice, such as that of the rest, is none of these. */
  keyOf(caller: string, tool: string): string {
    const name = tool.length > longestName ? hash('sha256', tool, 'base64url') : tool;
    const { names } = this.#of(caller);
    if (names.has(name)) return `tool\n${name}`;
    if (names.size >= maximumNames) return 'other tools';
    names.add(name);
    return `tool\n${name}`;
  }

  #of(caller: string): Named {
    const now = this.#clock();
    let named = this.#byCaller.get(caller);
    if (named === undefined) {
      named = { since: now, names: new Set() };
      this.#byCaller.set(caller, named);
    } else if (Math.abs(now - named.since) > this.#perMs) {
      named.since = now;
      named.names.clear();
    }
    return named;
  }
}
