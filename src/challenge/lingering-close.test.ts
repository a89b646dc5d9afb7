import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { answerAndClose, isLongUnread } from './lingering-close.ts';

const request = (over: Readonly<Record<string, unknown>> = {}): IncomingMessage =>
  ({ complete: false, headers: {}, ...over }) as unknown as IncomingMessage;

describe('a body that is still on its way', () => {
  it.each<[string, IncomingMessage, boolean]>([
    [
      'has come',
      request({ complete: true, headers: { expect: '100-continue', 'content-length': '99999' } }),
      false,
    ],
    ['of nobody', request(), false],
    ['of 64 KiB', request({ headers: { 'content-length': '65536' } }), false],
    ['of a byte more', request({ headers: { 'content-length': '65537' } }), true],
    ['of no known length', request({ headers: { 'transfer-encoding': 'chunked' } }), true],
    ['that may be kept back', request({ headers: { expect: '100-continue' } }), true],
  ])('is worth reading or not: one %s', (_which, of, expected) => {
    expect(isLongUnread(of)).toBe(expected);
  });
});

describe('an answer before the body has come (B-008)', () => {
  class Peer extends EventEmitter {
    readonly socket = { destroy: vi.fn<() => void>() };
    readonly resume = vi.fn<() => void>();
  }
  class Reply {
    readonly writeHead = vi.fn<(status: number, headers: object) => void>();
    readonly write = vi.fn<(body: string) => void>();
    ended: (() => void)[] = [];
    end(done: () => void): void {
      this.ended.push(done);
    }
  }
  let peer: Peer;
  let reply: Reply;

  beforeEach(() => {
    vi.useFakeTimers();
    [peer, reply] = [new Peer(), new Reply()];
    answerAndClose(peer as unknown as IncomingMessage, reply as unknown as ServerResponse, {
      status: 413,
      headers: { 'x-a': 'b' },
      body: 'é',
    });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('is sent at once, and says that the connection ends', () => {
    expect(reply.writeHead.mock.calls).toEqual([
      [413, { 'x-a': 'b', 'content-length': 2, connection: 'close' }],
    ]);
    expect(reply.write.mock.calls).toEqual([['é']]);
    expect(peer.resume.mock.calls).toHaveLength(1);
    expect(reply.ended).toEqual([]);
  });

  it('ends the connection after a second, once the answer is out', () => {
    vi.advanceTimersByTime(999);
    expect(reply.ended).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(reply.ended).toHaveLength(1);
    expect(peer.socket.destroy.mock.calls).toEqual([]);
    reply.ended[0]?.();
    expect(peer.socket.destroy.mock.calls).toHaveLength(1);
    expect(peer.listenerCount('data')).toBe(0);
  });

  it('ends it after 64 KiB, which are not read any further', () => {
    peer.emit('data', Buffer.alloc(64 * 1024));
    expect(reply.ended).toEqual([]);
    peer.emit('data', Buffer.alloc(1));
    expect(reply.ended).toHaveLength(1);
    expect(peer.listenerCount('data')).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each(['end', 'error'])('ends it with the body’s %s', (event) => {
    peer.emit(event);
    expect(reply.ended).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits for nothing once the connection is gone', () => {
    peer.emit('close');
    expect([reply.ended, vi.getTimerCount()]).toEqual([[], 0]);
  });
});
