import { describe, expect, it } from 'vitest';

import type { Route } from '../config/configuration.ts';
import { passingHeaders, requestHeaderRules } from './request-headers.ts';

const plain = {
  identity: { headers: {}, claims: [] },
  upstream: { requestHeaders: ['x-tenant', 'x_odd', 'odd.x', 'x-auth-sub'] },
} as unknown as Route;

const pass = (lines: readonly string[], route = plain): string[] | undefined =>
  passingHeaders(lines, requestHeaderRules(route));

describe('a line that must be the only one of its name', () => {
  it.each([
    'content-type',
    'mcp-session-id',
    'mcp-protocol-version',
    'mcp-method',
    'mcp-name',
    'last-event-id',
  ])('%s: a second one refuses the request, whatever stands between', (name) => {
    expect(pass([name, 'a'])).toEqual([name, 'a']);
    expect(pass([name, 'a', name, 'a'])).toBeUndefined();
    expect(pass(['accept', 'x', name, 'a', 'x-tenant', name, name.toUpperCase(), 'b'])).toBeUndefined();
  });

  it('is counted by names alone, and others may come twice', () => {
    expect(pass(['x-tenant', 'mcp-name', 'mcp-name', 'a'])).toHaveLength(4);
    expect(pass(['x-tenant', 'a', 'x-tenant', 'b'])).toHaveLength(4);
  });
});

describe('a name', () => {
  it.each(['x_odd', 'odd.x', 'x-odd', 'xaccept', 'x-mcp-name', 'accept-', 'mcp-', 'content-length'])(
    '%s stays back, even where the file or a pattern seems to allow it',
    (name) => {
      expect(pass([name, 'a'])).toEqual([]);
    },
  );

  it('is what comes first of a pair; without one there is nothing to pass', () => {
    expect(pass([])).toEqual([]);
    expect(pass(['x-other', 'x-tenant', 'x-tenant', 'x-other'])).toEqual(['x-tenant', 'x-other']);
    expect(pass(['x-tenant'])).toEqual(['x-tenant', '']);
  });

  it('content-encoding stays back: framing is the forwarder’s', () => {
    expect(pass(['Content-Encoding', 'gzip', 'Content-Language', 'en'])).toEqual(['content-language', 'en']);
  });

  it('last-event-id passes', () => {
    expect(pass(['Last-Event-ID', '7', 'User-Agent', 'x'])).toEqual([
      'last-event-id',
      '7',
      'user-agent',
      'x',
    ]);
  });

  it('of an identity header stays back in every spelling, also where it is configured with dots (N1)', () => {
    const route = {
      ...plain,
      identity: { headers: { subject: 'X_Auth.Sub' }, claims: [] },
    } as unknown as Route;
    expect(pass(['X-Auth-Sub', 'evil', 'x-tenant', 'a'], route)).toEqual(['x-tenant', 'a']);
    expect(pass(['X-Auth-Sub', 'mine'])).toEqual(['x-auth-sub', 'mine']);
  });

  it('is judged alike however many others were judged before', () => {
    const rules = requestHeaderRules(plain);
    const asked: string[] = [];
    const invented = Array.from({ length: 300 }, (_, index) => [`x-invented-${index}`, 'a']).flat();
    for (let round = 0; round < 2; round += 1) {
      expect(passingHeaders(invented, rules)).toEqual([]);
      expect(passingHeaders(['mcp-name', 'a', 'x-tenant', 'b'], rules)).toHaveLength(4);
      asked.push(...['mcp-name', 'x-invented-1', 'x-invented-299'].map((name) => String(rules.allows(name))));
    }
    expect(asked).toEqual(['true', 'false', 'false', 'true', 'false', 'false']);
  });
});

describe('a client that takes anything', () => {
  it('is said to take both types that MCP servers want to see by name', () => {
    expect(pass(['Accept', '*/*'])).toEqual(['accept', 'application/json, text/event-stream']);
    expect(pass(['Accept', 'text/*', 'x-tenant', '*/*'])).toEqual(['accept', 'text/*', 'x-tenant', '*/*']);
  });
});
