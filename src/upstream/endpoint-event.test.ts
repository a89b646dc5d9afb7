import { describe, expect, it } from 'vitest';

import { EndpointEvent, endpointPath } from './endpoint-event.ts';

const upstream = 'http://bridge:8000/sse';
const rewritten = (endpoint: string): string => `/gate?session=[${endpoint}]`;

function opened(...chunks: readonly (string | Buffer)[]): string {
  const event = new EndpointEvent(rewritten);
  for (const chunk of chunks) {
    const opening = event.pass(Buffer.from(chunk));
    if (opening.state === 'open') return opening.bytes.toString();
    if (opening.state === 'fault') return opening.detail;
  }
  return 'pending';
}

describe('the endpoint event of a legacy stream (U4)', () => {
  it.each(['\n', '\r\n', '\r'])('is rewritten, whatever ends its lines: %j', (end) => {
    const text = `event: endpoint${end}data: /message?sessionId=1${end}${end}rest`;
    expect(opened(text)).toBe('event: endpoint\ndata: /gate?session=[/message?sessionId=1]\n\nrest');
  });

  it('is found behind whatever any language takes for space', () => {
    for (const space of ['\f', '\xa0', '\u2003', '\ufeff'])
      expect(opened(`event:${space}endpoint${space}\ndata: /m\n\n`)).toBe(
        'event: endpoint\ndata: /gate?session=[/m]\n\n',
      );
  });

  it('is found however its bytes are cut', () => {
    const text = ': hello\r\n\r\nevent:endpoint\r\ndata:/m\r\n\r\nevent: message\r\ndata: {"é":1}\r\n\r\n';
    const bytes = Buffer.from(text);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const event = new EndpointEvent(rewritten);
      const passed: Buffer[] = [];
      let open = false;
      for (const chunk of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
        const opening = open ? undefined : event.pass(chunk);
        if (opening === undefined) passed.push(chunk);
        else if (opening.state === 'open') {
          open = true;
          passed.push(opening.bytes);
        }
      }
      const whole = Buffer.concat(passed).toString();
      expect(whole.replaceAll('\r', '').replaceAll('\n\n\n', '\n\n')).toContain(
        ': hello\n\nevent: endpoint\ndata: /gate?session=[/m]\n\n',
      );
      expect(whole.endsWith('data: {"é":1}\r\n\r\n')).toBe(true);
    }
  });

  it('may stand behind a byte order mark, comments, a retry and other events, which pass as they are', () => {
    const before = '\ufeffretry: 5\n\n: hi\n\nevent: ping\ndata: 1\n\n';
    expect(opened(`${before}event: endpoint\ndata: /m\n\n`)).toBe(
      `${before}event: endpoint\ndata: /gate?session=[/m]\n\n`,
    );
  });

  it('is waited for, but not without end', () => {
    expect(opened('event: endpoint\ndata: /m\n')).toBe('pending');
    expect(opened('event: endpoint\ndata: /m\r\n\r')).toBe('pending');
    expect(opened(`: ${'x'.repeat(20_000)}`)).toBe('no endpoint event at the beginning of the stream');
  });
});

