/** U2, D-005: 256 MiB through a client that reads slowly, and a gateway in a process of its own. */
import { expect, it } from 'vitest';
import { transfer } from '../../bench/streams/slow-client.ts';
import { startStreamWorld } from '../../bench/streams/world.ts';

it('a slow client slows the upstream, and 256 MiB take less than 32 MiB of the gateway’s memory (U2, D-005)', async () => {
  await using world = await startStreamWorld();
  const gateway = await world.startGateway('slow');
  // What the runtime takes for such an answer at full speed is no matter of slowness.
  await transfer(gateway, 'fast');
  const { grownBytes } = await transfer(gateway, 'slow');
  expect(grownBytes / 1_024 / 1_024).toBeLessThan(32);
});
