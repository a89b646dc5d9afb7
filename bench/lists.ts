import { callForTools } from './exchange.ts';
import { measureSifting } from './lists/sifting.ts';
import type { SiftPlan } from './lists/sifting.ts';
import type { Field } from './measure.ts';
import { panelOfCpu } from './picture/of-rounds.ts';
import { race } from './race.ts';
import type { RacePlan } from './race.ts';
import { renderDisturbance, renderRatios, renderTable, worstOthersPercent } from './report.ts';
import { ruleCount } from './routed-gateway.ts';
import type { RoutedGateway } from './routed-gateway.ts';
import type { Section } from './section.ts';

const title = 'List of 500 tools';
const whole = 'whole list';
const filtered = 'filtered list';

/** What a filtered list costs: through a gateway beside one that isn't filtered, and the filter by itself. */
export async function measureLists(
  field: Field,
  plan: RacePlan & { readonly sifting: SiftPlan },
  gateway: RoutedGateway,
): Promise<Section> {
  // What a route hides isn't in the answer, so that it isn't the upstream's.
  const shorter = { ...callForTools, answer: undefined };
  const rounds = await race(
    [await gateway.entrant(whole, '/mcp', callForTools), await gateway.entrant(filtered, '/listed', shorter)],
    field,
    plan,
  );
  const sifting = measureSifting(plan.sifting);
  return {
    part: 'lists',
    title,
    notes: [
      `Two routes of one gateway in turn, one with ${ruleCount} rules; the list has 250 KB.`,
      ...sifting.notes,
    ],
    table: `${renderTable(rounds)}\n\n${sifting.table}`,
    lines: [
      ...renderRatios(rounds, [{ own: filtered, over: whole, figure: 'cpuMicros', better: 'lower' }]),
      ...sifting.marks,
      ...renderDisturbance(rounds),
    ],
    panels: [panelOfCpu(title, rounds, [filtered])],
    ratios: [],
    othersPercent: worstOthersPercent(rounds),
  };
}
