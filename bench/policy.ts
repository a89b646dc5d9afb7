import { smallCall } from './exchange.ts';
import type { Field } from './measure.ts';
import { panelOfCpu } from './picture/of-rounds.ts';
import { race } from './race.ts';
import type { RacePlan } from './race.ts';
import { renderDisturbance, renderRatios, renderTable, steadyRatio, worstOthersPercent } from './report.ts';
import { ruleCount } from './routed-gateway.ts';
import type { RoutedGateway } from './routed-gateway.ts';
import type { Section } from './section.ts';

const title = 'Rules';
const without = 'without rules';
const ruled = `${ruleCount} rules`;

/** What rules cost: two routes of one gateway in turn, asked the same. */
export async function measurePolicy(field: Field, plan: RacePlan, gateway: RoutedGateway): Promise<Section> {
  const rounds = await race(
    [await gateway.entrant(without, '/mcp', smallCall), await gateway.entrant(ruled, '/ruled', smallCall)],
    field,
    plan,
  );
  return {
    part: 'policy',
    title,
    notes: [
      `Two routes of one gateway in turn. One has ${ruleCount} rules with patterns; the last one admits the call, by a condition on its arguments and the principal.`,
    ],
    table: renderTable(rounds),
    lines: [
      ...renderRatios(rounds, [
        { own: ruled, over: without, figure: 'cpuMicros', mark: 1.11, better: 'lower' },
      ]),
      ...renderDisturbance(rounds),
    ],
    panels: [panelOfCpu(title, rounds, [ruled])],
    ratios: steadyRatio('policy', rounds, { own: ruled, over: without }),
    othersPercent: worstOthersPercent(rounds),
  };
}
