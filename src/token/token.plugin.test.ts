import type { FastifyInstance, InjectOptions } from 'fastify';
import { fastify } from 'fastify';
import fp from 'fastify-plugin';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ProofKey } from '../../test/support/proof-key.ts';
import type { Authority } from '../authorization-servers/authority.ts';
import type { AuthorizationServer, Configuration, Dpop, Route } from '../config/configuration.ts';
import { matched } from '../vocabulary/passage.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import type { Strangers } from '../vocabulary/strangers.ts';
import { possessionParts } from './prove-possession.ts';
import { RememberedSignatures } from './remembered-signatures.ts';
import { tokenStage } from './token.plugin.ts';
import type { VerifierParts } from './verify-access-token.ts';

const slotMs = 120_000;
const nowMs = 15_000_000 * slotMs;
const key = new ProofKey('ES256', () => nowMs / 1000);
const dpop: Dpop = { mode: 'optional', nonce: true, algorithms: ['ES256'], window: 60_000 };
const good = { sub: 'ada', aud: 'tools', scope: 'use' };

const answers: Readonly<Record<string, () => unknown>> = {
  good: () => ({ outcome: 'active', claims: { ...good } }),
  later: async () => ({ outcome: 'active', claims: { ...good } }),
  bound: () => ({ outcome: 'active', claims: { ...good, cnf: { jkt: key.jkt } } }),
  poor: () => ({ outcome: 'active', claims: { ...good, scope: '' } }),
  bad: () => ({ outcome: 'inactive', expired: false }),
  broken: async () => {
    throw new Error('out of order');
  },
};

const server = {
  name: 'as',
  issuers: ['https://as.example'],
  audiences: ['tools'],
  tokenTypes: [],
  leeway: 0,
  verify: { exp: true, nbf: true, iat: true, iss: true },
  claims: { clientId: [], scopes: ['scope'], email: 'email' },
  introspection: { for: 'opaque' },
} as unknown as AuthorizationServer;
const route = {
  name: 'tools',
  access: 'required',
  path: '/mcp',
  resource: 'https://gate.example/mcp',
  scopes: ['use'],
  authorizationServers: [server],
  upstream: { token: 'strip', transport: 'streamable-http' },
} as unknown as Route;

let knownTokens: string[];
const authority = {
  server,
  introspection: {
    inspect: (token: string) => answers[token]?.(),
    knows: (token: string) => knownTokens.includes(token),
  },
} as unknown as Authority;
const clock = (): number => nowMs;
const parts = {
  authorities: { of: () => authority },
  remembered: new RememberedSignatures(),
  observer: { signatureChecked: () => undefined },
  clock,
} as unknown as VerifierParts;

let apps: FastifyInstance[];
let reached: number;

beforeEach(() => {
  [apps, knownTokens, reached] = [[], [], 0];
});

afterEach(async () => {
  await Promise.all(apps.map((app) => app.close()));
});

/** The stage between a request that was matched and a route that says who asks. */
async function stageOn(of: Route, strangers?: Strangers, isMatched = true) {
  const app = fastify();
  apps.push(app);
  const possession = possessionParts(
    {
      publicUrl: 'https://gate.example',
      sessions: { key: 'k'.repeat(32), previous: [] },
    } as unknown as Configuration,
    { replays: { claim: () => 'new', knowsSinceMs: undefined }, clock },
  );
  await app.register(
    fp(
      (scope, _options, ready) => {
        scope.decorateRequest('passage', null);
        scope.decorateReply('refuse', function refuse(refusal: Refusal): void {
          void this.code(400).send(refusal);
        });
        scope.addHook('onRequest', async (request, reply) => {
          if (isMatched) request.passage = matched(of);
          if (request.headers['x-leaves'] !== undefined)
            Object.defineProperty(reply.raw, 'destroyed', { value: true });
        });
        ready();
      },
      { name: 'routes' },
    ),
  );
  await app.register(fp((_scope, _options, ready) => ready(), { name: 'challenge' }));
  await app.register(tokenStage, { route: of, parts, possession, strangers });
  for (const method of ['GET', 'POST'] as const)
    app.route({
      method,
      url: '/mcp',
      handler: async ({ passage }) => ({
        stage: passage?.stage,
        who: passage !== null && 'principal' in passage ? (passage.principal?.subject ?? null) : '-',
      }),
    });
  app.addHook('preHandler', async () => void (reached += 1));
  expect(app.checksTokens).toBe(true);
  const ask = async (authorization?: string, over: InjectOptions = {}) => {
    const { headers, ...rest } = over;
    const answer = await app.inject({
      method: 'POST',
      url: '/mcp',
      headers: { ...(authorization === undefined ? {} : { authorization }), ...headers },
      ...rest,
    });
    return { told: answer.json<Readonly<Record<string, unknown>>>(), nonce: answer.headers['dpop-nonce'] };
  };
  return { ask, possession };
}

const authenticated = (who: string | null) => ({ stage: 'authenticated', who });

it('a request whose client left meanwhile goes no further', async () => {
  const { ask } = await stageOn(route);
  await ask('Bearer good');
  expect(reached).toBe(1);
  // Nobody is answered, so that nothing comes back.
  void ask('Bearer good', { headers: { 'x-leaves': 'yes' } });
  void ask('Bearer later', { headers: { 'x-leaves': 'yes' } });
  await ask('Bearer later');
  expect(reached).toBe(2);
});

