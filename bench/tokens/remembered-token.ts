import { smallCall } from '../exchange.ts';
import { renderMark } from '../mark.ts';
import { median } from '../median.ts';
import type { Field, Round } from '../measure.ts';
import { race } from '../race.ts';
import { renderDisturbance } from '../report.ts';
import type { RacePlan } from '../race.ts';
import type { RoutedGateway } from '../routed-gateway.ts';

const markMicros = 5;

/**
 * What a remembered token costs: the required route and an open one of one gateway in turn, asked the same, token
 * included, so that what differs is what the gateway makes of the token, identity headers included.
 */
export async function measureRememberedToken(
  field: Field,
  plan: RacePlan,
  gateway: RoutedGateway,
): Promise<readonly Round[]> {
  return race(
    [
      await gateway.entrant('open route', '/open', smallCall),
      await gateway.entrant('required route', '/mcp', smallCall),
    ],
    field,
    plan,
  );
}

/** A few microseconds drown in what else runs: then the figure says nothing, whichever side of the mark it is on. */
export function describeRememberedToken(rounds: readonly Round[]): readonly string[] {
  return [renderDifference(rounds), ...renderDisturbance(rounds)];
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
