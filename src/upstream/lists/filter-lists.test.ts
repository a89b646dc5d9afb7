import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListName } from '../../vocabulary/answer-filter.ts';
import { filterLists, maximumItems } from './filter-lists.ts';

const showsAll = (): boolean => true;
const hidesSecrets = (_list: ListName, name: string): boolean => !name.includes('secret');

function filtered(text: string, shows = hidesSecrets): string {
  const answer = filterLists(Buffer.from(text), shows);
  return answer.ok ? answer.bytes.toString() : `${answer.id}: ${answer.says}`;
}

const answer = (result: string): string => `{"jsonrpc":"2.0","id":1,"result":${result}}`;

describe('a list', () => {
  it.each([
    ['tools', '{"name":"a"}', '{"name":"secret_b"}'],
    ['prompts', '{"name":"a"}', '{"name":"secret_b"}'],
    ['resources', '{"uri":"file:///a","name":"secret"}', '{"uri":"file:///secret","name":"a"}'],
    ['resourceTemplates', '{"uriTemplate":"file:///{a}"}', '{"uriTemplate":"file:///secret/{a}"}'],
  ])('of %s loses what is not shown, wherever it stands (P2)', (list, shown, hidden) => {
    const of = (...items: string[]): string => answer(`{"${list}":[${items.join(',')}],"nextCursor":"n"}`);
    expect(filtered(of(shown, hidden))).toBe(of(shown));
    expect(filtered(of(hidden, shown))).toBe(of(shown));
    expect(filtered(of(hidden, shown, hidden, hidden, shown))).toBe(of(shown, shown));
    expect(filtered(of(hidden))).toBe(of());
    expect(filtered(of())).toBe(of());
  });

  it('has as many items as can be judged in good time (D-009)', () => {
    const of = (items: number): string => `{"tools":[${'{"name":"a"},'.repeat(items - 1)}{"name":"secret"}]}`;
    const most = answer(of(maximumItems));
    expect(filtered(most) === most.replace(',{"name":"secret"}', '')).toBe(true);
    expect(filtered(answer(of(maximumItems + 1)))).toBe('1: it has more than 10000 items');
    const half = answer(of(maximumItems / 2 + 1));
    expect(filtered(`[${half},${half}]`)).toBe('null: it has more than 10000 items');
  });

  it('keeps every other byte: numbers, spaces, escapes, order', () => {
    const item =
      '{ "name" :\t"\\u0061", "inputSchema":{"default":12345678901234567890.10, "x":[ ] ,"y":"]}\\\\"} }';
    const before = `{ "result" : {"x":1e400,\n"tools" : `;
    const behind = ` , "ttlMs":0.0, "nextCursor":"\\u00e9" } ,\r\n "id":1, "jsonrpc":"2.0"} `;
    expect(filtered(`${before}[ ${item} , {"name":"secret"} , ${item} ]${behind}`)).toBe(
      `${before}[${item},${item}]${behind}`,
    );
    const whole = `${before}[ ${item} , ${item} ]${behind}`;
    expect(filtered(whole)).toBe(whole);
  });

  it('is for one caller only, whatever its server says of caches (C-052)', () => {
    expect(filtered(answer('{"tools":[],"ttlMs":60000,"cacheScope":"public"}'))).toBe(
      answer('{"tools":[],"ttlMs":60000,"cacheScope":"private"}'),
    );
    expect(
      filtered(answer('{"cacheScope":"public","CacheScope": "public" ,"tools":[{"name":"secret"}]}')),
    ).toBe(answer('{"cacheScope":"private","CacheScope": "private" ,"tools":[]}'));
    const other = answer('{"cacheScope":"public","contents":[]}');
    expect(filtered(other)).toBe(other);
  });

  it('loses items that do not say their name plainly', () => {
    const items = [
      '{}',
      'null',
      '"a"',
      '["a"]',
      '{"name":1}',
      '{"name":""}',
      '{"name":["a"]}',
      '{"name":"\\ud800"}',
      '{"Name":"a"}',
      '{"name":"a","NAME":"secret"}',
      '{"name":"a","name":"secret"}',
      '{"name":"a","x":1,"n\\u0061me":"a"}',
      '{"name":"a","nam\\u0045":"secret"}',
    ];
    for (const item of items)
      expect([item, filtered(answer(`{"tools":[${item}]}`), showsAll)]).toEqual([
        item,
        answer('{"tools":[]}'),
      ]);
  });

  it('is filtered in every answer of a batch, and with other lists beside it', () => {
    const two = (tools: string, prompts: string): string =>
      `[${answer(`{"prompts":[${prompts}],"tools":[${tools}]}`)}, {"jsonrpc":"2.0","id":2,"error":{"code":1,"message":"secret"}},${answer(`{"tools":[${tools}]}`)}]`;
    expect(filtered(two('{"name":"secret"},{"name":"a"}', '{"name":"secret"}'))).toBe(
      two('{"name":"a"}', ''),
    );
  });
});

