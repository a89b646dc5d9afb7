import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ListWatch } from './list-watch.ts';

function sees(text: string | Buffer, cut = Number.POSITIVE_INFINITY): boolean {
  const watch = new ListWatch();
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += cut) watch.feed(bytes.subarray(from, from + cut));
  return watch.sawList;
}

const lists: readonly string[] = [
  '{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}',
  '{"result":{"prompts":[]},"id":1}',
  '{"result":{"nextCursor":"a","resources":[]}}',
  '{"result":{"_meta":{"tools":{"x":[1,{"y":2}]}},"resourceTemplates":[]}}',
  ' [ {"id":1,"result":{}} , { "id" : 2 , "result" : { "tools" : [ ] } } ]',
  '{"result":{},"result":{"tools":[]}}',
  '{"result":{"content":[]},"x":{"y":[]},"result":{"a":"}","tools":[]}}',
  '{"error":{"code":1,"message":"]}\\""},"result":{"tools":null}}',
  '{"r\\u0065sult":{"t\\u006fols":[]}}',
  '{"\\u0072\\u0065\\u0073\\u0075\\u006c\\u0074":{"\\u0072\\u0065\\u0073\\u006f\\u0075\\u0072\\u0063\\u0065\\u0054\\u0065\\u006d\\u0070\\u006c\\u0061\\u0074\\u0065\\u0073":[]}}',
  '{"Result":{"TOOLS":[]}}',
  '{"re\u017fult":{"tool\u017f":[]}}',
  '\ufeff{"result":{"tools":[]}}',
  '{"method":"notifications/x","result":{"tools":[]}}',
  '{}{"result":{"tools":[]}}',
  '{"a":1}\n[{"result":{"tools":[]}}]',
  '{"params":["result",{"tools":[]}],"result":{"tools":[]}}',
];

const others: readonly string[] = [
  '',
  'null',
  '"tools"',
  '{"result":{"capabilities":{"tools":{},"prompts":{},"resources":{}}}}',
  '{"result":{"content":[{"type":"text","text":"{\\"result\\":{\\"tools\\":[]}}"}]}}',
  '{"result":{"structuredContent":{"result":{"tools":[]}},"content":[]}}',
  '{"result":{"structuredContent":{"tools":[]}}}',
  '{"params":{"tools":[]},"method":"sampling/createMessage"}',
  '{"tools":[],"result":{"a":"result"}}',
  '{"result":"tools"}',
  '{"result":["tools",{"tools":[]}]}',
  '{"result":{"toolsets":[],"x":"tools"},"tools":[]}',
  '{"result":{}}',
];

it.each(lists)('sees the list in %s, wherever it is cut (C-046)', (text) => {
  for (const cut of [1, 2, 7, Number.POSITIVE_INFINITY]) expect(sees(text, cut)).toBe(true);
});

it.each(others)('sees none in %s', (text) => {
  for (const cut of [1, Number.POSITIVE_INFINITY]) expect(sees(text, cut)).toBe(false);
});

it('takes what may be UTF-16 for something that has to be looked at', () => {
  expect(sees(Buffer.from('{"result":{"tools":[]}}', 'utf16le'))).toBe(true);
});

it('sees exactly the lists that JSON.parse finds in a result, in any JSON', () => {
  const key = fc.constantFrom('result', 'tools', 'prompts', 'x', '\\', '"', 'resources', 'resourceTemplates');
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.constantFrom(1, null, 'tools', 'result', '{"', ''),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  const hasList = (message: unknown): boolean => {
    const result = isObject(message) ? message['result'] : undefined;
    return (
      isObject(result) &&
      ['tools', 'prompts', 'resources', 'resourceTemplates'].some((name) => Object.hasOwn(result, name))
    );
  };
  fc.assert(
    fc.property(value, fc.constantFrom(0, 1), (json, indent) => {
      const expected = Array.isArray(json) ? json.some(hasList) : hasList(json);
      // Arrays of arrays are no batch to anyone; there it may see more.
      fc.pre(expected || !Array.isArray(json) || !json.some((item) => Array.isArray(item)));
      expect(sees(JSON.stringify(json, undefined, indent), 5)).toBe(expected);
    }),
    { numRuns: 500 },
  );
});

it.each([
  ['{"a":[1,{"b":"]}"}]}', false],
  ['{"a":[1', true],
  ['{"a":"', true],
  ['{"a":"\\"', true],
  ['/messages?id=1', false],
  ['', false],
])('says of %s whether anything in it is still open: %s', (text, isOpen) => {
  const watch = new ListWatch();
  watch.feed(Buffer.from(text));
  expect(watch.isOpen).toBe(isOpen);
});

it('judges what is no JSON alike, however it is cut into pieces', () => {
  for (const text of [
    '{"a":1,"result""jsor":{"tools":[]}}',
    '{"result""x""y":{"prompts":[]}}',
    '{"result""xr":{"tools":[]}}',
  ])
    for (let cut = 1; cut <= text.length; cut += 1) expect([cut, sees(text, cut)]).toEqual([cut, true]);
});

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
