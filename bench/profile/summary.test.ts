import { expect, test } from 'vitest';

import type { CpuProfile } from './cpu-profile.ts';
import { moduleOf, placeOf } from './module-of.ts';
import { summarize } from './summary.ts';

const frame = (functionName: string, url: string): CpuProfile['nodes'][number]['callFrame'] => ({
  functionName,
  url,
  lineNumber: 9,
});

const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)', ''), children: [2, 3, 6] },
    { id: 2, callFrame: frame('(idle)', '') },
    { id: 3, callFrame: frame('forward', 'file:///app/dist/upstream/forward.js'), children: [4] },
    { id: 4, callFrame: frame('writeGeneric', 'node:net'), children: [5] },
    { id: 5, callFrame: frame('writev', '') },
    { id: 6, callFrame: frame('onread', 'node:internal/stream_base_commons'), children: [7] },
    { id: 7, callFrame: frame('(garbage collector)', '') },
  ],
  startTime: 1000,
  endTime: 2000,
  samples: [3, 3, 2, 5, 4, 6, 7, 3],
  timeDeltas: [100, 100, 100, 100, 100, 100, 100, 300],
};

test('counts only the samples in the window and charges the code of Node to the module that called it', () => {
  const summary = summarize(profile, { from: 1150, to: 1750 });
  expect(summary.idleMicros).toBe(100);
  expect(summary.busyMicros).toBe(500);
  expect(summary.modules).toEqual([
    { module: 'src upstream', ownMicros: 100, nodeMicros: 100, nativeMicros: 100 },
    { module: 'node stream_base_commons', ownMicros: 0, nodeMicros: 100, nativeMicros: 0 },
    { module: 'V8', ownMicros: 0, nodeMicros: 0, nativeMicros: 100 },
  ]);
  expect(summary.functions.map(({ name, place }) => [name, place])).toEqual([
    ['forward', 'dist/upstream/forward.js:10'],
    ['writeGeneric', 'node:net:10'],
    ['writev ← writeGeneric ← forward', 'dist/upstream/forward.js:10'],
    ['onread', 'node:internal/stream_base_commons:10'],
    ['(garbage collector)', ''],
  ]);
});

test.each([
  ['file:///app/node_modules/@fastify/http-proxy/index.js', 'npm @fastify/http-proxy'],
  ['/app/node_modules/a/node_modules/undici/lib/core/util.js', 'npm undici'],
  ['node:_http_outgoing', 'node http_outgoing'],
  ['node:internal/streams/readable', 'node streams'],
  ['file:///app/dist/main.js', 'src main'],
  ['file:///app/dist/token/judge/times.js', 'src token'],
])('names the module of %s', (url, module) => {
  expect(moduleOf(frame('f', url))).toBe(module);
});

test.each([
  ['/app/node_modules/jose/dist/webapi/jws.js', 'jose/dist/webapi/jws.js:10'],
  ['file:///app/dist/token/judge/times.js', 'dist/token/judge/times.js:10'],
  ['node:internal/streams/readable', 'node:internal/streams/readable:10'],
])('names the place of %s', (url, place) => {
  expect(placeOf(frame('f', url))).toBe(place);
});
