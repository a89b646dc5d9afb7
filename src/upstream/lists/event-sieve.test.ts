import { describe, expect, it } from 'vitest';
import { EventLines } from './event-lines.ts';
import { EventSieve } from './event-sieve.ts';
import { maximumHeldBytes, maximumListBytes } from './sifted.ts';

const hidesSecrets = (_list: string, name: string): boolean => name !== 'secret';

interface Passed {
  readonly text: string;
  readonly fault: string | undefined;
  readonly withheld: readonly string[];
}

function pass(chunks: readonly (string | Buffer)[], requestId: string | null = null): Passed {
  const withheld: string[] = [];
  const sieve = new EventSieve({
    shows: hidesSecrets,
    requestId,
    onWithheld: (says) => void withheld.push(says),
  });
  let text = '';
  for (const chunk of [...chunks, undefined]) {
    const sifted = chunk === undefined ? sieve.end() : sieve.pass(Buffer.from(chunk));
    if (sifted.state === 'fault') return { text, fault: sifted.detail, withheld };
    if (sifted.state === 'open') text += sifted.bytes.toString();
  }
  return { text, fault: undefined, withheld };
}

const cutInto = (text: string, size: number): readonly Buffer[] => {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
};

const answer = (result: string, id = 1): string => `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
const both = answer('{"tools":[{"name":"secret"},{"name":"a"}]}');
const shown = answer('{"tools":[{"name":"a"}]}');
const error = (id: number): string =>
  `{"jsonrpc":"2.0","id":${id},"error":{"code":50200,"message":"The MCP server failed"}}`;

describe('an event with a list', () => {
  it.each(['\n', '\r\n', '\r'])(
    'goes on without what is hidden, whatever ends its lines: %j (P2, C-046)',
    (end) => {
      const lines = ['id: 7', 'event: message', `data: ${both}`, 'retry: 5', '']
        .map((line) => line + end)
        .join('');
      const expected = `id: 7\nevent: message\nretry: 5\ndata: ${shown}\n\n`;
      for (const size of [1, 2, 3, 10, 1000]) expect(pass(cutInto(lines, size)).text).toBe(expected);
    },
  );

  it('is read as one text from all its data lines, with terminators of all kinds (C-046)', () => {
    const text =
      'data: {"jsonrpc":"2.0",\rdata:"id":1,\r\ndata: "result":{"tools":\ndata: [{"name":"secret"}]}}\r\r\n';
    for (const size of [1, 4, 1000])
      expect(pass(cutInto(text, size)).text).toBe(
        'data: {"jsonrpc":"2.0",\ndata: "id":1,\ndata: "result":{"tools":\ndata: []}}\n\n',
      );
  });

  it.each([
    ['a byte order mark', `\ufeffdata: ${both}\n\n`, `data: ${shown}\n\n`],
    ['no space', `data:${both}\n\n`, `data: ${shown}\n\n`],
    ['another type', `event: list\ndata: ${both}\n\n`, `event: list\ndata: ${shown}\n\n`],
    ['a name alone', `data\ndata: ${both}\n\n`, `data: \ndata: ${shown}\n\n`],
    ['another event behind it', `data: ${both}\n\ndata: ${both}\n\n`, `data: ${shown}\n\ndata: ${shown}\n\n`],
    ['a batch', `data: [${both}]\n\n`, `data: [${shown}]\n\n`],
    ['no end', `data: ${both}`, `data: ${shown}\n`],
    [
      'the list in what is no field',
      `x: ${both}\n: ${both}\n\ufeffdata: ${both}\ndatax: ${both}\ndata ${both}\n\n`,
      ':\n\n',
    ],
  ])('never shows what is hidden: %s (C-046)', (_what, text, expected) => {
    for (const size of [1, 5, 1000]) expect(pass(cutInto(text, size)).text).toBe(expected);
  });

  it('becomes an error for its id where it cannot be filtered, and the stream goes on', () => {
    const broken = both.replace('"result"', '"error":{},"result"');
    const { text, withheld } = pass([`id: 3\ndata: ${broken}\n\ndata: ${both}\n\n`]);
    expect(text).toBe(`id: 3\ndata: ${error(1)}\n\ndata: ${shown}\n\n`);
    expect(withheld).toEqual(["a list that can't be filtered: a list in a message that is no answer"]);
  });

  it('becomes an error for the one request that was sent, where the id cannot be read', () => {
    const lenient = both.replace('"name":"a"', "'name':'a'");
    expect(pass([`data: ${lenient}\n\n`], '9').text).toBe(`data: ${error(9)}\n\n`);
    expect(
      pass([`data: {"jsonrpc":"2.0","id":1,"result":{\r"tools":[{"name":"secret"}]}}\n\n`], '9').text,
    ).toBe(`data: ${error(9)}\n\n`);
  });

  it('ends the stream where nobody knows which request it is for', () => {
    const lenient = both.replace('"name":"a"', "'name':'a'");
    expect(pass([`data: ${lenient}\n\n`])).toMatchObject({
      text: '',
      fault: expect.stringContaining('no JSON'),
    });
    expect(pass([`data: {"method":"x","result":{"tools":[]}}\n\n`]).fault).toBeDefined();
  });

  it('ends the stream where the list is too long to be held', () => {
    const long = `data: {"result":{"tools":["${'x'.repeat(maximumListBytes)}`;
    expect(pass(cutInto(long, 65_536))).toMatchObject({ text: '', fault: 'a list of more than 4 MiB' });
  });
});

