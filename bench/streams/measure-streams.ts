import type { Section } from '../section.ts';
import { measureCrowd } from './measure-crowd.ts';
import type { CrowdPlan } from './measure-crowd.ts';
import { streamsAllowed } from './open-files.ts';
import { measureSlowClient } from './slow-client.ts';
import { startStreamWorld } from './world.ts';

/** As many of the wanted streams as one process may have here. */
export function planStreams(wanted: number, size: 'short' | 'full', tell: (line: string) => void): CrowdPlan {
  return {
    streams: streamsAllowed(wanted),
    pairsOfCalls: size === 'short' ? 500 : 4000,
    delaySeconds: size === 'short' ? 2 : 10,
    tell,
  };
}

/** What many silent streams cost, what they cost others, and what one client costs that takes everything slowly. */
export async function measureStreams(plan: CrowdPlan): Promise<Section> {
  await using world = await startStreamWorld();
  const gateways = { crowded: await world.startGateway('crowded'), quiet: await world.startGateway('quiet') };
  return {
    part: 'streams',
    title: 'Streams',
    notes: [
      `${plan.streams} silent event streams through one gateway, one of its like beside it without any.`,
    ],
    table: '',
    lines: [
      ...(await measureCrowd(world, gateways, plan)),
      ...(await measureSlowClient(gateways.quiet, plan.tell)),
    ],
    panels: [],
    ratios: [],
    othersPercent: 0,
  };
}
