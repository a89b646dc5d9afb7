import { describe, expect, it } from 'vitest';

import type { IntrospectionSettings } from '../../config/configuration.ts';
import type { ActiveAnswer, SharedAnswers } from '../../state/shared-answers.ts';
import type { IntrospectionOutcome } from '../../vocabulary/observer.ts';
import type { IntrospectionAnswer } from './introspection-client.ts';
import { Introspection } from './introspection.ts';

const start = 1_800_000_000_000;
const active = (claims: Readonly<Record<string, unknown>> = {}): IntrospectionAnswer => ({
  ok: true,
  active: true,
  claims: { sub: 'alice', ...claims },
});
const inactive: IntrospectionAnswer = { ok: true, active: false, claims: {} };
const failed: IntrospectionAnswer = {
  ok: false,
  fault: 'failed',
  detail: 'nothing answers',
  retryAfterSeconds: undefined,
};

/** One server's introspection with a clock, a script of what it answers, and calls that end when the test says so. */
function scene(cacheSeconds = 30, shared?: SharedAnswers) {
  const clock = { ms: start };
  const script = { answer: (_token: string): IntrospectionAnswer => active() };
  const outcomes: IntrospectionOutcome[] = [];
  const asked: string[] = [];
  const held: (() => void)[] = [];
  const line = { holds: false };
  const settings: IntrospectionSettings = {
    for: 'opaque',
    clientId: 'gateway',
    authentication: { method: 'client_secret_basic', clientSecret: 'x' },
    cache: cacheSeconds * 1000,
  };
  const server = {
    issuers: ['https://as.example'] as const,
    leeway: 0,
    verify: { exp: true, nbf: true, iat: true, iss: true },
  };
  const introspection = new Introspection(server, settings, {
    clock: () => clock.ms,
    async ask(token) {
      asked.push(token);
      const answer = script.answer(token);
      if (line.holds) await new Promise<void>((resolve) => held.push(resolve));
      return answer;
    },
    onOutcome: (outcome) => outcomes.push(outcome),
    onSwitch: () => undefined,
    shared,
  });
  const inspect = async (token: string, origin: 'signed' | 'unknown' = 'unknown') =>
    introspection.inspect(token, origin);
  const release = (): void => {
    line.holds = false;
    for (const resolve of held.splice(0)) resolve();
  };
  const pass = (seconds: number): void => void (clock.ms += seconds * 1000);
  return { introspection, inspect, script, outcomes, asked, line, release, pass };
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what is remembered of an answer (I1)', () => {
  it('is that a token is active, at once and for the configured time', async () => {
    const { introspection, inspect, asked, pass } = scene();
    await inspect('a');
    pass(29.999);
    expect(introspection.inspect('a', 'unknown')).toEqual({ outcome: 'active', claims: { sub: 'alice' } });
    expect(asked).toHaveLength(1);
    pass(0.001);
    await inspect('a');
    expect(asked).toHaveLength(2);
  });

  it('ends with the token where that comes first', async () => {
    const { inspect, script, asked, pass } = scene();
    script.answer = () => active({ exp: start / 1000 + 12 });
    await inspect('a');
    pass(11.999);
    await inspect('a');
    expect(asked).toHaveLength(1);
    pass(0.001);
    script.answer = () => inactive;
    expect(await inspect('a')).toEqual({ outcome: 'inactive', expired: true });
    expect(asked).toHaveLength(2);
  });

  it('counts from when it was asked for, however long the answer took', async () => {
    const { inspect, asked, line, release, pass } = scene();
    line.holds = true;
    const first = inspect('a');
    await soon();
    pass(20);
    release();
    await first;
    pass(9);
    await inspect('a');
    expect(asked).toHaveLength(1);
    pass(1);
    await inspect('a');
    expect(asked).toHaveLength(2);
  });

  it('is that a token is inactive, for ten seconds at the most', async () => {
    const { inspect, script, asked, pass } = scene();
    script.answer = () => inactive;
    expect(await inspect('a')).toEqual({ outcome: 'inactive', expired: false });
    pass(9.999);
    await inspect('a');
    expect(asked).toHaveLength(1);
    pass(0.001);
    script.answer = () => active();
    expect(await inspect('a')).toMatchObject({ outcome: 'active' });
  });

  it('is nothing where no answer came', async () => {
    const { inspect, script, asked } = scene();
    script.answer = () => failed;
    for (let at = 0; at < 3; at += 1)
      expect(await inspect('a')).toMatchObject({ outcome: 'unavailable', reason: 'introspection_failed' });
    expect(asked).toHaveLength(3);
  });

  it('is nothing with cache: 0s, where every request asks', async () => {
    const { inspect, asked } = scene(0);
    for (let at = 0; at < 3; at += 1) await inspect('a');
    expect(asked).toHaveLength(3);
  });

  it('is worth nothing once the clock was set back', async () => {
    const { inspect, asked, pass } = scene();
    await inspect('a');
    pass(-3600);
    await inspect('a');
    expect(asked).toHaveLength(2);
  });

  it('outlives any number of invented tokens', async () => {
    const { inspect, script, asked, pass } = scene(3600);
    await inspect('good');
    pass(1);
    script.answer = () => inactive;
    for (let at = 0; at < 12_000; at += 1) {
      await inspect(`invented${at}`);
      if (at % 100 === 99) pass(1);
    }
    expect(asked).toHaveLength(12_001);
    expect(await inspect('good')).toMatchObject({ outcome: 'active' });
    expect(asked).toHaveLength(12_001);
  });
});

