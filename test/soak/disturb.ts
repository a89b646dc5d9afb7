import { setTimeout as sleep } from 'node:timers/promises';

import type { SoakWorld } from './world.ts';

export interface Disturbances {
  readonly counts: Readonly<Record<'reloads' | 'rotations' | 'serverStops' | 'redisStops', number>>;
  /** Everything is up again when it settles. */
  end(): Promise<void>;
}

const calmMs = 700;
const outageMs = 1_500;

/** One after the other, over and over: the file changes, keys rotate, an authorization server and Redis go and come back. */
export function startDisturbances(world: SoakWorld): Disturbances {
  const {
    people: [, disturbed],
    redis,
  } = world;
  const counts = { reloads: 0, rotations: 0, serverStops: 0, redisStops: 0 };
  const over = new AbortController();
  const acts: readonly (() => Promise<void>)[] = [
    async () => {
      world.reload();
      counts.reloads += 1;
    },
    async () => {
      disturbed.rotate();
      counts.rotations += 1;
    },
    async () => {
      counts.serverStops += 1;
      await disturbed.stop();
      disturbed.issuer.rotate('ES256');
      counts.rotations += 1;
      await sleep(outageMs);
      await disturbed.restart();
    },
    async () => {
      if (redis === undefined) return;
      counts.redisStops += 1;
      await redis.kill();
      await sleep(outageMs);
      await redis.start();
    },
  ];
  const running = (async () => {
    while (!over.signal.aborted) {
      for (const act of acts) {
        if (over.signal.aborted) break;
        await act();
        await sleep(calmMs);
      }
    }
  })();
  return {
    counts,
    async end() {
      over.abort();
      await running;
    },
  };
}
