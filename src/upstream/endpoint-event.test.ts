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