describe('everything else', () => {
  it.each([
    ['an event', 'id: 1\nevent: message\ndata: {"jsonrpc":"2.0","method":"notifications/x"}\n\n'],
    ['one to begin with', 'id: abc\nretry: 10\ndata: \n\n'],
    ['an address', 'event: endpoint\ndata: /mcp?session=abc\n\n'],
    ['signs of life', ':\n\n:\n\n'],
    [
      'a result with lists in its text',
      `data: ${answer('{"content":[{"type":"text","text":"{\\"tools\\":[]}"}]}')}\n\n`,
    ],
    ['several lines', 'data: {"a":\ndata: 1}\n\n'],
  ])('goes on as it came: %s', (_what, text) => {
    for (const size of [1, 6, 1000]) expect(pass(cutInto(text, size)).text).toBe(text);
  });

  it('goes on at once, event by event, also where a line end is but a CR', () => {
    for (const end of ['\n\n', '\r\n\r\n', '\r\r']) {
      const sieve = new EventSieve({ shows: hidesSecrets, requestId: null, onWithheld: () => {} });
      for (const event of ['data: 1', 'data: 2'])
        expect(sieve.pass(Buffer.from(event + end))).toEqual({
          state: 'open',
          bytes: Buffer.from(`${event}\n\n`),
        });
    }
  });

  it.each([100_000, 250_000])('goes on in more lines than a call takes arguments: %i', (lines) => {
    const text = `data: {"a":1\n${'data: \n'.repeat(lines)}data: }\n\n`;
    const passed = pass([text]);
    expect([passed.fault, passed.text === text]).toEqual([undefined, true]);
  });

  it('is cut into lines in a time by its length, however short they are (D-009)', () => {
    let ends = 0;
    const lines = new EventLines({ part: () => {}, end: () => (ends += 1) });
    const before = process.cpuUsage();
    lines.pass(Buffer.from('\r'.repeat(2 * 1024 * 1024)));
    expect(ends).toBe(2 * 1024 * 1024);
    // A look to the end of the text for each line took half a minute.
    expect(process.cpuUsage(before).user / 1_000_000).toBeLessThan(5);
  });

  it('goes on as it comes once it is longer than what is held, line by line', () => {
    const picture = 'x'.repeat(3 * maximumHeldBytes);
    const text = `event: message\ndata: {"result":{"content":["${picture}"],\nid: 1\n: c\ndata: "more":"${picture}"}}\n\ndata: ${both}\n\n`;
    const passed = pass(cutInto(text, 65_536));
    expect(passed.fault).toBeUndefined();
    expect(passed.text === text.replace(': c', ':').replace(both, shown)).toBe(true);
  });

  it('ends as soon as a list turns up in what went on already', () => {
    const text = `data: {"result":{"content":["${'x'.repeat(2 * maximumHeldBytes)}"],"tools":[{"name":"secret"}]}}\n\n`;
    const passed = pass(cutInto(text, 1000));
    expect(passed.fault).toBe('a list behind the first MiB of a message');
    expect(passed.text).not.toContain('secret');
  });

  it('is bounded: fields, comments and unfinished lines without an end (D-009)', () => {
    const endless = (text: string): string | undefined =>
      pass(cutInto(text.repeat(Math.ceil((2 * maximumHeldBytes) / text.length)), 65_536)).fault;
    expect(endless('x')).toContain('1 MiB');
    expect(endless('id: 123456789\n')).toContain('1 MiB');
    expect(endless(': a sign of life\n')).toBeUndefined();
    expect(endless('unknown: 1\n')).toBeUndefined();
  });

  it('ends where the data of an event is broken off and no request is known', () => {
    expect(pass(['data: {"a":[1\n\n']).fault).toBeDefined();
    expect(pass(['data: {"a":[1\n\n'], '4').text).toBe(`data: ${error(4)}\n\n`);
    // No client takes an event that the end of the stream cut off.
    expect(pass(['data: {"a":[1'])).toMatchObject({ text: '', fault: undefined });
  });
});
