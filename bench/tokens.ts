import type { Field } from './measure.ts';
import { measureColdVerification } from './tokens/cold-verification.ts';
import { measureHeap } from './tokens/heap.ts';
import { measureRememberedToken } from './tokens/remembered-token.ts';
import { measureUnknownKids } from './tokens/unknown-kids.ts';

export interface TokenPlan {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly tell: (line: string) => void;
  /** `short`: fewer tokens, for a look that is over soon. */
  readonly size: 'short' | 'full';
}

export interface TokenReport {
  readonly notes: readonly string[];
  readonly table: string;
  readonly marks: readonly string[];
}

const sizes = {
  short: { cold: { tokens: 100, warmUpPasses: 10, passes: 5 }, heapTokens: 20_000 },
  full: { cold: { tokens: 500, warmUpPasses: 20, passes: 15 }, heapTokens: 100_000 },
} as const;

/** What tokens cost: one that is remembered, one seen for the first time, very many, and many with invented key names. */
export async function measureTokens(field: Field, plan: TokenPlan): Promise<TokenReport> {
  const { cold, heapTokens } = sizes[plan.size];
  const remembered = await measureRememberedToken(field, plan);
  const { table, marks } = await measureColdVerification(cold);
  return {
    notes: [
      'A remembered token: a required and an open route of one gateway in turn, both asked with the token.',
      `First sight: median of ${cold.passes} passes over ${cold.tokens} distinct tokens, gateway and jose in turn in one process; CPU of all its threads.`,
      'The heap: of a process of its own, after garbage collection. The flood: 50 connections, each call with a key name of its own, beside the load of good calls.',
    ],
    table,
    marks: [...remembered, ...marks, await measureHeap(heapTokens), await measureUnknownKids(field, plan)],
  };
}
