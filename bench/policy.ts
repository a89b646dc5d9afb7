import { startGatewayWith } from './contestants/gateway.ts';
import { renderMark } from './mark.ts';
import type { Field, Round } from './measure.ts';
import { median } from './median.ts';
import { raceThose } from './race.ts';
import type { RacePlan } from './race.ts';
import { renderDisturbance, renderTable } from './report.ts';

const path = '/ruled';
const ruleCount = 50;
const mark = 0.9;

export interface PolicyReport {
  readonly notes: readonly string[];
  readonly table: string;
  readonly marks: readonly string[];
}

/** What rules cost: two routes of one gateway in turn, asked the same; one has rules, the last of which admits the call by a pattern and a condition. */
export async function measurePolicy(
  field: Field,
  plan: Omit<RacePlan, 'contestants'>,
): Promise<PolicyReport> {
  const { upstreamUrl } = field.ground;
  const gateway = await startGatewayWith(field.ground, {
    routes: [`{ path: ${path}, upstream: '${upstreamUrl}', policy: [${rules().join(', ')}] }`],
  });
  try {
    const url = gateway.url.replace(/\/mcp$/, path);
    const headers = { Authorization: `Bearer ${await gateway.issuer.mintToken(url)}` };
    const ruled = { ...gateway, name: 'with rules', url, headers };
    const rounds = await raceThose([{ ...gateway, name: 'without rules' }, ruled], field, plan);
    return {
      notes: [
        `Two routes of one gateway in turn. One has ${ruleCount} rules with patterns; the last one admits the call, by a condition on its arguments and the principal.`,
      ],
      table: renderTable(rounds),
      marks: [renderRatio(rounds), ...renderDisturbance(rounds)],
    };
  } finally {
    await gateway.stop();
  }
}

function rules(): readonly string[] {
  const others = Array.from(
    { length: ruleCount - 1 },
    (_, index) =>
      `{ name: team-${index}, tools: ['team${index}_*', '*_of_${index}'], scopes: ['team:${index}'] }`,
  );
  const condition =
    'call.arguments.days <= 7.0 && call.arguments.city != "" && principal.subject != "nobody"';
  return [...others, `{ name: forecasts, tools: ['get_*'], when: '${condition}' }`];
}

/** By CPU: what else runs on the machine takes from both alike. */
function renderRatio(rounds: readonly Round[]): string {
  const cpuOf = (name: string): readonly number[] =>
    rounds.filter(({ contestant }) => contestant === name).map(({ cpuMicros }) => cpuMicros);
  const [without, ruled] = [cpuOf('without rules'), cpuOf('with rules')];
  return renderMark({
    title: `requests for the same CPU, a route with ${ruleCount} rules over one without`,
    value: median(without) / median(ruled),
    rounds: without.map((micros, index) => micros / (ruled[index] ?? Number.NaN)),
    mark,
    better: 'higher',
    unit: '',
  });
}