describe('who wants to know at the same time (I1)', () => {
  it('waits for one call, fifty of them too', async () => {
    const { inspect, asked, line, release } = scene();
    line.holds = true;
    const all = Array.from({ length: 50 }, () => inspect('a'));
    await soon();
    release();
    for (const answer of await Promise.all(all)) expect(answer).toMatchObject({ outcome: 'active' });
    expect(asked).toEqual(['a']);
  });

  it('waits for the next call where the one that runs may have been answered before: with cache: 0s', async () => {
    const { inspect, asked, script, line, release } = scene(0);
    line.holds = true;
    const first = inspect('a');
    await soon();
    script.answer = () => inactive;
    const later = [inspect('a'), inspect('a'), inspect('a')];
    await soon();
    expect(asked).toHaveLength(1);
    release();
    expect(await first).toMatchObject({ outcome: 'active' });
    for (const answer of await Promise.all(later)) expect(answer).toMatchObject({ outcome: 'inactive' });
    expect(asked).toHaveLength(2);
  });

  it('waits for the next call where the running one is older than an answer may be', async () => {
    const { inspect, asked, line, release, pass } = scene(1);
    line.holds = true;
    const first = inspect('a');
    await soon();
    pass(1);
    const later = inspect('a');
    release();
    await Promise.all([first, later]);
    expect(asked).toHaveLength(2);
  });
});

describe('a flood of invented tokens (D-010)', () => {
  it('has twenty calls in flight, and the next is told to come again at once', async () => {
    const { inspect, asked, line, release } = scene();
    line.holds = true;
    const running = Array.from({ length: 20 }, (_, at) => inspect(`invented${at}`));
    await soon();
    expect(await inspect('one more')).toMatchObject({ reason: 'introspection_busy', retryAfterSeconds: 1 });
    expect(asked).toHaveLength(20);
    release();
    await Promise.all(running);
    expect(await inspect('one more')).toMatchObject({ outcome: 'active' });
  });

  it('has a thousand that wait for one answer, and the next is told to come again at once', async () => {
    const { inspect, asked, line, release, pass } = scene();
    await inspect('regular');
    pass(31);
    line.holds = true;
    const waiting = Array.from({ length: 1000 }, () => inspect('invented'));
    await soon();
    const startedAt = performance.now();
    expect(await inspect('invented')).toMatchObject({ reason: 'introspection_busy', retryAfterSeconds: 1 });
    expect(performance.now() - startedAt).toBeLessThan(1000);
    const regular = inspect('regular');
    await soon();
    expect(asked).toEqual(['regular', 'invented', 'regular']);
    release();
    expect(await regular).toMatchObject({ outcome: 'active' });
    await Promise.all(waiting);
    pass(31);
    expect(await inspect('invented')).toMatchObject({ outcome: 'active' });
  });

  it('costs the server a hundred calls a second', async () => {
    const { inspect, asked, pass } = scene();
    for (let second = 0; second < 3; second += 1) {
      for (let at = 0; at < 500; at += 1) await inspect(`invented${second}/${at}`);
      expect(asked).toHaveLength((second + 1) * 100);
      pass(1);
    }
  });

  it('keeps nobody out whom the server has called active before, nor a signed token', async () => {
    const { inspect, asked, line, release, pass } = scene();
    await inspect('regular');
    pass(31);
    for (let at = 0; at < 100; at += 1) await inspect(`invented${at}`);
    line.holds = true;
    const flood = Array.from({ length: 50 }, (_, at) => inspect(`more${at}`));
    await soon();
    const before = asked.length;
    const regular = inspect('regular');
    const signed = inspect('signed', 'signed');
    await soon();
    expect(asked.slice(before)).toEqual(['regular', 'signed']);
    release();
    expect(await regular).toMatchObject({ outcome: 'active' });
    expect(await signed).toMatchObject({ outcome: 'active' });
    await Promise.all(flood);
  });
});

