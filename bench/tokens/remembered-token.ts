import { startGatewayWith } from '../contestants/gateway.ts';
import { renderMark } from '../mark.ts';
import { median } from '../median.ts';
import type { Field, Round } from '../measure.ts';
import { raceThose } from '../race.ts';
import { renderDisturbance } from '../report.ts';
import type { RacePlan } from '../race.ts';

const openPath = '/open';
const markMicros = 5;

/**
 * What a remembered token costs: the required route and an open one of one gateway in turn, asked the same, token
 * included, so that what differs is what the gateway makes of the token, identity headers included.
 */
export async function measureRememberedToken(
  field: Field,
  plan: Omit<RacePlan, 'contestants'>,
): Promise<readonly string[]> {
  const { upstreamUrl } = field.ground;
  const gateway = await startGatewayWith(field.ground, {
    routes: [`{ path: ${openPath}, access: open, upstream: '${upstreamUrl}' }`],
  });
  try {
    const open = { ...gateway, name: 'open route', url: gateway.url.replace(/\/mcp$/, openPath) };
    const required = { ...gateway, name: 'required route' };
    const rounds = await raceThose([open, required], field, plan);
    // A few microseconds drown in what else runs: then the figure says nothing, whichever side of the mark it is on.
    return [renderDifference(rounds), ...renderDisturbance(rounds)];
  } finally {
    await gateway.stop();
  }
}

function renderDifference(rounds: readonly Round[]): string {
  const cpuOf = (name: string): readonly number[] =>
    rounds.filter(({ contestant }) => contestant === name).map(({ cpuMicros }) => cpuMicros);
  const [open, required] = [cpuOf('open route'), cpuOf('required route')];
  return renderMark({
    title: 'a remembered token, CPU above an open route',
    value: median(required) - median(open),
    rounds: required.map((micros, index) => micros - (open[index] ?? Number.NaN)),
    mark: markMicros,
    better: 'lower',
    unit: ' µs',
  });
}
