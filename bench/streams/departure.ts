import { setTimeout as sleep } from 'node:timers/promises';

import type { GatewayState } from './state.ts';
import type { Crowd, StreamGateway } from './world.ts';

export interface Leftovers {
  readonly sockets: number;
  readonly timers: number;
  readonly streams: number;
  /** Until nothing was left, or the limit. */
  readonly seconds: number;
}

export const departureSeconds = 5;

/** All clients leave at once by a reset. What does the gateway still hold above `before`, at the latest 5 s later? */
export async function leave(crowd: Crowd, gateway: StreamGateway, before: GatewayState): Promise<Leftovers> {
  await crowd.become(0);
  const startedAt = performance.now();
  for (;;) {
    const { sockets, timers } = await gateway.state('now');
    const left = {
      sockets: Math.max(0, sockets - before.sockets),
      timers: Math.max(0, timers - before.timers),
      streams: await gateway.streamsOpen(),
    };
    const seconds = (performance.now() - startedAt) / 1000;
    if (left.sockets + left.timers + left.streams === 0 || seconds >= departureSeconds)
      return { ...left, seconds };
    await sleep(100);
  }
}