describe('a server that is down', () => {
  it('is left alone after five failures, while what is remembered serves (A-057)', async () => {
    const { inspect, script, asked, outcomes, pass } = scene();
    await inspect('good');
    script.answer = () => failed;
    for (let at = 0; at < 5; at += 1) await inspect(`t${at}`);
    await soon();
    const calls = asked.length;
    expect(calls).toBe(7);
    expect(await inspect('t9')).toMatchObject({ reason: 'introspection_paused', retryAfterSeconds: 10 });
    expect(await inspect('good')).toMatchObject({ outcome: 'active' });
    expect(asked).toHaveLength(calls);
    pass(30);
    // The one that finds the pause over probes; the answer to it is the probe's.
    expect(await inspect('good')).toMatchObject({ reason: 'introspection_paused', retryAfterSeconds: 10 });
    expect(asked).toHaveLength(calls + 1);
    pass(10);
    script.answer = () => active();
    expect(await inspect('good')).toMatchObject({ outcome: 'active' });
    expect(outcomes.filter((outcome) => outcome === 'paused')).toHaveLength(2);
  });

  it('is probed with a token that no client has sent', async () => {
    const { inspect, script, asked } = scene();
    script.answer = () => failed;
    for (let at = 0; at < 5; at += 1) await inspect(`t${at}`);
    await soon();
    expect(asked.at(-1)).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });
});

/** What gateways tell each other, in this process. */
function board(): SharedAnswers & { readonly held: Map<string, ActiveAnswer> } {
  const held = new Map<string, ActiveAnswer>();
  return {
    held,
    recall: (name) => Promise.resolve(held.get(name)),
    keep: (name, answer) => void held.set(name, answer),
    forget: (name) => void held.delete(name),
  };
}

describe('what gateways tell each other (I1, D-012)', () => {
  it('spares the others the question for as long as the one that asked remembers it', async () => {
    const shared = board();
    const [one, two] = [scene(30, shared), scene(30, shared)];
    await one.inspect('a');
    expect(await two.inspect('a')).toEqual({ outcome: 'active', claims: { sub: 'alice' } });
    expect([two.asked, two.outcomes]).toEqual([[], ['shared']]);
    two.pass(29.999);
    await two.inspect('a');
    expect(two.asked).toEqual([]);
    two.pass(0.001);
    await two.inspect('a');
    expect(two.asked).toEqual(['a']);
  });

  it('never makes a token good that this one has heard to be revoked since', async () => {
    const shared = board();
    const [one, two] = [scene(30, shared), scene(30, shared)];
    await one.inspect('a');
    const told = [...shared.held];
    two.script.answer = () => inactive;
    shared.held.clear();
    two.pass(1);
    expect(await two.inspect('a')).toMatchObject({ outcome: 'inactive' });
    for (const [name, answer] of told) shared.held.set(name, answer);
    two.pass(11);
    expect(await two.inspect('a')).toMatchObject({ outcome: 'inactive' });
    expect(two.asked).toHaveLength(2);
  });

  it('is taken back when a token that was good is so no more', async () => {
    const shared = board();
    const one = scene(30, shared);
    await one.inspect('a');
    one.script.answer = () => inactive;
    one.pass(31);
    expect(shared.held.size).toBe(1);
    await one.inspect('a');
    expect(shared.held.size).toBe(0);
  });

  it('counts for nothing where its time lies ahead, or the token has ended', async () => {
    const shared = board();
    const [ahead, one] = [scene(30, shared), scene(30, shared)];
    ahead.pass(5);
    await ahead.inspect('a');
    await one.inspect('a');
    expect(one.asked).toEqual(['a']);
    ahead.script.answer = () => active({ exp: start / 1000 + 10 });
    await ahead.inspect('b');
    one.pass(10);
    await one.inspect('b');
    expect(one.asked).toEqual(['a', 'b']);
  });

  it('is nothing where every request asks, and of tokens that are not active', async () => {
    const shared = board();
    await scene(0, shared).inspect('a');
    const one = scene(30, shared);
    one.script.answer = () => inactive;
    await one.inspect('b');
    expect(shared.held.size).toBe(0);
  });
});