describe('what can be read in two ways', () => {
  it.each([
    [
      'a member twice in the answer',
      '{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"result":{"tools":[{"name":"secret"}]}}',
      '1',
    ],
    ['an id twice', '{"jsonrpc":"2.0","id":1,"ID":2,"result":{"tools":[{"name":"secret"}]}}', '1'],
    ['two lists of one name', answer('{"tools":[],"tools":[{"name":"secret"}]}'), '1'],
    [
      'a result in another case',
      '{"jsonrpc":"2.0","id":1,"result":{},"Result":{"tools":[{"name":"secret"}]}}',
      '1',
    ],
    ['a list in another case', answer('{"Tools":[{"name":"secret"}]}'), '1'],
    ['a list that is none', answer('{"tools":{"a":{"name":"secret"}}}'), '1'],
    [
      'a result beside an error',
      '{"jsonrpc":"2.0","id":"x","result":{"tools":[]},"error":{"code":1,"message":""}}',
      '"x"',
    ],
    [
      'a notification with a result',
      '{"jsonrpc":"2.0","method":"notifications/x","result":{"tools":[]}}',
      null,
    ],
    ['no id', '{"jsonrpc":"2.0","result":{"tools":[]}}', null],
    ['another JSON-RPC', '{"id":1,"result":{"tools":[]}}', '1'],
    ['a byte order mark', `\ufeff${answer('{"tools":[]}')}`, null],
    ['more behind it', `${answer('{"tools":[]}')}{}`, null],
    ['a comment', answer('{/* " */"tools":[]}'), null],
    ['other quotation marks', answer(`{"tools":[{'name':"a"}]}`), null],
    ['names without any', answer('{"tools":[{name:"a"}]}'), null],
    ['a comma too many', answer('{"tools":[{"name":"a"},]}'), null],
    ['a comma too few', answer('{"tools":[{"name":"a"}{"name":"secret"}]}'), null],
    ['no colon', answer('{"tools" [{"name":"a"}]}'), null],
    ['other brackets', answer('{"tools":[{"name":"a","x":[{]}]}]}'), null],
    ['an escape that is none', answer('{"tools":[{"name":"\\x61"}]}'), null],
    ['no end', answer('{"tools":[{"name":"a"}]').slice(0, -1), null],
    ['an open string', '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a', null],
    ['too deep', answer(`{"tools":[],"x":${'['.repeat(65)}${']'.repeat(65)}}`), null],
    ['nothing', ' ', null],
    ['one part of a batch', `[${answer('{"tools":[]}')},${answer('{"TOOLS":[]}')}]`, null],
  ])('is not filtered: %s (C-046)', (_what, text, id) => {
    expect(filterLists(Buffer.from(text), showsAll)).toEqual({
      ok: false,
      says: expect.any(String) as string,
      id,
    });
  });
});

it('leaves exactly what JSON.parse and a filter would, in any list', () => {
  const json = fc.jsonValue({ maxDepth: 3 });
  const item = fc.record({ name: fc.constantFrom('a', 'secret', 'x"secret'), more: json });
  const result = fc.record(
    { tools: fc.array(item, { maxLength: 6 }), before: json },
    { requiredKeys: ['tools'] },
  );
  fc.assert(
    fc.property(result, fc.constantFrom(0, 2), (given, indent) => {
      const message = { jsonrpc: '2.0', result: given, id: 7 };
      const text = JSON.stringify(message, undefined, indent);
      const tools = given.tools.filter(({ name }) => !name.includes('secret'));
      const expected = JSON.parse(JSON.stringify({ ...message, result: { ...given, tools } })) as unknown;
      expect(JSON.parse(filtered(text))).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});
