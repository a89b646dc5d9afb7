import type { Field } from './measure.ts';
import type { RacePlan } from './race.ts';
import type { RoutedGateway } from './routed-gateway.ts';
import type { Section } from './section.ts';
import { measureColdVerification } from './tokens/cold-verification.ts';
import { measureHeap } from './tokens/heap.ts';
import { describeRememberedToken, measureRememberedToken } from './tokens/remembered-token.ts';
import { measureUnknownKids } from './tokens/unknown-kids.ts';

export interface TokenPlan extends RacePlan {
  /** `short`: fewer tokens, for a look that is over soon. */
  readonly size: 'short' | 'full';
}

const sizes = {
  short: { cold: { tokens: 100, warmUpPasses: 10, passes: 5 }, heapTokens: 10_000, floodSeconds: 2 },
  full: { cold: { tokens: 500, warmUpPasses: 20, passes: 15 }, heapTokens: 100_000, floodSeconds: 6 },
} as const;

/** What tokens cost: one that is remembered, one seen for the first time, very many, and many with invented key names. */
export async function measureTokens(field: Field, plan: TokenPlan, gateway: RoutedGateway): Promise<Section> {
  const { cold, heapTokens, floodSeconds } = sizes[plan.size];
  const remembered = await measureRememberedToken(field, plan, gateway);
  const { table, marks, ratios } = await measureColdVerification(cold);
  const heap = await measureHeap(heapTokens);
  const flood = await measureUnknownKids(field, { ...plan, seconds: floodSeconds });
  return {
    part: 'tokens',
    title: 'Tokens',
    notes: [
      'A remembered token: a required and an open route of one gateway in turn, both asked with the token.',
      `First sight: median of ${cold.passes} passes over ${cold.tokens} distinct tokens, gateway and jose in turn in one process; CPU of all its threads.`,
      'The heap: of a process of its own, after garbage collection. The flood: 50 connections, each call with a key name of its own, beside the load of good calls.',
    ],
    table,
    lines: [...describeRememberedToken(remembered), ...marks, heap, flood],
    panels: [],
    ratios,
    othersPercent: 0,
  };
}
