/** D-006: very many silent streams through one gateway in a process of its own, with the parts of `npm run bench:streams`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { leave } from '../../bench/streams/departure.ts';
import { streamsAllowed } from '../../bench/streams/open-files.ts';
import { callInTurn } from '../../bench/streams/pairs-of-calls.ts';
import { startStreamWorld } from '../../bench/streams/world.ts';

/** Fewer where one process may not open as many files. */
const streams = streamsAllowed(10_000);
const heldMs = 60_000;

it(`D-006: ${streams} silent streams last a minute, take 30 KiB each at most, let calls through, and leave nothing behind`, async () => {
  await using world = await startStreamWorld();
  const gateway = await world.startGateway('crowded');
  const callee = await gateway.callee('/idle');
  const crowd = world.startCrowd(callee);
  const call = (calls: number) => callInTurn([callee], { warmUp: 0, calls });
  await crowd.become(500);
  await call(200);
  await crowd.become(0);
  await sleep(1_000);
  const before = await gateway.state('collected');

  await crowd.become(streams);
  const opened = performance.now();
  expect(await gateway.streamsOpen()).toBe(streams);
  const { residentBytes } = await gateway.state('collected');
  expect((residentBytes - before.residentBytes) / streams / 1024).toBeLessThan(30);
  // Long enough for two comments on each.
  while (performance.now() - opened < heldMs) {
    await call(20);
    await sleep(2_000);
  }
  expect(await gateway.streamsOpen()).toBe(streams);
  // It rejects unless the crowd still has all of them.
  await crowd.become(streams);

  expect(await leave(crowd, gateway, before)).toMatchObject({ sockets: 0, timers: 0, streams: 0 });
  await call(20);
});
