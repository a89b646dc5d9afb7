import { expect, it } from 'vitest';
import { clientConnectionsAllowed } from './open-files.ts';

it.each([
  [20_000, 9_968],
  [1_024, 480],
  [64, 1],
  [0, 1],
])(
  'of %i open files clients may hold %i connections, and as many are left for the upstreams',
  (openFiles, connections) => {
    expect(clientConnectionsAllowed(openFiles)).toBe(connections);
  },
);