describe('the token stage', () => {
  it('lets nobody in without a token where one is required', async () => {
    const { ask } = await stageOn(route);
    expect((await ask()).told).toEqual({ kind: 'credentials-missing', reason: 'no_credentials' });
    expect((await ask('Basic x')).told).toMatchObject({ reason: 'other_scheme' });
    expect((await ask(undefined, { method: 'GET' })).told).toMatchObject({ kind: 'credentials-missing' });
  });

  it('proves who asks, at once or later, and that the scopes suffice', async () => {
    const { ask } = await stageOn(route);
    expect((await ask('Bearer good')).told).toEqual(authenticated('ada'));
    expect((await ask('Bearer later')).told).toEqual(authenticated('ada'));
    expect((await ask('Bearer poor')).told).toEqual({
      kind: 'scope-insufficient',
      reason: 'scope_insufficient',
      scopes: ['use'],
    });
    expect((await ask('Bearer bad')).told).toMatchObject({ reason: 'token_inactive' });
    expect((await ask('Bearer broken')).told).toMatchObject({ statusCode: 500, message: 'out of order' });
  });

  it('looks at no credentials on an open route', async () => {
    const { ask } = await stageOn({ ...route, access: 'open' });
    for (const shown of [undefined, 'Bearer bad', 'Bearer good'])
      expect((await ask(shown)).told).toEqual(authenticated(null));
  });

  it('lets in who shows none on an optional route, but to no stream, and judges what is shown', async () => {
    const optional: Route = { ...route, access: 'optional' };
    const { ask } = await stageOn(optional);
    expect((await ask()).told).toEqual(authenticated(null));
    expect((await ask('Bearer good')).told).toEqual(authenticated('ada'));
    expect((await ask('Bearer bad')).told).toMatchObject({ reason: 'token_inactive' });
    expect((await ask('Bearer')).told).toMatchObject({ reason: 'malformed_credentials' });
    expect((await ask(undefined, { method: 'GET' })).told).toEqual({
      kind: 'method-not-served',
      reason: 'method_not_served',
      allow: 'POST, DELETE',
    });
    const older = await stageOn({ ...optional, upstream: { ...route.upstream, transport: 'sse' } });
    expect((await older.ask(undefined, { method: 'GET' })).told).toEqual(authenticated(null));
  });

  it('is a defect before a route is known', async () => {
    const { ask } = await stageOn(route, undefined, false);
    expect((await ask('Bearer good')).told).toMatchObject({
      statusCode: 500,
      message: 'the token stage needs a matched request',
    });
  });
});

describe('strangers', () => {
  const over: Refusal = { kind: 'rate-exceeded', reason: 'address_rate', retryAfterSeconds: 9 };

  it('who are refused too often hear that instead', async () => {
    const heard: unknown[] = [];
    let isOver = false;
    const { ask } = await stageOn(route, {
      judge(address: string, refusal: Refusal) {
        heard.push([address, refusal.reason]);
        return isOver ? over : refusal;
      },
      barred: () => undefined,
    } as unknown as Strangers);
    expect((await ask()).told).toMatchObject({ reason: 'no_credentials' });
    isOver = true;
    expect((await ask('Bearer bad')).told).toEqual(over);
    expect(heard).toEqual([
      ['127.0.0.1', 'no_credentials'],
      ['127.0.0.1', 'token_inactive'],
    ]);
  });

  it('have new tokens looked at no more, by their address', async () => {
    const { ask } = await stageOn(route, {
      judge: (_address: string, refusal: Refusal) => refusal,
      barred: (address: string) => (address === '127.0.0.1' ? over : undefined),
    } as unknown as Strangers);
    expect((await ask('Bearer good')).told).toEqual(over);
    knownTokens = ['good'];
    expect((await ask('Bearer good')).told).toEqual(authenticated('ada'));
  });
});

describe('a token that is bound to a key (I2)', () => {
  const url = 'https://gate.example/mcp';

  it('needs the proof, and is told the next nonce', async () => {
    const { ask, possession } = await stageOn({ ...route, dpop });
    const prove = (nonce: string, over: Parameters<ProofKey['proof']>[0] = { url, token: 'bound' }) =>
      ask('DPoP bound', { headers: { dpop: key.proof(over, { claims: { nonce } }) } });
    const [current, last] = [possession.nonces.current(nowMs), possession.nonces.current(nowMs - slotMs)];
    expect(await prove(current)).toEqual({ told: authenticated('ada'), nonce: undefined });
    expect(await prove(last)).toEqual({ told: authenticated('ada'), nonce: current });
    expect(await prove('x')).toMatchObject({ told: { kind: 'proof-nonce-needed' }, nonce: undefined });
    expect(await prove(current, { url, token: 'bound', method: 'GET' })).toMatchObject({
      told: { reason: 'proof_method' },
    });
    expect((await ask('DPoP bound')).told).toMatchObject({ reason: 'proof_missing' });
  });

  it('is judged itself before the proof is', async () => {
    const { ask } = await stageOn({ ...route, dpop });
    expect((await ask('DPoP bad')).told).toMatchObject({ reason: 'token_inactive' });
    expect((await ask('DPoP good')).told).toMatchObject({ reason: 'token_confirmation' });
    expect((await ask('DPoP broken')).told).toMatchObject({ message: 'out of order' });
    expect((await ask('Bearer good')).told).toEqual(authenticated('ada'));
  });
});
