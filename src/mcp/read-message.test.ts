import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ReadMessage } from './read-message.ts';
import { readMessage } from './read-message.ts';

const read = (text: string): ReadMessage => readMessage(Buffer.from(text));
const reason = (text: string): string => {
  const result = read(text);
  return result.ok ? 'ok' : result.refusal.reason;
};

describe('the message reader', () => {
  it('reads method, id and name of a call and keeps the bytes', () => {
    const bytes = Buffer.from(
      ' {"id":"é1", "params":{"name":"get_x","arguments":{"name":"no"}},"method":"tools/call","jsonrpc":"2.0"}',
    );
    const result = readMessage(bytes);
    if (!result.ok) throw new Error('expected a call');
    expect(result.call.messages).toEqual([
      { kind: 'request', method: 'tools/call', id: '"é1"', target: 'get_x' },
    ]);
    expect(result.call.bytes).toBe(bytes);
  });

  it('takes the uri as what a resource method names, in whatever order the members stand', () => {
    for (const params of ['{"uri":"file:///a","name":"b"}', '{"name":"b","uri":"file:///a"}']) {
      for (const text of [
        `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":${params}}`,
        `{"params":${params},"method":"resources/read","id":1,"jsonrpc":"2.0"}`,
      ]) {
        const result = read(text);
        expect(result.ok && result.call.messages[0]).toMatchObject({ target: 'file:///a' });
      }
    }
  });

  it('takes what is called from the member of the method, whatever stands beside it (C-002)', () => {
    const targetOf = (method: string, params: object): unknown => {
      const result = read(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
      return result.ok && result.call.messages[0].kind === 'request'
        ? result.call.messages[0].target
        : result;
    };
    const both = { type: 'ref/resource', name: 'drop_all', uri: 'get_x' };
    expect(targetOf('tools/call', both)).toBe('drop_all');
    expect(targetOf('prompts/get', both)).toBe('drop_all');
    expect(targetOf('resources/read', { ...both, type: 'ref/prompt' })).toBe('get_x');
    expect(targetOf('completion/complete', both)).toBeUndefined();
    expect(targetOf('completion/complete', { ...both, ref: both })).toBe('get_x');
    expect(targetOf('completion/complete', { ref: { ...both, type: 'ref/prompt' } })).toBe('drop_all');
  });

  it('knows notifications and responses', () => {
    const kinds = [
      '{"jsonrpc":"2.0","method":"notifications/initialized"}',
      '{"jsonrpc":"2.0","id":3,"result":{}}',
      '{"jsonrpc":"2.0","error":{"code":1}}',
    ].map((text) => {
      const result = read(text);
      return result.ok ? result.call.messages[0].kind : result.refusal.reason;
    });
    expect(kinds).toEqual(['notification', 'response', 'response']);
  });

  it.each([
    // C-010: shape and lenient JSON.
    ['"{\\"jsonrpc\\":\\"2.0\\"}"', 'shape'],
    ['1', 'shape'],
    ['null', 'shape'],
    ['{}', 'shape'],
    ['[]', 'batch'],
    ['[[{"jsonrpc":"2.0","id":1,"method":"ping"}]]', 'shape'],
    ['[1]', 'shape'],
    ['{"jsonrpc":"1.0","id":1,"method":"ping"}', 'shape'],
    ['{"jsonrpc":"2.0","id":1,"method":7}', 'method'],
    ['{"jsonrpc":"2.0","id":1,"method":""}', 'method'],
    [`{"jsonrpc":"2.0","id":1,"method":"${'m'.repeat(257)}"}`, 'method'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping"}\n{"jsonrpc":"2.0","id":2,"method":"ping"}', 'not_json'],
    // C-001: duplicates, also spelt with escapes and below.
    ['{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}', 'duplicate_member'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","\\u006dethod":"tools/call"}', 'duplicate_member'],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}', 'duplicate_member'],
    // C-003: members that Go's parser would take for the reserved ones.
    ['{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}', 'member_case'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","PARAMS":{}}', 'member_case'],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}', 'member_case'],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","param\\u017f":{"name":"b"}}', 'member_case'],
    ['{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"x","TaskId":"y"}}', 'member_case'],
    ['{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}', 'ok'],
    // C-042: neither request nor response.
    ['{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}', 'shape'],
    ['{"jsonrpc":"2.0","id":null,"method":"tools/call"}', 'id'],
    ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', 'id'],
    ['{"jsonrpc":"2.0","id":1e3,"method":"ping"}', 'id'],
    ['{"jsonrpc":"2.0","id":-0,"method":"ping"}', 'id'],
    ['{"jsonrpc":"2.0","id":1e0,"method":"ping","params":{"id":1}}', 'id'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":{"id":1e0}}', 'ok'],
    ['{"jsonrpc":"2.0","id":0,"method":"ping"}', 'ok'],
    ['[{"jsonrpc":"2.0","id":1.0,"method":"ping"},{"jsonrpc":"2.0","id":1,"method":"ping"}]', 'id'],
    ['{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}', 'id'],
    ['{"jsonrpc":"2.0","id":{},"method":"ping"}', 'id'],
    ['{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', 'shape'],
    ['{"jsonrpc":"2.0","result":{}}', 'id'],
    // C-013, C-007.
    [`{"jsonrpc":"2.0","id":1,"method":"ping","params":${'['.repeat(5000)}${']'.repeat(5000)}}`, 'too_deep'],
    ['{"jsonrpc":"2.0","id":1.0,"method":"ping"}', 'id'],
    ['{"jsonrpc":"2.0","\\u0069d":1.0,"method":"ping"}', 'id'],
    ['{"jsonrpc":"2.0","\\u0069d":1,"method":"ping"}', 'ok'],
    ['\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}', 'not_json'],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\\ud800"}}', 'not_utf8'],
  ])('refuses %s', (text, expected) => {
    expect(reason(text)).toBe(expected);
  });

  it('reads batches message by message, up to fifty', () => {
    const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
    const batch = (count: number): string => `[${Array.from({ length: count }, () => ping).join(',')}]`;
    const result = read(batch(50));
    expect(result.ok && result.call.messages.length).toBe(50);
    expect(reason(batch(51))).toBe('batch');
    expect(reason(`[${ping},{"jsonrpc":"2.0"}]`)).toBe('shape');
  });

  it('tells the id of a message that it refuses, and only where it has one reading', () => {
    const idOf = (text: string): string | null => {
      const result = read(text);
      return result.ok ? 'ok' : result.id;
    };
    expect(idOf('{"jsonrpc":"2.0","id":"a","method":7}')).toBe('"a"');
    expect(idOf('{"jsonrpc":"2.0","id":[1],"method":7}')).toBe(null);
    expect(idOf('{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}')).toBe(null);
  });

  it('isn’t fooled by member names of the prototype (C-014)', () => {
    const result = read(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","__proto__":{"x":1},"params":{"name":"__proto__","constructor":{}}}',
    );
    expect(result.ok && result.call.messages[0]).toMatchObject({ target: '__proto__' });
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('never reads another method or name than JSON.parse does, and never throws', () => {
    const message = fc.record(
      {
        jsonrpc: fc.constant('2.0'),
        id: fc.oneof(fc.integer(), fc.string()),
        method: fc.string(),
        params: fc.dictionary(fc.constantFrom('name', 'uri', 'Name', 'x'), fc.jsonValue()),
      },
      { requiredKeys: ['jsonrpc', 'method'] },
    );
    fc.assert(
      fc.property(message, fc.string({ maxLength: 3 }), fc.nat(), (value, noise, at) => {
        const text = JSON.stringify(value);
        const position = at % (text.length + 1);
        const mutated = text.slice(0, position) + noise + text.slice(position);
        const result = read(mutated);
        if (!result.ok) return;
        const parsed = JSON.parse(mutated) as {
          method?: unknown;
          params?: { name?: unknown; uri?: unknown };
        };
        const [first] = result.call.messages;
        if (first.kind === 'response') return;
        expect(first.method).toBe(parsed.method);
        if (first.target !== undefined)
          expect([parsed.params?.name, parsed.params?.uri]).toContain(first.target);
      }),
      { numRuns: 3000 },
    );
  });
});
