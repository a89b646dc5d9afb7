import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import type { ProbeResult, Switch } from './breaker.ts';
import { Breaker } from './breaker.ts';

const dead: ProbeResult = { alive: false, detail: 'nothing answers', retryAfterSeconds: undefined };

/** A breaker with a clock, and a server that is as alive as the test says. */
function scene() {
  const now = { seconds: 0 };
  const server: { is: ProbeResult; probes: number } = { is: { alive: true }, probes: 0 };
  const switches: Switch[] = [];
  const breaker = new Breaker({
    clock: () => now.seconds * 1000,
    async probe() {
      server.probes += 1;
      await turn();
      return server.is;
    },
    onSwitch: (to) => switches.push(to),
  });
  const fail = async (times: number): Promise<void> => {
    for (let at = 0; at < times; at += 1) breaker.failed();
    await turn();
    await turn();
  };
  return { breaker, now, server, switches, fail };
}

describe('the breaker', () => {
  it('lets four failures in a row pass, and starts again with every answer', async () => {
    const { breaker, server, fail } = scene();
    server.is = dead;
    for (let round = 0; round < 3; round += 1) {
      await fail(4);
      expect(await breaker.pauseSeconds()).toBeUndefined();
      breaker.answered();
    }
    expect(server.probes).toBe(0);
  });

  it('opens with the fifth failure where a probe fails too, and says for how long', async () => {
    const { breaker, now, server, switches, fail } = scene();
    server.is = dead;
    await fail(5);
    expect(switches).toEqual([{ to: 'paused', seconds: 10, detail: 'nothing answers' }]);
    expect(await breaker.pauseSeconds()).toBe(10);
    now.seconds = 3.5;
    expect(await breaker.pauseSeconds()).toBe(7);
    now.seconds = 9.999;
    expect(await breaker.pauseSeconds()).toBe(1);
    expect(server.probes).toBe(1);
  });

  it('stays closed where the probe is answered: a client can provoke failures, not open it', async () => {
    const { breaker, server, switches, fail } = scene();
    for (let round = 1; round <= 3; round += 1) {
      await fail(5);
      expect(server.probes).toBe(round);
      expect(await breaker.pauseSeconds()).toBeUndefined();
    }
    expect(switches).toEqual([]);
  });

  it('has one probe decide after the pause, while the others come again', async () => {
    const { breaker, now, server, switches, fail } = scene();
    server.is = dead;
    await fail(5);
    now.seconds = 10;
    const first = breaker.pauseSeconds();
    expect(await breaker.pauseSeconds()).toBe(1);
    expect(await first).toBe(10);
    expect(server.probes).toBe(2);
    now.seconds = 20;
    server.is = { alive: true };
    const second = breaker.pauseSeconds();
    expect(await breaker.pauseSeconds()).toBe(1);
    expect(await second).toBeUndefined();
    expect(await breaker.pauseSeconds()).toBeUndefined();
    expect(switches.map(({ to }) => to)).toEqual(['paused', 'asked']);
  });

  it('begins to count anew once it has closed', async () => {
    const { breaker, now, server, fail } = scene();
    server.is = dead;
    await fail(5);
    await fail(20);
    now.seconds = 10;
    server.is = { alive: true };
    await breaker.pauseSeconds();
    await fail(4);
    expect(server.probes).toBe(2);
  });

  it('probes at once where the clock was set back', async () => {
    const { breaker, now, server, fail } = scene();
    server.is = dead;
    await fail(5);
    now.seconds = -3600;
    server.is = { alive: true };
    expect(await breaker.pauseSeconds()).toBeUndefined();
  });

  it('pauses for as long as the server asks for, where that is longer', async () => {
    const { breaker, server, fail } = scene();
    server.is = { ...dead, retryAfterSeconds: 45 };
    await fail(5);
    expect(await breaker.pauseSeconds()).toBe(45);
  });
});
