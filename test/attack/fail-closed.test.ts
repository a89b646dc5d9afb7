/** Faults of our own: a step that throws, rejects or never ends denies (attack catalogue A-040). */
import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyPluginCallback } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, afterAll, describe, expect, it, vi } from 'vitest';
import { routeStages } from '../../src/gateway.ts';
import { mark } from '../support/invariants.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually } from '../support/loopback.ts';
import { mintKey } from '../support/signing-key.ts';
import { expectError } from './answers.ts';
import { startScene, type Scene } from './scene.ts';

const secretOfTheError = 'what-only-the-log-may-say-0123456789';

function injected(): Error {
  return new Error(secretOfTheError);
}

const manners = {
  throws: () => {
    throw injected();
  },
  rejects: () => Promise.reject(injected()),
  // What isn't an error is easily taken for success.
  'rejects with nothing': () => Promise.reject(undefined as unknown as Error),
  'rejects with a text': () => Promise.reject(secretOfTheError as unknown as Error),
  'rejects with a status': () => Promise.reject(Object.assign(injected(), { statusCode: 200 })),
} as const;

const hooks = ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const;
const names = Object.keys(routeStages) as (keyof typeof routeStages)[];

/** Behind one stage is before the next. */
const places = [`before ${names[0]}`, ...names.map((stage) => `after ${stage}`)];
const points = places.flatMap((place) => hooks.map((hook) => `${place}, ${hook}`));

/** The point that is broken now, and how. */
let broken: { readonly point: string; readonly fault: () => Promise<never> | never } | undefined;
let reached = 0;

/** The stages as they are, with a step before the first and behind each that does as it is told. */
function breakable(): typeof routeStages {
  const stages = names.map((name) => {
    const stage = fp(async (scope: FastifyInstance, options: never) => {
      if (name === names[0]) addSteps(scope, `before ${name}`);
      await scope.register(routeStages[name] as FastifyPluginCallback, options);
      addSteps(scope, `after ${name}`);
    });
    return [name, stage] as const;
  });
  return Object.fromEntries(stages) as unknown as typeof routeStages;
}

function addSteps(scope: FastifyInstance, where: string): void {
  for (const hook of hooks) {
    const step = async (): Promise<void> => {
      if (broken?.point !== `${where}, ${hook}`) return;
      reached += 1;
      await broken.fault();
    };
    scope.addHook(hook as 'onRequest', step);
  }
}

describe('a step of the gateway', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await startScene({
      issuers: [await startIssuer({ algorithms: ['ES256'] })],
      stages: breakable(),
    });
  });

  afterEach(() => {
    broken = undefined;
  });

  afterAll(() => scene.close());

  it('A-040: that is whole lets a good token through, and only that', async () => {
    const before = await mark(scene);
    expect((await scene.ask({ token: scene.token() })).status).toBe(200);
    expect((await scene.ask({ token: scene.token({ key: mintKey('ES256') }) })).status).not.toBe(200);
    await before.hold({ forwarded: 1 });
  });

  it.each(Object.entries(manners))(
    'A-040: that %s, wherever it is, denies good and bad alike, and says nothing',
    async (_name, fault) => {
      const before = await mark(scene);
      for (const point of points) {
        broken = { point, fault };
        reached = 0;
        for (const method of ['POST', 'GET']) {
          const answer = await scene.ask({ method, token: scene.token() });
          expect(answer.status, `${method} broken ${point}`).toBe(500);
          const { id, ...told } = JSON.parse(answer.body.toString()) as { id: unknown };
          expect([1, null]).toContain(id);
          expect(told).toEqual({ jsonrpc: '2.0', error: { code: -32603, message: 'Internal error' } });
          expect(JSON.stringify(answer.headerLines)).not.toContain(secretOfTheError);
        }
        expect(reached, `times it broke ${point}`).toBe(2);
        for (const token of ['bad', scene.token({ claims: { aud: 'x' } })])
          expect([401, 500]).toContain((await scene.ask({ token })).status);
      }
      const events = await before.hold({ forwarded: 0 });
      expect(new Set(events.map(({ decision }) => decision))).toEqual(new Set(['deny']));
      // And it isn't broken for good.
      broken = undefined;
      expect((await scene.ask({ token: scene.token() })).status).toBe(200);
    },
    60_000,
  );

  it('A-040: that never ends lets nothing through, and ends with the client', async () => {
    const before = await mark(scene);
    for (const point of points) {
      broken = { point, fault: () => new Promise<never>(() => {}) };
      reached = 0;
      const client = await scene.connect();
      client.send(scene.request({ token: scene.token() }));
      await eventually(`it hangs ${point}`, () => reached === 1);
      expect(client.pending.length, `bytes of an answer, hanging ${point}`).toBe(0);
      client.reset();
    }
    await before.hold({ forwarded: 0, requests: points.length, reasons: ['client_left'] });
  }, 60_000);
});

