import { describe, expect, it } from 'vitest';

import type { RevisionHeaders } from './check-agreement.ts';
import { checkRevision } from './check-revision.ts';
import { decodeHeaderValue } from './header-value.ts';
import { readMessage } from './read-message.ts';

const modern = '2026-07-28';
const base64 = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;

function verdict(body: unknown, headers: RevisionHeaders): string {
  const read = readMessage(Buffer.from(JSON.stringify(body)));
  if (!read.ok) throw new Error(read.refusal.reason);
  return checkRevision(headers, read)?.reason ?? 'agrees';
}

function message(method: string, params?: object, revision: string | null = modern): object {
  const claim = revision === null ? {} : { _meta: { 'io.modelcontextprotocol/protocolVersion': revision } };
  return { jsonrpc: '2.0', id: 1, method, params: { ...params, ...claim } };
}

const headers = (method?: string, name?: string, version: string | undefined = modern): RevisionHeaders => ({
  'mcp-protocol-version': version,
  'mcp-method': method,
  'mcp-name': name,
});

describe('a request of 2026-07-28 (M1)', () => {
  it.each([
    ['tools/call', { name: 'echo' }, 'echo'],
    ['prompts/get', { name: 'greet' }, 'greet'],
    ['resources/read', { uri: 'file:///a' }, 'file:///a'],
    ['tasks/get', { taskId: 't1' }, 't1'],
    ['tools/list', {}, undefined],
    ['server/discover', {}, undefined],
  ])('%s passes where its headers say the same, and nowhere else', (method, params, name) => {
    const body = message(method, params);
    expect(verdict(body, headers(method, name))).toBe('agrees');
    expect(verdict(body, headers('ping', name))).toBe('method_header');
    expect(verdict(body, headers(undefined, name))).toBe('method_header');
    expect(verdict(body, headers(method, name === undefined ? 'echo' : 'other'))).toBe('name_header');
    expect(verdict(body, headers(method, name, '2025-11-25'))).toBe('version_header');
    expect(verdict(body, { 'mcp-method': method, 'mcp-name': name })).toBe('version_header');
    if (name !== undefined) expect(verdict(body, headers(method))).toBe('name_header');
  });

  it('names what ASCII can’t hold in Base64, decoded once and in one form (C-022)', () => {
    const call = (name: string): object => message('tools/call', { name });
    expect(verdict(call('é\r\n'), headers('tools/call', base64('é\r\n')))).toBe('agrees');
    expect(verdict(call('echo'), headers('tools/call', base64('echo')))).toBe('agrees');
    const wrong = [
      base64('other'),
      base64(base64('echo')),
      '=?BASE64?ZWNobw==?=',
      '=?base64?ZWNobw?=',
      '=?base64?ZWNobx==?=',
      '=?base64?ZWN obw==?=',
      '=?base64??=',
      ' echo',
      'echo ',
      'ECHO',
    ];
    for (const name of wrong)
      expect([name, verdict(call('echo'), headers('tools/call', name))]).toEqual([name, 'name_header']);
    expect(verdict(call('=?base64?ZWNobw==?='), headers('tools/call', '=?base64?ZWNobw==?='))).toBe(
      'name_header',
    );
  });

  it('is not named by bytes that readers decode differently (C-019)', () => {
    // The bytes of a header as Node has them, one character for each: UTF-8 to others.
    for (const bytes of ['é', 'Ã©', 'a\tb', 'a\u0080b'])
      expect(verdict(message('tools/call', { name: bytes }), headers('tools/call', bytes))).toBe(
        'name_header',
      );
    expect(verdict(message('tools/call', { name: 'a b' }), headers('tools/call', 'a b'))).toBe('agrees');
  });

  it('is held to it by either sign alone, and so is every later revision', () => {
    expect(verdict(message('tools/list', {}, '2027-01-01'), headers('ping', undefined, '2027-01-01'))).toBe(
      'method_header',
    );
    expect(verdict(message('tools/list', {}, null), headers('ping'))).toBe('method_header');
    expect(verdict(message('tools/list'), {})).toBe('version_header');
  });

  it('comes alone, and is no response (C-042)', () => {
    expect(verdict([message('tools/list')], headers('tools/list'))).toBe('batch');
    expect(verdict({ jsonrpc: '2.0', id: 1, result: {} }, headers())).toBe('shape');
  });

  it('may be a notification that says nothing in headers, but none that contradicts them', () => {
    const note = { jsonrpc: '2.0', method: 'notifications/cancelled', params: {} };
    expect(verdict(note, headers())).toBe('agrees');
    expect(verdict(note, headers('notifications/cancelled'))).toBe('agrees');
    expect(verdict(note, headers('tools/call'))).toBe('method_header');
    expect(verdict(note, headers(undefined, 'echo'))).toBe('name_header');
  });
});

describe('a request of an earlier revision (C-023)', () => {
  it.each([undefined, '2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', 'latest', '2026-7-28', ''])(
    'isn’t held to any of it: %s',
    (version) => {
      const body = message('tools/call', { name: 'echo' }, null);
      expect(verdict(body, { 'mcp-protocol-version': version, 'mcp-method': 'ping', 'mcp-name': 'x' })).toBe(
        'agrees',
      );
      expect(verdict([body], { 'mcp-protocol-version': version })).toBe('agrees');
    },
  );
});

describe('a header value', () => {
  it.each([
    ['echo', 'echo'],
    ['=?base64?', '=?base64?'],
    ['=?base64?YQ==?=', 'a'],
    ['=?base64??=', ''],
    ['=?base64?/w==?=', undefined],
    ['=?base64?YR==?=', undefined],
    ['=?base64?YQ?=', undefined],
    ['=?base64?_-8=?=', undefined],
  ])('%s says %s', (value, said) => {
    expect(decodeHeaderValue(value)).toBe(said);
  });
});