describe('a legacy stream that has named its endpoint (C-043)', () => {
  const first = 'event: endpoint\ndata: /m\n\n';

  /** What a client would have got, up to the fault. */
  function passedOf(...chunks: readonly string[]): { readonly text: string; readonly fault: boolean } {
    const event = new EndpointEvent(rewritten);
    const passed: Buffer[] = [];
    for (const chunk of chunks) {
      const opening = event.pass(Buffer.from(chunk, 'latin1'));
      if (opening.state === 'open') passed.push(opening.bytes);
      if (opening.state === 'fault') return { text: Buffer.concat(passed).toString('latin1'), fault: true };
    }
    return { text: Buffer.concat(passed).toString('latin1'), fault: false };
  }

  const seconds = [
    'event: endpoint\ndata: https://evil.example/m\n\n',
    'event:endpoint\r\ndata:/other/mcp\r\n\r\n',
    'data: /other/mcp\revent: endpoint\r\r',
    'id: 1\ndata: {}\n\n: hi\nevent:\tendpoint \ndata: /x\n\n',
    `data: ${'x'.repeat(200)}\n\nevent: endpoint\ndata: /x\n\n`,
    `event:${' '.repeat(200)}endpoint${'\t'.repeat(90)}\ndata: /x\n\n`,
    // Python and JavaScript take all of these for space.
    'event:\fendpoint\ndata: /x\n\n',
    'event: \xc2\xa0endpoint\x0b\ndata: /x\n\n',
    `event:\xe2\x80\x83endpoint${'\xe3\x80\x80'.repeat(90)}\ndata: /x\n\n`,
  ];

  it.each(seconds)('ends before another one is whole, however it is cut: %j', (second) => {
    expect(passedOf(first + second).fault).toBe(true);
    for (let cut = 1; cut < second.length; cut += 1) {
      const { text, fault } = passedOf(first, second.slice(0, cut), second.slice(cut));
      expect(fault).toBe(true);
      // An event that isn't ended by an empty line is none (WHATWG HTML §9.2.6).
      const events = text.split(/\r\n\r\n|\n\n|\r\r/).slice(0, -1);
      expect(events.filter((each) => /^event:[^!-~\r\n]*endpoint/m.test(each))).toEqual([
        'event: endpoint\ndata: /gate?session=[/m]',
      ]);
    }
    expect(passedOf(first, ...second.split('')).fault).toBe(true);
  });

  it.each([
    'data: event: endpoint\n\n',
    'event: message\ndata: {"event: endpoint":"endpoint"}\n\n',
    ': event: endpoint\n\n',
    'event: endpoints\ndata: 1\n\n',
    `data: ${'x'.repeat(300)}event: endpoint\n\n`,
    'data: \xe2\x80\xa8event: endpoint\n\n',
  ])('goes on where the words stand elsewhere, byte for byte: %j', (text) => {
    expect(passedOf(first, text)).toEqual({
      text: `event: endpoint\ndata: /gate?session=[/m]\n\n${text}`,
      fault: false,
    });
    for (let cut = 1; cut < text.length; cut += 1)
      expect(passedOf(first, text.slice(0, cut), text.slice(cut)).fault).toBe(false);
  });

  it('names it with any space around the word', () => {
    expect(opened('event:  endpoint \ndata: /m\n\n')).toBe('event: endpoint\ndata: /gate?session=[/m]\n\n');
  });
});

describe('the address in it', () => {
  it.each([
    ['/message?sessionId=1', '/message?sessionId=1'],
    ['message?sessionId=1', '/message?sessionId=1'],
    ['?sessionId=1', '/sse?sessionId=1'],
    ['http://bridge:8000/message', '/message'],
    ['//bridge:8000/message', '/message'],
    ['/a/../message#part', '/message'],
  ])('may be relative or absolute: %s', (endpoint, path) => {
    expect(endpointPath(endpoint, upstream)).toBe(path);
  });

  it.each([
    ['/team/message', '/team/message'],
    ['message?x=/other', '/team/message?x=/other'],
    ['/team/deep/../m', '/team/m'],
    ['../message', undefined],
    ['/message', undefined],
    ['/teams/message', undefined],
    ['/team/../other/mcp', undefined],
    ['/team/%2e%2e/other', undefined],
    ['/team/..%2fother', undefined],
    ['/team/..%5Cother', undefined],
    ['/team\\..\\other', undefined],
    ['http://bridge:8000/other/mcp', undefined],
  ])('stays where the stream is, for beside it may stand another server: %s (C-043)', (endpoint, path) => {
    expect(endpointPath(endpoint, 'http://bridge:8000/team/sse')).toBe(path);
  });

  it.each([
    'http://evil.example/message',
    '//evil.example/message',
    'https://bridge:8000/message',
    'http://bridge:8001/message',
    'http://user:pw@bridge:8000/message',
    'javascript:alert(1)',
    'http://',
    '',
    '/a b',
    '/a\nb',
    '/é',
    `/${'x'.repeat(512)}`,
  ])('stays at the upstream: %j is refused', (endpoint) => {
    expect(endpointPath(endpoint, upstream)).toBe(undefined);
  });
});
