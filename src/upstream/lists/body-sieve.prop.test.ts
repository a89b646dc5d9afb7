import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BodySieve } from './body-sieve.ts';

const secret = 'secret';

/** How a server may write a member so that some client reads it. */
const spelt = (name: string, other: string): fc.Arbitrary<string> =>
  fc.constantFrom(
    `"${name}"`,
    `"${name}"`,
    `"${name.toUpperCase()}"`,
    `"${name.replace('s', 'ſ')}"`,
    `"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}"`,
    `"${name}":${other},"${name}"`,
    `"x":${other} , "${name}"`,
  );

const item = (name: string): fc.Arbitrary<string> =>
  spelt('name', '"a"').map((key) => `{"x":[1,{"y":"]}\\""}],${key}:"${name}"}`);
const items = fc.array(fc.oneof(item('a'), item(secret)), { minLength: 1, maxLength: 3 });
const answer = fc
  .tuple(spelt('result', '{}'), spelt('tools', '[]'), items)
  .map(
    ([result, tools, all]) =>
      `{"jsonrpc":"2.0","id":1,${result}:{${tools}:[${all.join(',')}],"nextCursor":"n"}}`,
  );
const body = fc.oneof(
  answer,
  fc.tuple(answer, answer).map((both) => `[${both.join(',')}]`),
);

/** Signs that turn one JSON into another. */
const sign = fc.constantFrom(...'{}[],:"\\ntRT \r\n/*\'0', '"result":{', '"tools":[');
const damage = fc.record({ at: fc.nat(200), drop: fc.nat(4), put: fc.array(sign, { maxLength: 3 }) });

it('whatever is done to an answer, no parser finds a hidden tool in what goes on (C-046)', () => {
  const damaged = fc
    .tuple(body, fc.array(damage, { maxLength: 2 }))
    .map(([text, all]) =>
      all.reduce((so, { at, drop, put }) => so.slice(0, at) + put.join('') + so.slice(at + drop), text),
    );
  fc.assert(
    fc.property(damaged, fc.integer({ min: 1, max: 200 }), (text, cut) => {
      const passed = pass(Buffer.from(text), cut);
      expect(namesIn(passed)).not.toContain(secret);
    }),
    { numRuns: 3_000 },
  );
});

function pass(bytes: Buffer, cut: number): string {
  const sieve = new BodySieve((_list, name) => name !== secret);
  const passed: Buffer[] = [];
  const steps = [
    ...Array.from({ length: Math.ceil(bytes.length / cut) }, (_, index) =>
      sieve.pass(bytes.subarray(index * cut, (index + 1) * cut)),
    ),
    sieve.end(),
  ];
  for (const sifted of steps) {
    if (sifted.state === 'fault') return '';
    if (sifted.state === 'open') passed.push(sifted.bytes);
  }
  return Buffer.concat(passed).toString();
}

/** Of the tools that a client would find, whether its parser minds the case of names or not. */
function namesIn(text: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  return [value]
    .flat()
    .flatMap((message) =>
      membersOf(message, 'result').flatMap((result) =>
        membersOf(result, 'tools').flatMap((tools) =>
          [tools].flat().flatMap((tool) => membersOf(tool, 'name')),
        ),
      ),
    );
}

function membersOf(value: unknown, name: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]: [string, unknown]) =>
    key.toUpperCase().toLowerCase() === name ? [member] : [],
  );
}
