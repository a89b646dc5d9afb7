import type { IncomingMessage } from 'node:http';

import { describe, expect, it } from 'vitest';

import { checkHost, checkOrigin } from './host-and-origin.ts';
import { checkForm } from './request-form.ts';
import { isRoutable, isRoutePath } from './target-form.ts';

const hosts = new Set(['mcp.example.com', '[::1]']);
const origins = new Set(['https://app.example']);

describe('Host (C7, B-013, B-032, B-047)', () => {
  const judge = (...values: string[]): string =>
    checkHost(
      values.flatMap((value) => ['hOST', value]),
      hosts,
    )?.reason ?? 'ok';

  it.each([
    [['mcp.example.com'], 'ok'],
    [['MCP.example.com:8443'], 'ok'],
    [['[::1]:80'], 'ok'],
    [['evil.example'], 'host_not_listed'],
    [['mcp.example.com.evil'], 'host_not_listed'],
    [['127.0.0.1'], 'host_not_listed'],
    [[], 'host_header'],
    [[''], 'host_header'],
    [['mcp.example.com', 'mcp.example.com'], 'host_header'],
    [['mcp.example.com, evil'], 'host_header'],
    [['evil@mcp.example.com'], 'host_header'],
    [['mcp.example.com:x'], 'host_header'],
  ])('judges %j: %s', (values, expected) => {
    expect(judge(...values)).toBe(expected);
  });
});

describe('Origin (A21, B-046, B-047)', () => {
  const judge = (...values: string[]): string =>
    checkOrigin(
      values.flatMap((value) => ['Origin', value]),
      origins,
    )?.reason ?? 'ok';

  it.each([
    [[], 'ok'],
    [['https://app.example'], 'ok'],
    [['https://APP.example'], 'origin_not_listed'],
    [['http://app.example'], 'origin_not_listed'],
    [['https://app.example:443'], 'origin_not_listed'],
    [['https://app.example/'], 'origin_not_listed'],
    [['https://app.example.evil'], 'origin_not_listed'],
    [['null'], 'origin_not_listed'],
    [['https://app.example', 'https://app.example'], 'origin_not_listed'],
  ])('judges %j: %s', (values, expected) => {
    expect(judge(...values)).toBe(expected);
  });
});

describe('target (B-031, B-037, B-038)', () => {
  it.each([
    ['/mcp', true],
    ['/mcp?x=%zz', true],
    ['/a%20b', true],
    ['/%zz', false],
    ['/%c0%ae', false],
    ['http://evil/mcp', false],
    ['*', false],
    ['', false],
  ])('%s can be routed: %s', (target, expected) => {
    expect(isRoutable(target)).toBe(expected);
  });

  it.each([
    ['/mcp', true],
    ['/mcp/', true],
    ['/mcp?x', true],
    ['/mcp/?x', true],
    ['/%6dcp', false],
    ['/mcp;v=1', false],
    ['/mcp#x', false],
    ['/MCP', false],
    ['/mcp//', false],
  ])('%s is the route /mcp: %s', (target, expected) => {
    expect(isRoutePath(target, '/mcp')).toBe(expected);
  });

  it('serves the root by its one spelling', () => {
    expect([isRoutePath('/', '/'), isRoutePath('/?x', '/'), isRoutePath('//', '/')]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe('form (B-001, B-003, B-007, B-009, B-030)', () => {
  const judge = (method: string, headers: Record<string, string>, lines = 10): string =>
    checkForm({
      method,
      headers,
      rawHeaders: Array.from({ length: 2 * lines }, () => 'x'),
    } as unknown as IncomingMessage)?.reason ?? 'ok';

  it.each([
    ['POST', {}, 'ok'],
    ['POST', { 'content-length': '5' }, 'ok'],
    ['POST', { 'transfer-encoding': 'Chunked' }, 'ok'],
    ['POST', { 'transfer-encoding': 'identity, chunked' }, 'transfer_encoding'],
    ['POST', { 'transfer-encoding': 'gzip, chunked' }, 'transfer_encoding'],
    ['POST', { expect: '100-Continue' }, 'ok'],
    ['POST', { expect: 'y 100-continue' }, 'expectation'],
    ['GET', { 'content-length': '0' }, 'ok'],
    ['GET', { 'content-length': '5' }, 'body_not_expected'],
    ['OPTIONS', { 'transfer-encoding': 'chunked' }, 'body_not_expected'],
    ['DELETE', { 'content-length': '1' }, 'body_not_expected'],
    ['PUT', { 'content-length': '1' }, 'ok'],
  ])('judges %s with %j: %s', (method, headers, expected) => {
    expect(judge(method, headers)).toBe(expected);
  });

  it('refuses a request of which Node may have lost a line', () => {
    expect([judge('GET', {}, 256), judge('GET', {}, 257)]).toEqual(['ok', 'header_lines']);
  });
});
