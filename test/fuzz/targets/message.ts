import fc from 'fast-check';

import { bodiesFrom } from '../../support/differential/bodies.ts';
import { bodyDiffers, judgeBody, statement } from '../../support/differential/compare-readers.ts';
import type { Forwarded } from '../../support/differential/compare-readers.ts';
import { startGoReader, startPythonReader } from '../../support/differential/other-runtimes.ts';
import { sdkReaders } from '../../support/differential/sdk-readers.ts';
import { Tally, type FuzzTarget, type OpenTarget } from '../target.ts';

/** The body of a POST, before the message reader and those of other languages: what passes reads alike everywhere. */
export const message: FuzzTarget = {
  name: 'message',
  inputs: fc.integer().map((seed) => bodiesFrom(seed)().bytes),
  words: [
    '"jsonrpc":"2.0"',
    '"method":"tools/call"',
    '"id":1',
    '"params":{',
    '"name":"drop_all"',
    '"uri":',
    '"_meta":{',
  ].concat(
    [
      '"ref":{"type":"ref/resource","uri":"file:///a"}',
      '\\u006e',
      '\\ud800',
      '"Name":',
      '"result":{}',
      '1e400',
      '-0',
      '"arguments":',
    ],
    [
      'resources/read',
      'completion/complete',
      '"method":',
      '"id":null',
      '"id":1.0',
      '\xc5\xbf',
      '\xe2\x84\xaa',
    ],
  ),
  async open() {
    const others = [startPythonReader(), await startGoReader()];
    const readers = [...sdkReaders, ...others.filter((reader) => reader !== undefined)];
    const tally = new Tally();
    return {
      tally,
      async judge(inputs) {
        const judged = inputs.map((bytes, at) =>
          judgeBody({ bytes, contentType: 'application/json' }, at % 2 === 0 ? statement : undefined),
        );
        for (const each of judged) tally.add(typeof each === 'string' ? each : 'let through');
        const passed = judged.filter((each) => typeof each !== 'string');
        const findings = await Promise.all(
          readers.map(async (reader) => ({
            name: reader.name,
            found: await reader.read(passed.map(({ sent }) => sent)),
          })),
        );
        const says = (each: Forwarded): string | undefined => {
          const at = passed.indexOf(each);
          const other = findings.find(({ found }) => bodyDiffers(each, found[at] ?? null));
          return other && `${other.name} reads something else: ${JSON.stringify(other.found[at])}`;
        };
        return judged.map((each) => (typeof each === 'string' ? undefined : says(each)));
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(readers.map((reader) => reader.close()));
      },
    } satisfies OpenTarget;
  },
};