describe('a step of the check itself', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await startScene({ issuers: [await startIssuer({ algorithms: ['ES256'] })] });
  });

  afterAll(() => scene.close());

  const never = new Promise<never>(() => {});
  const lies: readonly (readonly [string, () => unknown])[] = [
    ['throws', manners.throws],
    ['rejects', manners.rejects],
    ['rejects with nothing', manners['rejects with nothing']],
    ['answers nothing', () => Promise.resolve(undefined)],
    ['answers null', () => Promise.resolve(null)],
    ['answers false', () => Promise.resolve(false)],
  ];

  it.each(lies)('A-040: verification that %s is no verification', async (_name, lie) => {
    const before = await mark(scene);
    vi.spyOn(crypto.subtle, 'verify').mockImplementation(lie as never);
    expect((await scene.ask({ token: scene.token() })).status).toBe(401);
    vi.restoreAllMocks();
    expect((await scene.ask({ token: scene.token() })).status).toBe(200);
    await before.hold({ forwarded: 1, reasons: ['token_signature', 'ok'] });
  });

  it.each(lies)('A-040: a key whose import %s serves nobody', async (_name, lie) => {
    await using world = await startScene({ issuers: [await startIssuer({ algorithms: ['ES256'] })] });
    vi.spyOn(crypto.subtle, 'importKey').mockImplementation(lie as never);
    const before = await mark(world);
    expect((await world.ask({ token: world.token() })).status).toBe(401);
    await before.hold({ forwarded: 0, reasons: ['token_signature'] });
  });

  it('A-040: a verification that never ends lets nothing through', async () => {
    const before = await mark(scene);
    vi.spyOn(crypto.subtle, 'verify').mockImplementation(() => never);
    const client = await scene.connect();
    client.send(scene.request({ token: scene.token() }));
    await sleep(100);
    expect(client.pending.length).toBe(0);
    client.reset();
    await before.hold({ forwarded: 0, requests: 1, reasons: ['client_left'] });
  });
});

describe('the way to the authorization server', () => {
  const faults: readonly (readonly [string, () => unknown])[] = [
    ['throws', manners.throws],
    ['rejects', manners.rejects],
    ['rejects with nothing', manners['rejects with nothing']],
    ['rejects with a text', manners['rejects with a text']],
    ['answers nothing', () => Promise.resolve(undefined)],
    ['answers what is no answer', () => Promise.resolve({ status: 200 })],
    ['answers without a body', () => Promise.resolve(new Response(null, { status: 200 }))],
    ['breaks in its body', () => Promise.resolve(new Response(breaking(), { status: 200 }))],
    ['breaks in its body without an error', () => Promise.resolve(new Response(breaking(undefined)))],
  ];

  function breaking(error: unknown = injected()): ReadableStream {
    return new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from('{"keys":['));
        controller.error(error);
      },
    });
  }

  async function expectUnavailable(issuer: Issuer, fetch: () => unknown): Promise<void> {
    await using world = await startScene({ issuers: [issuer], fetch: fetch as never });
    const before = await mark(world);
    for (const token of [world.token(), world.token({ key: mintKey('ES256') })]) {
      const answer = await world.ask({ token });
      expect(answer.status).toBe(503);
      expect(answer.header('retry-after')).toHaveLength(1);
      expectError(answer, { code: 50300, message: 'The authorization server is unavailable' });
    }
    expect((await world.ask({})).status).toBe(401);
    await before.hold({ forwarded: 0, reasons: ['keys_unavailable', 'keys_unavailable', 'no_credentials'] });
  }

  it.each(faults)('A-040: that %s gives 503, never access', async (_name, fetch) =>
    expectUnavailable(await startIssuer({ algorithms: ['ES256'] }), fetch),
  );

  it.each(faults)('A-040: that %s once keys are held leaves them in force', async (_name, lie) => {
    let aheadMs = 0;
    let isBroken = false;
    const now = (): number => Math.floor((Date.now() + aheadMs) / 1000);
    await using world = await startScene({
      issuers: [await startIssuer({ algorithms: ['ES256'], now })],
      clock: () => Date.now() + aheadMs,
      fetch: (url, init) => (isBroken ? (lie() as Promise<Response>) : fetch(url, init)),
    });
    isBroken = true;
    aheadMs += 31_000;
    const before = await mark(world);
    expect((await world.ask({ token: world.token({ key: mintKey('ES256') }) })).status).toBe(503);
    expect((await world.ask({ token: world.token() })).status).toBe(200);
    isBroken = false;
    aheadMs += 31_000;
    const fresh = world.issuer.rotate('ES256');
    expect((await world.ask({ token: world.token({ key: fresh }) })).status).toBe(200);
    await before.hold({ forwarded: 2, reasons: ['key_lookup_cooling_down', 'ok', 'ok'] });
  });
});
