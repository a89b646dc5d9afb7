import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Call, Message } from '../vocabulary/call.ts';
import { readStrictJson } from '../vocabulary/strict-json.ts';
import { assertionName } from './assertions.ts';
import { writeMeta } from './write-meta.ts';

const member = `"${assertionName}":"h.p.s"`;

const kinds = {
  request: { kind: 'request', method: 'm', id: '1', target: undefined },
  notification: { kind: 'notification', method: 'm', target: undefined },
  response: { kind: 'response' },
} as const satisfies Record<string, Message>;

function callOf(text: string, ...kindsInOrder: readonly (keyof typeof kinds)[]): Call {
  const [first = 'request', ...others] = kindsInOrder;
  return {
    messages: [kinds[first], ...others.map((kind) => kinds[kind])],
    batch: text.trimStart().startsWith('['),
    bytes: Buffer.from(text),
  };
}

const written = (text: string, ...order: readonly (keyof typeof kinds)[]): string | undefined =>
  writeMeta(callOf(text, ...order), member)?.toString();
const cleaned = (text: string, ...order: readonly (keyof typeof kinds)[]): string | undefined =>
  writeMeta(callOf(text, ...order), undefined)?.toString();

describe('a request (N4)', () => {
  it.each([
    ['{"id":1}', `{"params":{"_meta":{${member}}},"id":1}`],
    [' { "id":1 } ', ` {"params":{"_meta":{${member}}}, "id":1 } `],
    ['{"id":1,"params":{}}', `{"id":1,"params":{"_meta":{${member}}}}`],
    ['{"params": { } ,"id":1}', `{"params": {"_meta":{${member}} } ,"id":1}`],
    ['{"params":{"name":"a"}}', `{"params":{"_meta":{${member}},"name":"a"}}`],
    ['{"params":{"a":[{}],"_meta":{}}}', `{"params":{"a":[{}],"_meta":{${member}}}}`],
    ['{"params":{"_meta":{ "x" : 1 }}}', `{"params":{"_meta":{${member}, "x" : 1 }}}`],
    ['{"p\\u0061rams":{"_\\u006deta":{"x":1}}}', `{"p\\u0061rams":{"_\\u006deta":{${member},"x":1}}}`],
    [
      '{"x":"\\"params\\":{","params":{"s":"}\\\\","_meta":{"y":"é"}}}',
      `{"x":"\\"params\\":{","params":{"s":"}\\\\","_meta":{${member},"y":"é"}}}`,
    ],
    ['{\r\n"params"\r:\r\n{\r}\r}', `{\r\n"params"\r:\r\n{"_meta":{${member}}\r}\r}`],
    ['{"p\\u0061ramz":{},"x":1}', `{"params":{"_meta":{${member}}},"p\\u0061ramz":{},"x":1}`],
    [
      '{"paramz":{},"param":{},"paramss":{}}',
      `{"params":{"_meta":{${member}}},"paramz":{},"param":{},"paramss":{}}`,
    ],
    ['{"params":{"arguments":{"_meta":{}}}}', `{"params":{"_meta":{${member}},"arguments":{"_meta":{}}}}`],
  ])('%s gets the assertion and keeps every byte', (text, expected) => {
    expect(written(text)).toBe(expected);
  });

  it.each([
    [`{"params":{"_meta":{"${assertionName}":"forged"}}}`, `{"params":{"_meta":{${member}}}}`],
    [
      `{"params":{"_meta":{"a":1, "${assertionName}" : {"x":[1]} , "b":2}}}`,
      `{"params":{"_meta":{${member},"a":1,"b":2}}}`,
    ],
    [
      '{"params":{"_meta":{"io.portcullis\\/\\u0061ssertion":"forged","b":2}}}',
      `{"params":{"_meta":{${member},"b":2}}}`,
    ],
    [
      `{"params":{"_meta":{"b":"é","IO.Portcullis/Assertion":1,"io.portculliſ/aſſertion":2,"${assertionName}":3}}}`,
      `{"params":{"_meta":{${member},"b":"é"}}}`,
    ],
    [
      `{"p\\u0061rams":{"_met\\u0061":{"${assertionName}":1}}}`,
      `{"p\\u0061rams":{"_met\\u0061":{${member}}}}`,
    ],
  ])('%s loses what its client put there (N4)', (text, expected) => {
    expect(written(text)).toBe(expected);
  });

  it.each(['null', '[]', '"x"', '1', 'true'])('whose params or _meta is %s can’t carry it', (value) => {
    expect(written(`{"params":${value}}`)).toBeUndefined();
    expect(written(`{"params":{"_meta":${value}}}`)).toBeUndefined();
    expect(cleaned(`{"params":${value}}`)).toBe(`{"params":${value}}`);
    expect(cleaned(`{"params":{"_meta":${value}}}`)).toBe(`{"params":{"_meta":${value}}}`);
  });
});

