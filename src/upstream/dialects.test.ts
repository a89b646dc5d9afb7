import { describe, expect, it } from 'vitest';

import { lostSessionReader, maximumDialectBytes } from './dialects.ts';

const json = 'application/json; charset=utf-8';
const html = 'text/html; charset=utf-8';
const noValidSession =
  '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}';
const endpoint = '/message?sessionId=s-1';

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly text: string;
  readonly transport?: 'streamable-http' | 'sse';
  readonly more?: Readonly<Record<string, string>>;
}

function dialectOf(answer: Answer, upstreamId = endpoint): string | undefined {
  const { status, type, text, transport = 'streamable-http', more } = answer;
  const headers = { ...(type === undefined ? {} : { 'content-type': type }), ...more };
  return lostSessionReader({ status, headers }, transport, upstreamId)?.(Buffer.from(text));
}

const known = {
  post: { status: 400, type: json, text: noValidSession },
  get: { status: 400, type: html, text: 'Invalid or missing session ID' },
  sse: {
    status: 503,
    type: html,
    text: 'No active SSE connection for session s-1',
    transport: 'sse',
  },
  proxy: { status: 400, text: 'No active transport', transport: 'sse' },
  everything: { status: 400, type: json, text: noValidSession.replace(',"id":null', '') },
} as const satisfies Readonly<Record<string, Answer>>;

describe('a dialect', () => {
  it('is known by its name (U5)', () => {
    expect(Object.values(known).map((answer) => dialectOf(answer))).toEqual([
      'supergateway 3 stateful',
      'supergateway 3 stateful',
      'supergateway sse',
      'mcp-proxy sse',
      'server-everything streamableHttp',
    ]);
  });

  it.each<readonly [string, Answer]>([
    ['another status', { ...known.post, status: 404 }],
    ['another status of the same kind', { ...known.sse, status: 500 }],
    ['another type', { ...known.post, type: 'application/json' }],
    ['no type', { status: 400, text: known.get.text }],
    ['a type where there is none', { ...known.proxy, type: 'text/plain' }],
    ['another transport', { ...known.get, transport: 'sse' }],
    ['one byte more', { ...known.get, text: `${known.get.text}\n` }],
    ['one byte less', { ...known.get, text: known.get.text.slice(0, -1) }],
    ['another case', { ...known.get, text: known.get.text.toLowerCase() }],
    ['nothing', { ...known.get, text: '' }],
    ['the words of another type', { ...known.get, type: json }],
    ['a session that wasn’t asked for', { ...known.sse, text: `${known.sse.text}0` }],
    ['an encoded body', { ...known.post, more: { 'content-encoding': 'gzip' } }],
    ['a longer body', { ...known.post, more: { 'content-length': String(maximumDialectBytes + 1) } }],
  ])('is none with %s: the answer is left alone (U5)', (_what, answer) => {
    expect(dialectOf(answer)).toBe(undefined);
  });

  it('names the session as the bridge had it, not as its address encodes it', () => {
    const answer = { ...known.sse, text: 'No active SSE connection for session a b' };
    expect(dialectOf(answer, '/message?x=1&sessionId=a%20b')).toBe('supergateway sse');
    expect(dialectOf(known.sse, '/message')).toBe(undefined);
  });

  it('says nothing longer than what is held for it', () => {
    for (const { text } of Object.values(known)) expect(text.length).toBeLessThan(maximumDialectBytes);
  });
});
