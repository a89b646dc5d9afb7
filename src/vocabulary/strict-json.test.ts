import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { readStrictJson } from './strict-json.ts';

const faultOf = (text: string | Uint8Array): string | undefined => {
  const read = readStrictJson(Buffer.from(text as string));
  return read.ok ? undefined : read.fault;
};

describe('strict JSON', () => {
  it.each([
    ['{}', undefined],
    [' { "a" : [ 1 , -0.5e+3 , "x" , true , false , null , { } , [ ] ] } ', undefined],
    ['{"a":"\\ud83d\\ude00"}', undefined],
    ['{"é":1,"e":2}', undefined],
    ['', 'not_json'],
    ['[]', undefined],
    ['"\\\\":"', 'not_json'],
    ['{"a\\\\":1,"b\\"":{"c:":":"}}', undefined],
    ['{"__proto__":1,"constructor":2}', undefined],
    ['{"__proto__":1,"__proto__":2}', 'duplicate_member'],
    ['{"a":1,}', 'not_json'],
    ['{"a":1}x', 'not_json'],
    ['{"a":1}{"a":1}', 'not_json'],
    ['{a:1}', 'not_json'],
    ["{'a':1}", 'not_json'],
    ['{"a":01}', 'not_json'],
    ['{"a":+1}', 'not_json'],
    ['{"a":.5}', 'not_json'],
    ['{"a":1.}', 'not_json'],
    ['{"a":NaN}', 'not_json'],
    ['{"a":Infinity}', 'not_json'],
    ['{"a":tru}', 'not_json'],
    ['{"a":"\n"}', 'not_json'],
    ['{"a":"\\x41"}', 'not_json'],
    ['{"a":"\\u00g0"}', 'not_json'],
    ['{"a":"b', 'not_json'],
    ['{"a":1 /* c */}', 'not_json'],
    ['\ufeff{"a":1}', 'not_json'],
    ['{"a":1,"a":2}', 'duplicate_member'],
    ['{"a":1,"\\u0061":2}', 'duplicate_member'],
    ['{"é":1,"\\u00e9":2}', 'duplicate_member'],
    ['{"x":{"a":1,"b":[{"c":1,"c":2}]}}', 'duplicate_member'],
    ['{"\\ud800":1}', 'not_utf8'],
  ])('judges %j as %s', (text, expected) => {
    expect(faultOf(text)).toBe(expected);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(faultOf(Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]))).toBe('not_utf8');
    expect(faultOf(Buffer.from('{"a":1}', 'utf16le'))).toBe('not_json');
  });

  it('refuses nesting that would exhaust another parser, and says so before it exhausts us', () => {
    expect(faultOf(`{"a":${'['.repeat(40_000)}${']'.repeat(40_000)}}`)).toBe('too_deep');
    expect(faultOf(`{"a":${'['.repeat(63)}${']'.repeat(63)}}`)).toBeUndefined();
    expect(faultOf(`{"a":${'['.repeat(64)}${']'.repeat(64)}}`)).toBe('too_deep');
  });

  it('finds a repeated key among very many', () => {
    const members = Array.from({ length: 5000 }, (_, index) => `"k${index}":1`);
    expect(faultOf(`{${members.join(',')}}`)).toBeUndefined();
    expect(faultOf(`{${[...members, '"k17":1'].join(',')}}`)).toBe('duplicate_member');
  });

  it('refuses more members or containers than any call has, before it builds them (C-013)', () => {
    expect(faultOf(`{"a":[${Array.from({ length: 50_001 }, () => '{}').join(',')}]}`)).toBe('too_many');
    expect(faultOf(`{${Array.from({ length: 50_001 }, (_, index) => `"${index}":0`).join(',')}}`)).toBe(
      'too_many',
    );
    expect(faultOf(`{"a":[${Array.from({ length: 200_000 }, () => '0').join(',')}]}`)).toBeUndefined();
  });

  it.each(['"', '\\', 'x', '{:"\\'])(
    'counts past strings of %j of every length, and finds what follows twice',
    (piece) => {
      for (let length = 0; length < 200; length += 1) {
        const text = JSON.stringify({ a: piece.repeat(length), b: 1 });
        expect(faultOf(text)).toBe(undefined);
        expect(faultOf(text.replace(/,"b":1\}$/, ',"a":1}'))).toBe('duplicate_member');
      }
    },
  );

  it('accepts whatever JSON.stringify writes and nothing that JSON.parse refuses', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 6 })),
        fc.string(),
        fc.nat(),
        (value, noise, at) => {
          const text = JSON.stringify(value);
          expect(faultOf(text)).toBeUndefined();
          const position = at % (text.length + 1);
          const mutated = text.slice(0, position) + noise + text.slice(position + noise.length);
          if (faultOf(mutated) === undefined) JSON.parse(mutated);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
