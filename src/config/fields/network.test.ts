import { describe, expect, it } from 'vitest';

import { addressRange, browserOrigin, holdsStrangers, hostName } from './network.ts';

describe('a name in hosts', () => {
  it.each([
    ['MCP.example.com', 'mcp.example.com'],
    ['[::1]', '[::1]'],
    ['10.0.0.1', '10.0.0.1'],
  ])('%s is %s', (text, value) => {
    expect(hostName.parse(text)).toBe(value);
  });

  it.each([
    'https://mcp.example.com',
    'mcp.example.com:443',
    '*.example.com',
    '::1',
    'bücher.example',
    '',
    'a b',
  ])('is not %j', (text) => {
    expect(hostName.safeParse(text).success).toBe(false);
  });
});

describe('an origin of a page', () => {
  it.each([
    'https://inspector.example.com',
    'http://localhost:6274',
    'http://[::1]:3000',
    'vscode-webview://abc',
  ])('may be %s', (text) => {
    expect(browserOrigin.parse(text)).toBe(text);
  });

  it.each([
    '*',
    'null',
    'https://inspector.example.com/',
    'https://Inspector.example.com',
    'https://inspector.example.com:443',
    'inspector.example.com',
    'https://a.example/path',
  ])('is not %j, which no browser sends', (text) => {
    expect(browserOrigin.safeParse(text).success).toBe(false);
  });
});

describe('a trusted range', () => {
  it.each(['10.0.0.0/8', '127.0.0.1', 'fd00::/8', '::1', '128.0.0.0/1'])('may be %s', (text) => {
    expect(addressRange.parse(text)).toBe(text);
  });

  it.each([
    '0.0.0.0/0',
    '::/00',
    'proxy.example.com',
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/8/8',
    '010.0.0.1',
    'loopback',
    '',
  ])('is not %j', (text) => {
    expect(addressRange.safeParse(text).success).toBe(false);
  });

  it('that holds strangers is known as such', () => {
    expect(['0.0.0.0/1', '128.0.0.0/1', '10.0.0.0/7', '::/1', 'fc00::/6'].every(holdsStrangers)).toBe(true);
    expect(['10.0.0.0/8', '10.0.0.1', 'fc00::/7', '::1'].some(holdsStrangers)).toBe(false);
  });
});
