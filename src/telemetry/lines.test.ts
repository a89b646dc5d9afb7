import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { levelOf, lineWriter } from './lines.ts';
import type { RequestRecord } from './record.ts';

const ordinary: RequestRecord = {
  requestId: 'abc-1',
  route: 'github',
  httpMethod: 'POST',
  path: '/mcp',
  rpcMethods: ['tools/call'],
  target: 'echo',
  principal: undefined,
  decision: 'allow',
  rule: undefined,
  ruled: undefined,
  reason: 'ok',
  detail: undefined,
  status: 200,
  upstreamStatus: 200,
  upstreamMs: 1.23456,
  durationMs: 2,
  end: 'complete',
  stream: false,
  address: '127.0.0.1',
  traceId: undefined,
};

const parse = (line: string): Record<string, unknown> => {
  expect(line.indexOf('\n')).toBe(line.length - 1);
  return JSON.parse(line) as Record<string, unknown>;
};

describe('the lines of a request', () => {
  it('say what happened, and the audit alone who it was', () => {
    const principal = {
      issuer: 'https://as',
      subject: 'b"ob\n',
      clientId: undefined,
    } as RequestRecord['principal'];
    const { log, audit } = lineWriter()({ ...ordinary, principal }, 'T');
    expect(parse(log)).toEqual({
      level: 'info',
      time: 'T',
      requestId: 'abc-1',
      route: 'github',
      httpMethod: 'POST',
      rpcMethod: 'tools/call',
      status: 200,
      reason: 'ok',
      upstreamStatus: 200,
      upstreamMs: 1.235,
      durationMs: 2,
      end: 'complete',
      address: '127.0.0.1',
      msg: 'POST github 200',
    });
    expect(parse(audit)).toMatchObject({
      event: 'request',
      principal: { issuer: 'https://as', subject: 'b"ob\n', clientId: null },
      target: 'echo',
      decision: 'allow',
      rule: null,
    });
    expect(log).not.toContain('ob');
  });

  it('are one line of JSON each, whatever stands in the fields (D-020)', () => {
    const hostile = fc.string({ unit: 'binary', maxLength: 400 });
    const write = lineWriter();
    fc.assert(
      fc.property(hostile, hostile, hostile, hostile, (one, other, third, fourth) => {
        const record = {
          ...ordinary,
          route: undefined,
          path: one,
          rpcMethods: [other],
          target: third,
          detail: fourth,
          address: one,
        };
        const { log, audit } = write(
          { ...record, decision: 'deny', reason: 'token_audience', status: 401 },
          'T',
        );
        expect(String(parse(log)['detail']).length).toBeLessThanOrEqual(256);
        expect(parse(audit)['route']).toBe(null);
      }),
    );
  });

  it('are not mixed up between requests that look alike', () => {
    const write = lineWriter();
    const methods = ['tools/call', 'tools/list', undefined];
    for (const round of [1, 2]) {
      for (const method of methods) {
        for (const status of [200, 202]) {
          const record = {
            ...ordinary,
            rpcMethods: method === undefined ? [] : [method],
            status,
            upstreamStatus: status,
            durationMs: round,
          };
          const { log, audit } = write(record, 'T');
          expect(parse(log)).toMatchObject({ status, durationMs: round });
          expect(parse(log)['rpcMethod']).toBe(method);
          expect(parse(audit)).toMatchObject({ status, rpcMethod: method ?? null });
        }
      }
    }
  });

  it('are as loud as someone must act', () => {
    expect(levelOf(ordinary)).toBe('info');
    expect(levelOf({ ...ordinary, decision: 'deny', reason: 'no_credentials', status: 401 })).toBe('info');
    expect(levelOf({ ...ordinary, decision: 'deny', reason: 'token_audience', status: 401 })).toBe('warn');
    expect(levelOf({ ...ordinary, reason: 'reset', status: 502 })).toBe('error');
  });
});
