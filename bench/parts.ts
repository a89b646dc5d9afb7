import { measureLists } from './lists.ts';
import { loadNames, measureLoads } from './loads.ts';
import type { Field } from './measure.ts';
import type { BenchPlan, PartName } from './plan.ts';
import { measurePolicy } from './policy.ts';
import { startRoutedGateway } from './routed-gateway.ts';
import type { Section } from './section.ts';
import { measureSessions } from './sessions.ts';
import { measureStarts } from './start.ts';
import { measureStreams, planStreams } from './streams/measure-streams.ts';
import { measureTokens } from './tokens.ts';

const routedParts = ['tokens', 'policy', 'lists'] as const;

/** Measures the parts of these names, in the order of all parts; what is measured is measured when a later one fails. */
export async function* measureParts(
  field: Field,
  plan: BenchPlan,
  names: readonly PartName[],
): AsyncGenerator<Section> {
  const others = { ...plan, seconds: plan.otherSeconds };
  const isBrief = plan.size === 'short';
  const loads = loadNames.filter((name) => names.includes(name));
  yield* measureLoads(field, plan, loads);
  if (routedParts.some((name) => names.includes(name))) yield* measureRoutes(field, others, names);
  if (names.includes('sessions'))
    yield await measureSessions(field, { ...others, ...(isBrief ? { rounds: 1, warmUpSeconds: 1 } : {}) });
  if (names.includes('start'))
    yield await measureStarts(field.ground, { starts: isBrief ? 1 : 9, tell: plan.tell });
  if (names.includes('streams'))
    yield await measureStreams(planStreams(isBrief ? 1000 : 10_000, plan.size, plan.tell));
}

/** What is compared between routes of one gateway. */
async function* measureRoutes(
  field: Field,
  plan: BenchPlan,
  names: readonly PartName[],
): AsyncGenerator<Section> {
  await using gateway = await startRoutedGateway(field.ground);
  if (names.includes('tokens')) yield await measureTokens(field, plan, gateway);
  if (names.includes('policy')) yield await measurePolicy(field, plan, gateway);
  if (names.includes('lists')) {
    const isBrief = plan.size === 'short';
    const sifting = { warmUpPasses: 5, passes: isBrief ? 9 : 30 };
    yield await measureLists(field, { ...plan, sifting, ...(isBrief ? { rounds: 1 } : {}) }, gateway);
  }
}
