import { expect, test } from 'vitest';

import { listCosts } from './costs.ts';
import type { CpuProfile } from './cpu-profile.ts';

const frame = (functionName: string, url: string): CpuProfile['nodes'][number]['callFrame'] => ({
  functionName,
  url,
  lineNumber: 0,
});

test('tells the write to the client from the one to the upstream by who asked for it, and leaves idle time out', () => {
  const profile: CpuProfile = {
    nodes: [
      { id: 1, callFrame: frame('(root)', ''), children: [2, 3, 5, 7] },
      { id: 2, callFrame: frame('(idle)', '') },
      { id: 3, callFrame: frame('endWith', 'file:///app/src/upstream/held-answer.ts'), children: [4] },
      { id: 4, callFrame: frame('writeLatin1String', '') },
      {
        id: 5,
        callFrame: frame('writeH1', '/app/node_modules/undici/lib/dispatcher/client-h1.js'),
        children: [6],
      },
      { id: 6, callFrame: frame('writev', '') },
      { id: 7, callFrame: frame('(program)', '') },
    ],
    startTime: 0,
    endTime: 1000,
    samples: [2, 3, 4, 4, 5, 6, 7],
    timeDeltas: [100, 10, 100, 100, 20, 50, 5],
  };
  expect(listCosts(profile, { from: 0, to: 1000 })).toEqual([
    { name: 'writing to the client', micros: 200 },
    { name: 'writing to the upstream', micros: 50 },
    { name: 'the HTTP client', micros: 20 },
    { name: 'the exchange with the upstream', micros: 10 },
    { name: 'outside JavaScript: reading, polling', micros: 5 },
  ]);
});
