/** U2, D-005: clients that read slowly or not at all, and a gateway in a process of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { askForBulk, transfer } from '../../bench/streams/slow-client.ts';
import { startStreamWorld, type StreamGateway } from '../../bench/streams/world.ts';

it('a slow client slows the upstream, and 256 MiB take less than 32 MiB of the gateway’s memory (U2, D-005)', async () => {
  await using world = await startStreamWorld();
  const gateway = await world.startGateway('slow');
  // What the runtime takes for such an answer at full speed is no matter of slowness.
  await transfer(gateway, 'fast');
  const { grownBytes } = await transfer(gateway, 'slow');
  expect(grownBytes / 1_024 / 1_024).toBeLessThan(32);
});

it('D-005: two hundred clients that read nothing of 256 MiB take 256 KiB each at most', async () => {
  await using world = await startStreamWorld();
  const gateway = await world.startGateway('stalled');
  await stall(gateway, 20);
  const before = await gateway.state('collected');
  const clients = 200;
  const { residentBytes } = await stall(gateway, clients);
  expect((residentBytes - before.residentBytes) / clients / 1_024).toBeLessThan(256);
});

/** What the gateway holds while so many clients read nothing; they are gone afterwards. */
async function stall(gateway: StreamGateway, count: number) {
  const callee = await gateway.callee('/bulk');
  const clients = Array.from({ length: count }, () => askForBulk(callee));
  while ((await gateway.streamsOpen()) < count) await sleep(100);
  await sleep(5_000);
  const state = await gateway.state('collected');
  for (const client of clients) client.close();
  while ((await gateway.streamsOpen()) > 0) await sleep(100);
  return state;
}
