import { describe, expect, it } from 'vitest';

import type { ExchangeAnswer } from './exchange-client.ts';
import type { ExchangedToken } from './exchanged-tokens.ts';
import { ExchangedTokens } from './exchanged-tokens.ts';

class Server {
  now = 1_000_000;
  calls: string[] = [];
  answer: (token: string) => Promise<ExchangeAnswer> = (token) => this.give(token, 100);

  give(token: string, lifetimeSeconds: number | undefined): Promise<ExchangeAnswer> {
    return Promise.resolve({ ok: true, token: `new-${token}-${this.calls.length}`, lifetimeSeconds });
  }

  readonly tokens = new ExchangedTokens({
    clock: () => this.now,
    exchange: (token) => {
      this.calls.push(token);
      return this.answer(token);
    },
  });
}

const valueOf = (answer: unknown): string | undefined => (answer as ExchangedToken).headers[1];

describe('exchanged tokens (X1)', () => {
  it.each([
    [3600, 3570],
    [100, 80],
    [0, 0],
    [undefined, 48],
  ])('that live %s s are used for %s s', async (lifetimeSeconds, usedSeconds) => {
    const server = new Server();
    server.answer = (token) => server.give(token, lifetimeSeconds);
    await server.tokens.get('k', 't');
    server.now += usedSeconds * 1000 - 1;
    expect(server.tokens.get('k', 't') instanceof Promise).toBe(usedSeconds === 0);
    server.now += 1;
    expect(valueOf(await server.tokens.get('k', 't'))).toMatch(/^Bearer new-t-[23]$/);
  });

  it('are no longer used where the clock was set back: nobody knows how old they are', async () => {
    const server = new Server();
    await server.tokens.get('k', 't');
    server.now -= 1;
    await server.tokens.get('k', 't');
    expect(server.calls).toHaveLength(2);
  });

  it('are asked for 20 at a time; whoever comes then is sent away for a moment', async () => {
    const server = new Server();
    const held = Promise.withResolvers<ExchangeAnswer>();
    server.answer = () => held.promise;
    const running = Array.from({ length: 20 }, (_none, index) => server.tokens.get(`k${index}`, 't'));
    expect(await server.tokens.get('other', 't')).toMatchObject({ fault: 'busy', retryAfterSeconds: 1 });
    expect(server.calls).toHaveLength(20);
    held.resolve({ ok: false, fault: 'failed', detail: 'x', retryAfterSeconds: undefined });
    expect(await running[0]).toMatchObject({ ok: false });
    server.answer = (token) => server.give(token, 100);
    expect(await server.tokens.get('other', 't')).toMatchObject({ ok: true });
  });

  it('end a thousand waiting requests, and not more', async () => {
    const server = new Server();
    const held = Promise.withResolvers<ExchangeAnswer>();
    server.answer = () => held.promise;
    const waiting = Array.from({ length: 1000 }, async () => server.tokens.get('k', 't'));
    expect(server.tokens.get('k', 't')).toMatchObject({ fault: 'busy' });
    held.resolve(await server.give('t', 100));
    await Promise.all(waiting);
    expect(server.tokens.get('k', 't')).toMatchObject({ ok: true });
  });

  it('that were refused are dropped once, unless they are new or another has come', async () => {
    const server = new Server();
    const headers = ((await server.tokens.get('k', 't')) as ExchangedToken).headers;
    expect(server.tokens.dropRefused('k', headers)).toBe('new');
    server.now += 10_000;
    expect(server.tokens.dropRefused('k', ['authorization', 'Bearer other'])).toBe('replaced');
    expect(server.tokens.dropRefused('k', headers)).toBe('dropped');
    expect(server.tokens.dropRefused('k', headers)).toBe('replaced');
  });
});