describe('what is no request (N4)', () => {
  it('gets no assertion and keeps no copy', () => {
    const forged = `{"a":1,"${assertionName}":"forged"}`;
    expect(written(`{"params":{"_meta":${forged}}}`, 'notification')).toBe('{"params":{"_meta":{"a":1}}}');
    expect(written(`{"id":1,"result":{"_meta":${forged}}}`, 'response')).toBe(
      '{"id":1,"result":{"_meta":{"a":1}}}',
    );
    expect(written('{"method":"m"}', 'notification')).toBe('{"method":"m"}');
    expect(written('{"id":1,"error":{}}', 'response')).toBe('{"id":1,"error":{}}');
  });

  it('is the very buffer that came where there is nothing to take out', () => {
    const call = callOf('{"params":{"_meta":{"a":1}}}', 'notification');
    expect(writeMeta(call, member)).toBe(call.bytes);
    expect(writeMeta(callOf(call.bytes.toString()), undefined)?.equals(call.bytes)).toBe(true);
  });
});

it('each request of a batch gets one, and every message is cleaned (N4)', () => {
  const batch = `[ {"id":1,"x":"]"} ,{"params":{"_meta":{"${assertionName}":0}}}, {"id":2,"params":{"a":[1,{}]}},{"id":3,"result":{}}]`;
  expect(written(batch, 'request', 'notification', 'request', 'response')).toBe(
    `[ {"params":{"_meta":{${member}}},"id":1,"x":"]"} ,{"params":{"_meta":{}}}, {"id":2,"params":{"_meta":{${member}},"a":[1,{}]}},{"id":3,"result":{}}]`,
  );
});

describe('whatever a request holds', () => {
  const names = fc.constantFrom('a', 'params', '_meta', 'é"\\', assertionName, assertionName.toUpperCase());
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(null, 1, -2.5e3, true, '', '{"', ']\\', '\u2028'),
      fc.dictionary(names, tie('value'), { maxKeys: 4 }),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
  })).value;
  const request = fc.record(
    {
      params: fc.record({ _meta: fc.dictionary(names, json), other: json }, { requiredKeys: [] }),
      id: fc.constant(1),
      more: json,
    },
    { requiredKeys: ['id'] },
  );
  const spacing = fc.constantFrom(0, 1, '\t', '\r\n');

  it('only that one member of it is another afterwards', () => {
    fc.assert(
      fc.property(request, spacing, (value, space) => {
        const text = JSON.stringify(value, null, space).replaceAll('\r\n', '\n');
        const read = readStrictJson(Buffer.from(written(text) ?? ''));
        expect(read.ok).toBe(true);
        const plain = JSON.parse(text) as { params?: Record<string, Record<string, unknown>> };
        const others = Object.entries(plain.params?.['_meta'] ?? {}).filter(
          ([name]) => name.toLowerCase() !== assertionName,
        );
        const meta = Object.fromEntries([...others, [assertionName, 'h.p.s']]);
        expect(read.ok && read.value).toEqual({ ...plain, params: { ...plain.params, _meta: meta } });
      }),
      { numRuns: 500 },
    );
  });
});
